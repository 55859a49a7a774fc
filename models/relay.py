"""Communities, their leaders, and the personal codes by which leaders pass asks on."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Json, Owned, Word, belongs, of_organisation, one_of


class LeaderStatus(StrEnum):
    """Whether somebody was invited, relays, or no longer may."""

    INVITED = "invited"
    ACTIVE = "active"
    REVOKED = "revoked"


class FlagKind(StrEnum):
    """Why an answer that came through a relay is looked at apart; a mark, never a deletion."""

    VELOCITY = "velocity"
    STRAIGHT_LINE = "straight_line"
    OVER_QUOTA = "over_quota"


class GroupPollStatus(StrEnum):
    """How far a poll in a group is; one that is being posted is not posted a second time."""

    WANTED = "wanted"
    POSTING = "posting"
    OPEN = "open"
    CLOSED = "closed"


class Community(Identified, Base):
    """A group the organisation knows."""

    __tablename__ = "communities"
    __table_args__ = (of_organisation(), UniqueConstraint("organisation_id", "name"))

    name: Mapped[str]
    created_at: Mapped[datetime]


class Leader(Identified, Base):
    """A contact's grant to pass asks on.

    Until an invited person writes, `contact_id` is null: they are known by the keyed hash of the
    number they were invited by, or of the code they were given.
    """

    __tablename__ = "leaders"
    __table_args__ = (
        belongs("community_id", "communities"),
        belongs("contact_id", "contacts", cascade=True),
        one_of("status", LeaderStatus),
        Index(None, "contact_id", postgresql_where=text("contact_id IS NOT NULL")),
        Index(None, "number_hash", postgresql_where=text("number_hash IS NOT NULL")),
        UniqueConstraint("code_hash", "organisation_id"),
    )

    community_id: Mapped[UUID | None]
    contact_id: Mapped[UUID | None]
    number_hash: Mapped[bytes | None]
    code_hash: Mapped[bytes]
    status: Mapped[LeaderStatus] = mapped_column(Word(LeaderStatus))
    invited_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class Relay(Identified, Base):
    """A personal code for one ask; whoever comes by it carries it, its parent and its asker.

    `leader_id` is null for a code of the organisation's own (a poster in the waiting room).
    `quota` is how many answers are hoped for; those after it are marked, and counted.
    """

    __tablename__ = "relays"
    __table_args__ = (
        belongs("ask_id", "asks", cascade=True),
        belongs("leader_id", "leaders", cascade=True),
        belongs("parent_id", "relays"),
        belongs("asker_id", "askers"),
        UniqueConstraint("organisation_id", "code"),
        Index(None, "ask_id"),
        Index(None, "leader_id", postgresql_where=text("leader_id IS NOT NULL")),
        Index(None, "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    )

    ask_id: Mapped[UUID]
    leader_id: Mapped[UUID | None]
    parent_id: Mapped[UUID | None]
    asker_id: Mapped[UUID | None]
    code: Mapped[str]
    quota: Mapped[int | None]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class GroupPoll(Identified, Base):
    """A native anonymous poll in a leader's Telegram group, kept apart from the results.

    `chat` is sealed with the organisation's key, and forgotten once the poll is closed; by its
    keyed hash a group has one poll a relay. `tallies` are Telegram's own counts by option.
    """

    __tablename__ = "group_polls"
    __table_args__ = (
        belongs("relay_id", "relays", cascade=True),
        belongs("channel_id", "channels"),
        one_of("status", GroupPollStatus),
        UniqueConstraint(
            "relay_id", "chat_hash", "organisation_id", name="uq_group_polls_relay_id_chat_hash"
        ),
        UniqueConstraint("poll_hash", "organisation_id"),
        Index(
            "ix_group_polls_under_way",
            "created_at",
            postgresql_where=text("status IN ('wanted', 'open')"),
        ),
    )

    relay_id: Mapped[UUID]
    channel_id: Mapped[UUID]
    status: Mapped[GroupPollStatus] = mapped_column(Word(GroupPollStatus))
    language: Mapped[str]
    chat_hash: Mapped[bytes]
    chat: Mapped[bytes | None]
    poll_hash: Mapped[bytes | None]
    message: Mapped[str | None]
    tallies: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Flag(Owned, Base):
    """A mark on a passage that came through a relay."""

    __tablename__ = "flags"
    __table_args__ = (
        belongs("session_id", "flow_sessions", cascade=True),
        belongs("relay_id", "relays", cascade=True),
        one_of("kind", FlagKind),
        Index(None, "relay_id"),
    )

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[FlagKind] = mapped_column(Word(FlagKind), primary_key=True)
    relay_id: Mapped[UUID]
    flagged_at: Mapped[datetime]
