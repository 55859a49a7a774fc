"""One contact's passage through a flow, and what they answered."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, Index, UniqueConstraint, Update, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Json, Owned, Word, belongs, belongs_with_contact, one_of


class SessionStatus(StrEnum):
    """How far a passage came."""

    WAITING = "waiting"
    COMPLETE = "complete"
    PARTIAL = "partial"
    STOPPED = "stopped"
    EXPIRED = "expired"


class FlowSession(Identified, Base):
    """A passage through one published version; `flow` and `kind` repeat it for listing.

    `origin` says how the person came: the entry code, the ask, its broadcast, relay and asker;
    `ask_id` and `relay` repeat it for counting.
    """

    __tablename__ = "flow_sessions"
    __table_args__ = (
        belongs("contact_id", "contacts", cascade=True),
        belongs("flow_version_id", "flow_versions"),
        UniqueConstraint("contact_id", "id", "organisation_id"),
        Index(
            "ix_flow_sessions_registrations",
            "organisation_id",
            "id",
            postgresql_where=text("kind = 'registration'"),
        ),
        Index(
            "ix_flow_sessions_ask",
            "ask_id",
            "contact_id",
            postgresql_where=text("ask_id IS NOT NULL"),
        ),
        Index(
            "ix_flow_sessions_relay",
            "relay",
            "completed_at",
            postgresql_where=text("relay IS NOT NULL"),
        ),
        Index(
            "ix_flow_sessions_completed",
            "completed_at",
            postgresql_where=text("completed_at IS NOT NULL"),
        ),
        one_of("status", SessionStatus),
        {"postgresql_with": {"fillfactor": 85}},
    )

    contact_id: Mapped[UUID]
    flow_version_id: Mapped[UUID]
    flow: Mapped[str]
    kind: Mapped[str]
    status: Mapped[SessionStatus] = mapped_column(Word(SessionStatus))
    language: Mapped[str]
    channel_kind: Mapped[str]
    origin: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    ask_id: Mapped[UUID | None] = mapped_column(
        Computed("(origin ->> 'ask')::uuid", persisted=True)
    )
    relay: Mapped[str | None] = mapped_column(Computed("(origin ->> 'relay')", persisted=True))
    started_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


def giving_way(organisation_id: UUID, ids: Collection[UUID]) -> Update:
    """Return the statement by which passages that wait end: what was answered in them stays."""
    return (
        update(FlowSession)
        .where(
            FlowSession.organisation_id == organisation_id,
            FlowSession.id.in_(ids),
            FlowSession.status == SessionStatus.WAITING,
        )
        .values(status=SessionStatus.PARTIAL)
    )


class Answer(Owned, Base):
    """The current answer to one question in one passage, tied to the exact wording.

    A coded answer is in `value`; free text is in `sealed` under the person's key (row id
    "session:question"); both are null when skipped.
    """

    __tablename__ = "answers"
    __table_args__ = (
        belongs_with_contact("session_id", "flow_sessions"),
        belongs("flow_version_id", "flow_versions"),
        Index(None, "contact_id"),
        {"postgresql_with": {"fillfactor": 90}},
    )

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID]
    flow_version_id: Mapped[UUID]
    flow: Mapped[str]
    value: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    sealed: Mapped[bytes | None]
    skipped: Mapped[bool] = mapped_column(server_default=text("false"))
    language: Mapped[str]
    channel_kind: Mapped[str]
    answered_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
