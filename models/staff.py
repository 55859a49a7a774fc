"""Officers' accounts."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Word, belongs, of_organisation, one_of


class Role(StrEnum):
    """What an officer may do, from everything to reading the log."""

    ADMIN = "admin"
    OFFICER = "officer"
    ANALYST = "analyst"
    AUDITOR = "auditor"


class Staff(Identified, Base):
    """An officer; `email` is sealed with the organisation's key and found by its keyed hash."""

    __tablename__ = "staff"
    __table_args__ = (
        of_organisation(),
        belongs("office_id", "offices"),
        UniqueConstraint("organisation_id", "email_hash"),
        one_of("role", Role),
    )

    email_hash: Mapped[bytes]
    email: Mapped[bytes]
    role: Mapped[Role] = mapped_column(Word(Role))
    office_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
