"""When each option of an ask was chosen, by rows: read from the database once for all that is told.

A release counts lines now and at several moments, and tables of each; reading the answers for each
of these costs as much as reading them once. Times are kept as microseconds, eight bytes an answer.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    Subquery,
    case,
    cast,
    column,
    func,
    select,
    union_all,
    values,
)
from sqlalchemy.orm import Session

from insights.counted import ASKER, UNKNOWN, VARIABLES, Newest, Place, Tallied
from insights.disclosure import RULE
from insights.invited import answers_of, invited_to
from insights.tables import Line
from models.flow_session import Answer
from models.profile import Profile
from models.walls import organisation_of

COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = MappingProxyType(
    {name: getattr(Profile, name) for name in VARIABLES if name != "office"}
    | {"office": cast(Profile.office_id, String)}
)
_START: Final = datetime(2000, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Times by line, option and values of `variables`, each in order."""

    variables: tuple[str, ...]
    times: "Mapping[tuple[str, str, Place], array[int]]"

    def lines(
        self, questions: Sequence[Tallied], before: datetime | None = None
    ) -> dict[str, Line]:
        """Return the people of each option by line; with `before` of what was answered then."""
        found = {
            line: dict.fromkeys(options, 0)
            for one in questions
            for line, options in one.lines.items()
        }
        for line, option, _, people in self._counts(questions, before):
            found[line][option] += people
        return {name: dict(line) for name, line in found.items()}

    def newest(self, questions: Sequence[Tallied]) -> Newest:
        """Return when the latest answers of each option were given."""
        found: dict[str, dict[str, list[int]]] = {}
        for (line, option, _), times in self._of(questions):
            found.setdefault(line, {}).setdefault(option, []).extend(times[-RULE.fewest :])
        return {
            line: {
                option: [_START + tick * _TICK for tick in nlargest(RULE.fewest, times)]
                for option, times in of.items()
            }
            for line, of in found.items()
        }

    def tables(
        self,
        questions: Sequence[Tallied],
        variables: Sequence[str],
        before: datetime | None = None,
    ) -> dict[str, dict[Place, dict[str, int]]]:
        """Return the people of each option by line and their values of some of the variables."""
        places = [self.variables.index(name) for name in variables]
        options = {line: of for one in questions for line, of in one.lines.items()}
        found: dict[str, dict[Place, dict[str, int]]] = {line: {} for line in options}
        for line, option, place, people in self._counts(questions, before):
            some = tuple(place[at] for at in places)
            if people:
                row = found[line].setdefault(some, dict.fromkeys(options[line], 0))
                row[option] += people
        return {line: rows for line, rows in found.items() if rows}

    def _of(
        self, questions: Sequence[Tallied]
    ) -> "Iterator[tuple[tuple[str, str, Place], array[int]]]":
        options = {line: of for one in questions for line, of in one.lines.items()}
        for key, times in self.times.items():
            if key[1] in options.get(key[0], ()):
                yield key, times

    def _counts(
        self, questions: Sequence[Tallied], before: datetime | None
    ) -> Iterator[tuple[str, str, Place, int]]:
        end = None if before is None else (before - _START) // _TICK
        for (line, option, place), times in self._of(questions):
            yield line, option, place, len(times) if end is None else bisect_left(times, end)


def chosen(
    db: Session,
    ask_id: UUID,
    passages: CTE,
    questions: Sequence[Tallied],
    variables: tuple[str, ...],
) -> Chosen:
    """Return what was answered in these passages to questions whose options are counted."""
    cells = _cells(passages, questions)
    invited = invited_to(db, ask_id)
    columns = {**COLUMNS, ASKER: invited.c.asker}
    rows = [func.coalesce(columns[name], UNKNOWN).label(name) for name in variables]
    since = cells.c.answered_at - _START
    ticks = cast(func.extract("epoch", since) * 1_000_000, BigInteger)
    query = select(cells.c.line, cells.c.option, func.array_agg(ticks), *rows).select_from(cells)
    if set(variables) - {ASKER}:
        query = query.outerjoin(
            Profile,
            (Profile.organisation_id == organisation_of(db))
            & (Profile.contact_id == cells.c.contact_id),
        )
    if ASKER in variables:
        query = query.outerjoin(invited, invited.c.contact_id == cells.c.contact_id)
    found = db.execute(query.group_by(cells.c.line, cells.c.option, *rows))
    times = {
        (line, option, tuple(place)): array("q", sorted(some))
        for line, option, some, *place in found
    }
    return Chosen(variables, times)


def _cells(passages: CTE, questions: Sequence[Tallied]) -> Subquery:
    """One row a person and line: the option, and when it was answered."""
    found: list[Select[Any] | CompoundSelect[Any]] = []
    common = (Answer.answered_at, passages.c.contact_id)
    single = [one.id for one in questions if not one.many]
    several = [(one.id, option) for one in questions if one.many for option in one.options]
    found.append(
        select(
            Answer.question.label("line"),
            Answer.value[()].astext.label("option"),
            *common,
        )
        .join_from(passages, Answer, answers_of(passages))
        .where(Answer.question.in_(single), ~Answer.skipped, Answer.value.is_not(None))
    )
    if several:
        listed = values(column("question", String), column("option", String), name="listed").data(
            several
        )
        chosen = case((Answer.value.has_key(listed.c.option), "yes"), else_="no")
        found.append(
            select(
                (listed.c.question + "/" + listed.c.option).label("line"),
                chosen.label("option"),
                *common,
            )
            .join_from(passages, Answer, answers_of(passages))
            .join(listed, listed.c.question == Answer.question)
            .where(~Answer.skipped, Answer.value.is_not(None))
        )
    return union_all(*found).subquery("cells")
