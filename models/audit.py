"""What was done by whom, in a chain nobody can quietly mend; and who was erased."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Json, Owned, of_organisation


class AuditEvent(Owned, Base):
    """One link: `hash` is SHA-256 of `previous` and the canonical JSON of the rest. Ids only."""

    __tablename__ = "audit_events"
    __table_args__ = (
        of_organisation(),
        Index(None, "subject_id", postgresql_where=text("subject_kind = 'contact'")),
    )

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID | None]
    detail: Mapped[Json]
    previous: Mapped[bytes]
    hash: Mapped[bytes]


class Tombstone(Owned, Base):
    """The keyed hash of an erased address, replayed when a backup is restored."""

    __tablename__ = "tombstones"
    __table_args__ = (of_organisation(),)

    address_hash: Mapped[bytes] = mapped_column(primary_key=True)
    reason: Mapped[str]
    erased_at: Mapped[datetime]
    expires_at: Mapped[datetime]
