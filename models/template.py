"""WhatsApp templates as Twilio knows them: what may be said outside the 24 hours."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Owned, Word, belongs, one_of


class TemplateStatus(StrEnum):
    """How far a template came; only an approved one may be sent."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAUSED = "paused"


class WhatsAppTemplate(Owned, Base):
    """One wording of one template on one channel.

    `digest` is of everything it says: another wording is another template, approved anew. `reason`
    is WhatsApp's word for a refusal.
    """

    __tablename__ = "wa_templates"
    __table_args__ = (
        belongs("channel_id", "channels", cascade=True),
        one_of("status", TemplateStatus),
    )

    channel_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    sid: Mapped[str]
    status: Mapped[TemplateStatus] = mapped_column(Word(TemplateStatus))
    reason: Mapped[str | None]
    created_at: Mapped[datetime]
    checked_at: Mapped[datetime]
