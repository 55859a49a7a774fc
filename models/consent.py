"""What a contact allowed, refused and withdrew, with the wording they saw."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Word, belongs, one_of


class ConsentAction(StrEnum):
    """What happened to a purpose."""

    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ConsentEvent(Identified, Base):
    """One append-only entry; the current consents are the last entry of each purpose.

    `flow`, `version`, `question` and `text_hash` (SHA-256 of the text as shown) prove the wording;
    `provider_message` is the provider's id of the message that said yes.
    """

    __tablename__ = "consent_events"
    __table_args__ = (
        belongs("contact_id", "contacts", cascade=True),
        Index(None, "contact_id", "id"),
        one_of("action", ConsentAction),
    )

    contact_id: Mapped[UUID]
    purpose: Mapped[str]
    action: Mapped[ConsentAction] = mapped_column(Word(ConsentAction))
    flow: Mapped[str | None]
    version: Mapped[int | None]
    question: Mapped[str | None]
    text_hash: Mapped[bytes | None]
    language: Mapped[str]
    channel_kind: Mapped[str]
    provider_message: Mapped[str | None]
    at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
