"""The ledger of numbers that left, and what officers decided about free text."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from models.base import (
    Base,
    Json,
    Owned,
    Word,
    belongs,
    belongs_with_contact,
    of_organisation,
    one_of,
)


class ReviewStatus(StrEnum):
    """What an officer decided about a text; an escalated one has opened a case of its writer."""

    SHOWN = "shown"
    HIDDEN = "hidden"
    ESCALATED = "escalated"


class Publication(Owned, Base):
    """One release of an ask's numbers; the next is protected against all before it.

    `released` is what left, `exact` the counts behind it, sealed with the organisation's key;
    `people` says how many answers it took to count.
    """

    __tablename__ = "publications"
    __table_args__ = (belongs("ask_id", "asks", cascade=True),)

    ask_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    final: Mapped[bool]
    people: Mapped[int]
    released: Mapped[Json]
    exact: Mapped[bytes]
    published_at: Mapped[datetime]


class FunnelRelease(Owned, Base):
    """The last funnel of a flow that left; the next is protected against it.

    `released` is what left, `exact` the counts behind it, sealed with the organisation's key.
    """

    __tablename__ = "funnel_releases"
    __table_args__ = (of_organisation(),)

    flow: Mapped[str] = mapped_column(primary_key=True)
    released: Mapped[Json]
    exact: Mapped[bytes]
    published_at: Mapped[datetime]


class TextReview(Owned, Base):
    """An officer's decision about one free text; a text without one waits."""

    __tablename__ = "text_reviews"
    __table_args__ = (
        belongs_with_contact("session_id", "flow_sessions"),
        one_of("status", ReviewStatus),
    )

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[UUID]
    status: Mapped[ReviewStatus] = mapped_column(Word(ReviewStatus))
    reviewed_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
