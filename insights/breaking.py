"""The tables of an ask at its end: answers by what was declared, and all of it by asker."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from insights import tallies
from insights.breakdowns import Breakdown, plan
from insights.comparing import RATES, rate_rows
from insights.results import Ledger, Rows
from insights.tables import OTHER, Block, Table, gathered, people, shape, with_other
from insights.tallies import ASKER, VARIABLES, Tallied

KNOWN = (*VARIABLES, ASKER)
Place = tuple[str, ...]


def rows(
    db: Session,
    ask_id: UUID,
    declared: Sequence[Sequence[str]],
    questions: Sequence[Tallied],
    ledger: Ledger,
) -> Iterator[Rows]:
    """Yield what is told by rows of every line that was told whole."""
    for one in plan(declared, KNOWN):
        yield from _by(db, ask_id, one, questions, ledger)


def rates(db: Session, ask_id: UUID) -> Sequence[Rows]:
    """Return what is told of who responded and who came to the end, by asker."""
    found = dict(zip(RATES, tallies.askers(db, ask_id), strict=True))
    small = gathered(tuple(found.values()))
    return [rate_rows(name, table, small) for name, table in found.items() if table]


def _by(
    db: Session, ask_id: UUID, one: Breakdown, questions: Sequence[Tallied], ledger: Ledger
) -> Iterator[Rows]:
    lines = _whole(tallies.tables(db, ask_id, questions, (one.first,)), ledger)
    tables = {name: {place[0]: line for place, line in of.items()} for name, of in lines.items()}
    above = list(
        _told(one.first, None, tables, {name: ledger.lines[name].told.apart for name in tables})
    )
    yield from above
    for second in one.seconds:
        lines = tallies.tables(db, ask_id, questions, (one.first, second))
        for row in dict.fromkeys(row for told in above for row in told.shape.full if row != OTHER):
            within = {told.line: told.shape.apart for told in above if row in told.shape.full}
            inside = {
                name: {place[1]: line for place, line in of.items() if place[0] == row}
                for name, of in lines.items()
                if name in within
            }
            yield from _told(second, (one.first, row), inside, within)


def _whole(
    lines: Mapping[str, Mapping[Place, Mapping[str, int]]], ledger: Ledger
) -> Mapping[str, Mapping[Place, Mapping[str, int]]]:
    """The lines that were told at the end with everybody in them."""
    return {
        name: of
        for name, of in lines.items()
        if name in ledger.lines
        and people(ledger.lines[name].told.line) == sum(people(line) for line in of.values())
    }


def _told(
    by: str,
    parent: tuple[str, str] | None,
    tables: Mapping[str, Table],
    within: Mapping[str, Block],
) -> Iterator[Rows]:
    small = gathered(tuple(tables.values()))
    for name, table in tables.items():
        merged = with_other(table, small)
        if set(merged) != {OTHER}:
            yield Rows(by, parent, name, merged, shape(merged, within[name]))
