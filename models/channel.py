"""The ways messages travel, what they may send, and what Twilio keeps for us."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import REAL, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Json, Owned, Word, belongs, of_organisation, one_of


class ChannelKind(StrEnum):
    """How messages travel."""

    TELEGRAM = "telegram"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    SIMULATOR = "simulator"


class StopReply(StrEnum):
    """Who confirms a STOP: the provider by itself, or we."""

    PROVIDER = "provider"
    OURS = "ours"


class ChannelStatus(StrEnum):
    """Whether a channel sends."""

    ACTIVE = "active"
    STOPPED = "stopped"


class Channel(Identified, Base):
    """A channel of an organisation.

    `key` is the random part of its webhook path; `credentials` is a JSON object sealed with the
    organisation's key; `sender` is the number, messaging service or bot that people see. `config`
    also keeps how far the provider was asked about messages (services/messages/unheard.py).
    """

    __tablename__ = "channels"
    __table_args__ = (
        of_organisation(),
        UniqueConstraint("organisation_id", "key"),
        one_of("kind", ChannelKind),
        one_of("stop_reply", StopReply),
        one_of("status", ChannelStatus),
    )

    kind: Mapped[ChannelKind] = mapped_column(Word(ChannelKind))
    key: Mapped[str]
    name: Mapped[str]
    credentials: Mapped[bytes]
    sender: Mapped[str] = mapped_column(server_default=text("''"))
    config: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    stop_reply: Mapped[StopReply] = mapped_column(Word(StopReply))
    default_language: Mapped[str]
    status: Mapped[ChannelStatus] = mapped_column(Word(ChannelStatus))
    created_at: Mapped[datetime]


class ChannelBudget(Owned, Base):
    """The bucket of one channel: `rate` tokens a second up to `burst`.

    Replies may run ahead of the rate by `overdraft`, as far as the provider queues them itself.
    `unconsented_*` bounds the replies of one day to people who have not consented.
    """

    __tablename__ = "channel_budgets"
    __table_args__ = (
        belongs("channel_id", "channels", cascade=True),
        {"postgresql_with": {"fillfactor": 50}},
    )

    channel_id: Mapped[UUID] = mapped_column(primary_key=True)
    rate: Mapped[float] = mapped_column(REAL)
    burst: Mapped[float] = mapped_column(REAL)
    overdraft: Mapped[float] = mapped_column(REAL, server_default=text("0"))
    tokens: Mapped[float] = mapped_column(REAL)
    refilled_at: Mapped[datetime]
    paused_until: Mapped[datetime | None]
    unconsented_day: Mapped[date | None]
    unconsented_used: Mapped[int] = mapped_column(server_default=text("0"))
    unconsented_limit: Mapped[int]


class ContentObject(Owned, Base):
    """A Twilio Content template made for one question; `digest` is of everything it shows."""

    __tablename__ = "content_objects"
    __table_args__ = (belongs("channel_id", "channels", cascade=True),)

    channel_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    sid: Mapped[str]
    created_at: Mapped[datetime]
