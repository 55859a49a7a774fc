"""A consulate inside an organisation."""

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Json, of_organisation


class Office(Identified, Base):
    """An office: the name on messages, the countries it serves (ISO alpha-2), its zone and hours.

    `hours` maps a weekday ("mon") to [["09:00", "12:30"], …] in the office's zone.
    """

    __tablename__ = "offices"
    __table_args__ = (of_organisation(),)

    name: Mapped[str]
    countries: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    time_zone: Mapped[str]
    hours: Mapped[Json] = mapped_column(server_default=text("'{}'"))
