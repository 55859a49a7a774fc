"""A person we talk with, and the one row that says where the conversation stands."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Json, Owned, Word, belongs, of_organisation, one_of


class ContactStatus(StrEnum):
    """Whether a contact may be written to; a merged one lives on under `merged_into`."""

    ACTIVE = "active"
    STOPPED = "stopped"
    MERGED = "merged"


class Contact(Identified, Base):
    """A person: an id, a data key and no name. Deleting the row deletes every row of the person.

    `origin` holds how they came: entry code, relay, asker.
    """

    __tablename__ = "contacts"
    __table_args__ = (
        of_organisation(),
        belongs("office_id", "offices"),
        belongs("merged_into", "contacts", cascade=True),
        one_of("status", ContactStatus),
        Index(
            None, "organisation_id", "merged_into", postgresql_where=text("merged_into IS NOT NULL")
        ),
        {"postgresql_with": {"fillfactor": 80}},
    )

    wrapped_key: Mapped[bytes]
    language: Mapped[str]
    office_id: Mapped[UUID | None]
    status: Mapped[ContactStatus] = mapped_column(
        Word(ContactStatus), server_default=text("'active'")
    )
    stopped_at: Mapped[datetime | None]
    merged_into: Mapped[UUID | None]
    origin: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Conversation(Owned, Base):
    """Where the talk with one contact stands; whoever moves it raises `seq`.

    One row for each contact, with or without a session: it is the lock of the conversation. `state`
    is what the engine needs and what was paused for an aside; null when nothing waits. `window_*`
    counts replies, `tags` the sessions begun, from which payload tags are made. `case_id` is the
    person's case while it is not closed.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        belongs("contact_id", "contacts", cascade=True),
        {"postgresql_with": {"fillfactor": 80}},
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(server_default=text("0"))
    state: Mapped[Json | None]
    session_id: Mapped[UUID | None]
    window_started_at: Mapped[datetime | None]
    window_replies: Mapped[int] = mapped_column(server_default=text("0"))
    tags: Mapped[int] = mapped_column(server_default=text("0"))
    updated_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    case_id: Mapped[UUID | None]
