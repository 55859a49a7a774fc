"""What came of an ask as people read it in a chat: figures that left by the gate, in a line.

`Findings` holds, in one process, the last release of each ask; it is read anew every few seconds at
most, so that a message which tells figures costs the message path no statement of its own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from flows.flow import Flow
from flows.questions.base import Question
from flows.wording import phrase
from models.ask import AskMode, AskStatus
from models.db import transaction
from models.publication import Publication
from models.walls import organisation_of
from services.catalogue import Asked, Catalogue

READ_EVERY: Final = timedelta(seconds=10)
MOST: Final = 7
"""How many options a line of figures names at most; fewer where there is less room."""

Document = Mapping[str, Any]
Releases = Mapping[UUID, Document]


@dataclass(slots=True)
class _Kept:
    read_at: datetime | None = None
    told: dict[UUID, Document] = field(default_factory=dict)


class Findings:
    """The last release of every ask, for one process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: dict[UUID, _Kept] = {}

    def of(self, catalogue: Catalogue, now: datetime) -> Releases:
        """Return what was released of an organisation's asks; a final one is read once."""
        kept = self._kept.setdefault(catalogue.organisation_id, _Kept())
        if kept.read_at is not None and now < kept.read_at + READ_EVERY:
            return kept.told
        kept.read_at = now
        wanted = [one.id for one in catalogue.asks.values() if _may_move(one, kept.told)]
        if wanted:
            with transaction(self._engine, catalogue.organisation_id) as db:
                kept.told |= newest(db, wanted)
        return kept.told


def _may_move(ask: Asked, told: Releases) -> bool:
    """Whether figures of an ask may have been released since; of a secret one only the last are."""
    if ask.status is AskStatus.OPEN:
        return ask.mode is AskMode.NAMED
    return ask.status is AskStatus.CLOSED and not told.get(ask.id, {}).get("final")


def newest(db: Session, ask_ids: list[UUID]) -> dict[UUID, Document]:
    """Return the last release of each of these asks that has one."""
    rows = db.execute(
        select(Publication.ask_id, Publication.released)
        .where(Publication.organisation_id == organisation_of(db), Publication.ask_id.in_(ask_ids))
        .ext(distinct_on(Publication.ask_id))
        .order_by(Publication.ask_id, Publication.number.desc())
    )
    return {row.ask_id: row.released for row in rows}


def longest(told: Document | None, flow: Flow, language: str, fits: Callable[[str], bool]) -> str:
    """Return the figures with as many options as fit, one at least; empty if none may leave."""
    for most in range(MOST, 1, -1):
        line = figures(told, flow, language, most)
        if not line or fits(line):
            return line
    return figures(told, flow, language, 1)


def figures(told: Document | None, flow: Flow, language: str, most: int = MOST) -> str:
    """Return the main figures of a release in a line: the first question that tells any.

    The `most` largest options with their shares, the others together, and how many people
    answered; empty when the gate lets none leave. The others are what is left of 100 %, so they
    tell nothing that the shares beside them do not.
    """
    found = next(_told(told, flow), None) if told else None
    if found is None:
        return ""
    question, row = found
    shown = [one for one in row["options"] if one["share"] is not None]
    shown.sort(key=lambda one: -one["share"])
    named = [(question.label(one["value"], language), one["share"]) for one in shown[:most]]
    rest = 100 - sum(share for _, share in named)
    if len(named) < len(row["options"]) and rest > 0 and question.type != "multi":
        named.append((phrase("figure_others", language), rest))
    joint = f"{phrase('comma', language)} "
    shares = joint.join(
        phrase("figure", language).format(option=label, share=share) for label, share in named
    )
    return phrase("figures", language).format(shares=shares, count=row["of"])


def _told(told: Document, flow: Flow) -> Iterator[tuple[Question, Document]]:
    """Questions that everybody was asked and of which something is told, in their order."""
    for row in told["questions"]:
        question = flow.question(row["id"])
        if question is None or question.when is not None:
            continue
        if any(one["share"] is not None for one in row["options"]):
            yield question, row
