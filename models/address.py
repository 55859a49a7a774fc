"""Where a contact can be reached."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Word, belongs, one_of


class Scheme(StrEnum):
    """The first part of an address."""

    TELEGRAM = "telegram"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    WHATSAPP_ID = "whatsapp-id"
    SIM = "sim"


class AddressStatus(StrEnum):
    """Whether the provider lets us write there."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    DEAD = "dead"
    OPTED_OUT = "opted_out"


class Address(Identified, Base):
    """An address sealed with the person's key and found by its keyed hash.

    `number_hash` is the keyed hash of the bare number: it joins SMS and WhatsApp. `window_until` is
    the end of WhatsApp's service window.
    """

    __tablename__ = "addresses"
    __table_args__ = (
        belongs("contact_id", "contacts", cascade=True),
        belongs("channel_id", "channels"),
        UniqueConstraint("address_hash", "organisation_id"),
        UniqueConstraint("contact_id", "id", "organisation_id"),
        Index(
            None, "number_hash", "organisation_id", postgresql_where=text("number_hash IS NOT NULL")
        ),
        one_of("scheme", Scheme),
        one_of("status", AddressStatus),
        {"postgresql_with": {"fillfactor": 85}},
    )

    contact_id: Mapped[UUID]
    channel_id: Mapped[UUID]
    scheme: Mapped[Scheme] = mapped_column(Word(Scheme))
    address_hash: Mapped[bytes]
    number_hash: Mapped[bytes | None]
    sealed: Mapped[bytes]
    status: Mapped[AddressStatus] = mapped_column(
        Word(AddressStatus), server_default=text("'active'")
    )
    window_until: Mapped[datetime | None]
    last_in_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
