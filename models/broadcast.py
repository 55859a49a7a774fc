"""Sendings of an ask to an audience, and everybody they are meant for."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Json, Owned, Word, belongs, one_of


class BroadcastKind(StrEnum):
    """What people are told: the ask itself, that it waits, its result, or what is done with it.

    The result goes ahead of the report-back when that is promised for later.
    """

    INVITATION = "invitation"
    REMINDER = "reminder"
    RESULT = "result"
    REPORT_BACK = "report_back"

    @property
    def tells(self) -> bool:
        """Whether nothing is asked: people hear what came of their answers."""
        return self in (BroadcastKind.RESULT, BroadcastKind.REPORT_BACK)


class BroadcastStatus(StrEnum):
    """How far a sending is; recipients are written while it is `opening`."""

    OPENING = "opening"
    SENDING = "sending"
    PAUSED = "paused"
    CANCELED = "canceled"
    FINISHED = "finished"


class RecipientStatus(StrEnum):
    """Whether a message to somebody waits for its hour, was queued, or will not be sent."""

    WAITING = "waiting"
    QUEUED = "queued"
    LEFT_OUT = "left_out"


class Broadcast(Identified, Base):
    """One sending. Nothing leaves before `starts_at`: until then it can be undone.

    `condition` is the audience as it was when this was opened, `audience_id` and
    `audience_version` where it came from. `send_hour` is the hour of the member's day from which
    it may reach them. `expanded_to` is the last contact a recipient was written for; `paused_from`
    the status a pause returns to.
    """

    __tablename__ = "broadcasts"
    __table_args__ = (
        belongs("ask_id", "asks", cascade=True),
        ForeignKeyConstraint(
            ["organisation_id", "audience_id", "audience_version"],
            [
                "audience_versions.organisation_id",
                "audience_versions.audience_id",
                "audience_versions.version",
            ],
        ),
        one_of("kind", BroadcastKind),
        one_of("status", BroadcastStatus),
        UniqueConstraint("ask_id", "kind", "id", "organisation_id"),
        Index(
            "ix_broadcasts_running",
            "status",
            postgresql_where=text("status IN ('opening', 'sending', 'paused')"),
        ),
    )

    ask_id: Mapped[UUID]
    kind: Mapped[BroadcastKind] = mapped_column(Word(BroadcastKind))
    status: Mapped[BroadcastStatus] = mapped_column(Word(BroadcastStatus))
    condition: Mapped[Json]
    audience_id: Mapped[UUID | None]
    audience_version: Mapped[int | None]
    send_hour: Mapped[int | None] = mapped_column(SmallInteger)
    content: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime]
    starts_at: Mapped[datetime]
    expanded_to: Mapped[UUID | None]
    paused_from: Mapped[str | None]
    finished_at: Mapped[datetime | None]


class Recipient(Owned, Base):
    """One person of one sending: each once an ask and kind, on one channel.

    Somebody left out has the `reason` why. `asker_id` was drawn before anything was sent.
    """

    __tablename__ = "recipients"
    __table_args__ = (
        # One key to the sending, of the same ask and kind: each key is checked a million times.
        ForeignKeyConstraint(
            ["organisation_id", "ask_id", "kind", "broadcast_id"],
            [
                "broadcasts.organisation_id",
                "broadcasts.ask_id",
                "broadcasts.kind",
                "broadcasts.id",
            ],
            ondelete="CASCADE",
        ),
        belongs("contact_id", "contacts", cascade=True),
        belongs("asker_id", "askers"),
        one_of("status", RecipientStatus),
        Index(None, "contact_id"),
        Index(
            "ix_recipients_waiting",
            "broadcast_id",
            "channel_id",
            "send_at",
            postgresql_where=text("status = 'waiting'"),
        ),
        {"postgresql_with": {"fillfactor": 85}},
    )

    ask_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[BroadcastKind] = mapped_column(Word(BroadcastKind), primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    broadcast_id: Mapped[UUID]
    address_id: Mapped[UUID | None]
    channel_id: Mapped[UUID | None]
    channel_kind: Mapped[str | None]
    asker_id: Mapped[UUID | None]
    status: Mapped[RecipientStatus] = mapped_column(Word(RecipientStatus))
    reason: Mapped[str | None]
    send_at: Mapped[datetime | None]
    message_id: Mapped[UUID | None]
    queued_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
