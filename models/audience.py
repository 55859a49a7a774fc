"""Saved audiences: a condition over people, each change a new version."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Json, Owned, belongs, of_organisation


class Audience(Identified, Base):
    """A named audience; `version` is the newest."""

    __tablename__ = "audiences"
    __table_args__ = (of_organisation(), UniqueConstraint("organisation_id", "name"))

    name: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]


class AudienceVersion(Owned, Base):
    """One version of an audience's condition; never changes."""

    __tablename__ = "audience_versions"
    __table_args__ = (belongs("audience_id", "audiences"),)

    audience_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    condition: Mapped[Json]
    created_at: Mapped[datetime]
