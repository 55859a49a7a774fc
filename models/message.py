"""One thing said, in or out; the rows to be sent are the outbox."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Word, belongs, belongs_with_contact, one_of


class Direction(StrEnum):
    """Who spoke."""

    IN = "in"
    OUT = "out"


class MessageStatus(StrEnum):
    """How far a message came; statuses only move up."""

    RECEIVED = "received"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELED = "canceled"


class MessageKind(StrEnum):
    """Why we write; it decides what happens when nobody knows whether it was sent."""

    RIGHTS = "rights"
    QUESTION = "question"
    NOTICE = "notice"
    BROADCAST = "broadcast"


class Lane(IntEnum):
    """The order of sending: a STOP is confirmed before a broadcast goes on."""

    RIGHTS = 0
    REPLIES = 1
    BROADCASTS = 2


QUEUED = text("status = 'queued'")
UNSENT = text("status IN ('queued', 'sending')")
LOST = text("status IN ('sending', 'unknown') AND leased_until IS NOT NULL")


class Message(Identified, Base):
    """A message without channel formatting.

    Text we say is not stored: `content` holds its parts ({"say": phrase} or {"ask": question}),
    rendered when sent or read. `sealed` holds what a person typed, under their key. `seq` is the
    conversation's number when it was queued.
    """

    __tablename__ = "messages"
    __table_args__ = (
        belongs_with_contact("address_id", "addresses"),
        belongs("channel_id", "channels"),
        belongs("flow_version_id", "flow_versions"),
        one_of("direction", Direction),
        one_of("status", MessageStatus),
        one_of("kind", MessageKind),
        Index("ix_messages_claim", "channel_id", "lane", "due_at", "id", postgresql_where=QUEUED),
        Index("ix_messages_lost", "leased_until", postgresql_where=LOST),
        # A hash, because no plan can read one from end to end: see the claim in migration 0003.
        Index("ix_messages_unsent", "contact_id", postgresql_using="hash", postgresql_where=UNSENT),
        Index(
            "ix_messages_provider_id",
            "organisation_id",
            "channel_id",
            "provider_id",
            postgresql_where=text("provider_id IS NOT NULL"),
        ),
        Index(None, "contact_id", "id"),
        Index(None, "expires_at", postgresql_using="brin"),
        {
            "postgresql_with": {
                "fillfactor": 85,
                "autovacuum_vacuum_scale_factor": 0.02,
                "autovacuum_analyze_scale_factor": 0.02,
            }
        },
    )

    contact_id: Mapped[UUID]
    address_id: Mapped[UUID]
    channel_id: Mapped[UUID]
    direction: Mapped[Direction] = mapped_column(Word(Direction))
    status: Mapped[MessageStatus] = mapped_column(Word(MessageStatus))
    lane: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    kind: Mapped[MessageKind | None] = mapped_column(Word(MessageKind))
    content: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    flow_version_id: Mapped[UUID | None]
    question: Mapped[str | None]
    language: Mapped[str]
    sealed: Mapped[bytes | None]
    text_hash: Mapped[bytes | None]
    seq: Mapped[int | None]
    session_id: Mapped[UUID | None]
    edits: Mapped[str | None]
    provider_id: Mapped[str | None]
    due_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    leased_by: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    error_code: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
