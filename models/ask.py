"""What is asked of people: why, by whom, until when, and what came of it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Json, Word, belongs, of_organisation, one_of


class AskKind(StrEnum):
    """What kind of flow an ask runs."""

    POLL = "poll"
    CONSULTATION = "consultation"
    NOTICE = "notice"


class AskMode(StrEnum):
    """Whether an answer stays tied to who gave it."""

    NAMED = "named"
    SECRET = "secret"  # noqa: S105 - a word of the design, no password


class AskStatus(StrEnum):
    """How far an ask is; `closing` lasts while results are settled, `canceled` was never closed."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    CANCELED = "canceled"


class AskerKind(StrEnum):
    """Who is named as sender."""

    CONSULATE = "consulate"
    ASSOCIATION = "association"
    LEADER = "leader"
    PEER = "peer"


class Ask(Identified, Base):
    """A poll or a consultation.

    `code` enters it and names its public result; it is unique over all organisations (the door).
    `audience` is the condition that broadcasts go to; `breakdowns` are the lists of one or two
    profile fields declared before opening, the only ones ever shown. `previous_id` is the wave
    before, `quota` the number of answers hoped for. `report_back` holds "what we will do" by
    language; `later_by` is the date promised when that is not known yet. `tally` holds the votes of
    a secret poll by value, counted once at close; `counted_at` is when the figures of many answers
    were last counted.
    """

    __tablename__ = "asks"
    __table_args__ = (
        of_organisation(),
        belongs("flow_version_id", "flow_versions"),
        belongs("office_id", "offices"),
        belongs("previous_id", "asks"),
        UniqueConstraint("organisation_id", "code"),
        one_of("kind", AskKind),
        one_of("mode", AskMode),
        one_of("status", AskStatus),
        Index(
            "ix_asks_running",
            "status",
            "closes_at",
            postgresql_where=text("status IN ('draft', 'open', 'closing')"),
        ),
    )

    code: Mapped[str]
    kind: Mapped[AskKind] = mapped_column(Word(AskKind))
    mode: Mapped[AskMode] = mapped_column(Word(AskMode))
    status: Mapped[AskStatus] = mapped_column(Word(AskStatus))
    flow: Mapped[str]
    flow_version_id: Mapped[UUID]
    office_id: Mapped[UUID | None]
    previous_id: Mapped[UUID | None]
    audience: Mapped[Json | None]
    breakdowns: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    quota: Mapped[int | None]
    opens_at: Mapped[datetime | None]
    not_opened: Mapped[str | None]
    closes_at: Mapped[datetime | None]
    report_back_on: Mapped[date]
    report_back: Mapped[Json | None]
    later_by: Mapped[date | None]
    reported_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    tally: Mapped[Json | None]
    counted_at: Mapped[datetime | None]


class Asker(Identified, Base):
    """One of those an ask may name as its sender; people are divided among them by chance.

    `name` is what members read, by language; `blocks` counts the blocks drawn so far.
    """

    __tablename__ = "askers"
    __table_args__ = (
        belongs("ask_id", "asks", cascade=True),
        one_of("kind", AskerKind),
        UniqueConstraint("ask_id", "position", "organisation_id"),
    )

    ask_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[AskerKind] = mapped_column(Word(AskerKind))
    name: Mapped[Json]
