"""What was taken in, and what could not be handled."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Owned, belongs


class Receipt(Owned, Base):
    """The fact that one provider message was taken in, as a keyed hash."""

    __tablename__ = "receipts"
    __table_args__ = (
        belongs("channel_id", "channels"),
        Index(None, "expires_at", postgresql_using="brin"),
    )

    channel_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Quarantined(Identified, Base):
    """A message that failed alone, sealed with the organisation's key until a sweep tries again.

    `address_hash` lets DELETE find it. `next_try_at` is null when no further try is made.
    """

    __tablename__ = "quarantine"
    __table_args__ = (
        belongs("channel_id", "channels"),
        Index(None, "next_try_at", postgresql_where=text("next_try_at IS NOT NULL")),
        Index(None, "organisation_id", "address_hash"),
    )

    channel_id: Mapped[UUID]
    receipt_key: Mapped[bytes]
    address_hash: Mapped[bytes | None]
    sealed: Mapped[bytes]
    error_code: Mapped[str]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    next_try_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
