"""The tables of an ask, live and at its end: answers by what was declared, and all by asker."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from insights.breakdowns import Breakdown, plan
from insights.comparing import rate_rows
from insights.counted import ASKER, RESPONDED, UNKNOWN, VARIABLES, Counts, Place, Tallied
from insights.living import GROWTH, Living, at_the_end, size, told_at
from insights.results import Ledger, Rows
from insights.tables import OTHER, Block, Line, Table, gathered, people, shape, with_other

TRIED = (1, 2, 4, 8, 16, 32)
"""Which of the states of a line are looked at for one that may be told by rows, from the newest."""


def rows(
    counts: Counts,
    declared: Sequence[Sequence[str]],
    questions: Sequence[Tallied],
    ledger: Ledger,
) -> Iterator[Rows]:
    """Yield what is told by rows of every line that was told whole."""
    for one in plan(declared, VARIABLES):
        yield from _by(counts, one, questions, ledger)


def live(
    counts: Counts, declared: Sequence[Sequence[str]], question: Tallied, ledger: Ledger
) -> Mapping[str, Living]:
    """Return what may be told of a question by each first variable while people answer.

    The question is the only one that is counted, and one option answers it.
    """
    found = dict(ledger.living)
    for one in plan(declared, VARIABLES):
        told = _live_by(counts, one.first, question, ledger)
        if told is not None:
            found[one.first] = told
    return found


def _live_by(counts: Counts, variable: str, question: Tallied, ledger: Ledger) -> Living | None:
    last = ledger.living.get(variable)
    since, least = (last.states[-1][0], size(last.states[-1][1])) if last else (None, 0)
    some = [
        one
        for one in ledger.history
        if (since is None or one.at > since) and people(one.told.line) >= GROWTH * least
    ]
    now = _table(counts, variable, question) if some else {}
    for one in (some[-place] for place in TRIED if place <= len(some)):
        then = _table(counts, variable, question, one.at)
        told = told_at(one.at, then, now, one.told.apart, last)
        if told is not None and _sums(then) == one.told.line:
            return told
    return None


def _table(
    counts: Counts, variable: str, question: Tallied, before: datetime | None = None
) -> Table:
    lines = counts.tables([question], (variable,), before)
    return {place[0]: line for place, line in lines[question.id].items()}


def _sums(table: Table) -> Line:
    found: dict[str, int] = {}
    for line in table.values():
        for option, count in line.items():
            found[option] = found.get(option, 0) + count
    return found


def live_rows(question: str, ledger: Ledger) -> list[Rows]:
    """Return what was told last by rows while people answered."""
    return [_living_rows(question, name, told) for name, told in ledger.living.items()]


def _living_rows(question: str, variable: str, told: Living) -> Rows:
    at, table = told.states[-1]
    return Rows(variable, None, question, told.merged(table), told.shape, at)


def rates(invited: Table) -> Rows | None:
    """Return what is told of how far the invited came by asker."""
    return rate_rows(invited, gathered([invited]))


def by_asker(
    counts: Counts, questions: Sequence[Tallied], ledger: Ledger, invited: Table, rates: Rows
) -> Iterator[Rows]:
    """Yield what is told by asker of every line, if who answered are those who responded.

    The rows of rates tell how many these are; who answered else would be told by subtraction.
    """
    tables = _by_first(counts, ASKER, questions, ledger)
    if _same_people(tables, invited, rates):
        within = {name: ledger.lines[name].told.apart for name in tables}
        yield from _told(ASKER, None, tables, within)


def _same_people(tables: Mapping[str, Table], invited: Table, rates: Rows) -> bool:
    """Whether all rates are told, by the same rows, and each responded by answering everything."""
    small = gathered(tuple(tables.values()))
    all_told = set(rates.shape.full) == set(rates.table) and RESPONDED in rates.shape.apart
    here = set(rates.table) - {OTHER}
    same_rows = UNKNOWN not in small and here == set(invited) - small
    return (
        all_told
        and same_rows
        and all(
            people(table.get(row, {})) == line[RESPONDED]
            for table in tables.values()
            for row, line in invited.items()
        )
    )


def _by_first(
    counts: Counts, variable: str, questions: Sequence[Tallied], ledger: Ledger
) -> Mapping[str, Table]:
    lines = _whole(counts.tables(questions, (variable,)), ledger)
    return {name: {place[0]: line for place, line in of.items()} for name, of in lines.items()}


def _by(
    counts: Counts, one: Breakdown, questions: Sequence[Tallied], ledger: Ledger
) -> Iterator[Rows]:
    tables = _by_first(counts, one.first, questions, ledger)
    above = list(_first(one.first, tables, ledger))
    yield from above
    if any(told.at is not None for told in above):
        return
    for second in one.seconds:
        lines = counts.tables(questions, (one.first, second))
        for row in dict.fromkeys(row for told in above for row in told.shape.full if row != OTHER):
            within = {told.line: told.shape.apart for told in above if row in told.shape.full}
            inside = {
                name: {place[1]: line for place, line in of.items() if place[0] == row}
                for name, of in lines.items()
                if name in within
            }
            yield from _told(second, (one.first, row), inside, within)


def _first(variable: str, tables: Mapping[str, Table], ledger: Ledger) -> Iterator[Rows]:
    """The rows of a first variable; where some were told before the end, in accord with these."""
    last = ledger.living.get(variable)
    if last is None:
        within = {name: ledger.lines[name].told.apart for name in tables}
        yield from _told(variable, None, tables, within)
        return
    question = next(iter(ledger.lines))
    table = tables.get(question)
    told = at_the_end(table, ledger.lines[question].told.apart, last) if table else None
    if table is None or told is None:
        yield _living_rows(question, variable, last)
    else:
        yield Rows(variable, None, question, told.merged(table), told.shape)


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
