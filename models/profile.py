"""What is known of a contact in coded form: audiences and insights count from it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Json, Owned, belongs

CORE_QUESTIONS = frozenset({"country", "place", "link", "age_band", "gender", "activity"})
CORE_KINDS = frozenset({"registration", "module"})
"""Questions with a column of their own, in flows of these kinds; all others are in `rest`."""


def is_core(kind: str, question: str) -> bool:
    """Return whether the answer to a question of this kind of flow has a column of its own."""
    return kind in CORE_KINDS and question in CORE_QUESTIONS


class Profile(Owned, Base):
    """One row a contact: the core fields as columns, every other coded answer in `rest`.

    `rest` has the latest answer by "flow.question"; one that is sealed elsewhere as SEALED.
    `consents` holds the purposes granted and not withdrawn; the events that say why are in
    consent_events. `monthly_cap` is how many asks a month the person wants at most.
    """

    __tablename__ = "profiles"
    __table_args__ = (
        belongs("contact_id", "contacts", cascade=True),
        belongs("office_id", "offices"),
        {"postgresql_with": {"fillfactor": 85}},
    )

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    country: Mapped[str | None]
    place: Mapped[str | None]
    region: Mapped[str | None]
    time_zone: Mapped[str | None]
    link: Mapped[str | None]
    age_band: Mapped[str | None]
    gender: Mapped[str | None]
    activity: Mapped[str | None]
    language: Mapped[str | None]
    channel: Mapped[str | None]
    office_id: Mapped[UUID | None]
    consents: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    monthly_cap: Mapped[int] = mapped_column(SmallInteger, server_default=text("2"))
    joined_at: Mapped[datetime]
    registered_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime]
    rest: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    expires_at: Mapped[datetime | None]
