"""One data controller, and the wall around everything it knows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Json


class Organisation(Base):
    """An organisation with its wrapped keys.

    `wrapped_key` seals what belongs to no person (credentials), `wrapped_index_key` makes the keyed
    hashes. `catalogue_version` rises with every publication, so that processes notice new flows.
    """

    __tablename__ = "organisations"
    __table_args__ = (CheckConstraint("length(short_name) BETWEEN 1 AND 24", name="short_name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    short_name: Mapped[str]
    default_language: Mapped[str]
    languages: Mapped[list[str]]
    wrapped_key: Mapped[bytes]
    wrapped_index_key: Mapped[bytes]
    catalogue_version: Mapped[int] = mapped_column(server_default=text("0"))
    settings: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime]
