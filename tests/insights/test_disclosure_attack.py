"""A thousand made-up asks against the attacker: what is hidden stays hidden, ten people wide.

Each ask has its options, its declared breakdowns, its people in the order they answer, readings
while it runs and its end. Four gates with a fault each show that the attacker would find one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from insights.disclosure import RULE
from insights.living import Living
from insights.publishing import Told
from insights.tables import (
    Block,
    Line,
    Shape,
    Table,
    gathered,
    may_tell,
    people,
    shape,
    told_apart,
    with_other,
)
from tests.insights.asked import Ask, Gate, Secrets, made_up

ASKS, AT_ONCE = 1000, 50
WATCHED, MOST, READS = 150, 3000, 25
"""Large asks with breakdowns at which many look while people answer."""


@pytest.mark.parametrize("first", range(0, ASKS, AT_ONCE))
def test_no_hidden_cell_is_known_to_less_than_ten_people(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        secrets = Secrets(made_up(seed, Gate()))
        assert secrets.attacker.narrowest(secrets.hidden()) is None, f"ask {seed}"


@pytest.mark.parametrize("first", range(0, WATCHED, AT_ONCE))
def test_no_hidden_cell_of_a_breakdown_that_moves_is_known(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        secrets = Secrets(made_up(seed, Gate(), MOST, READS))
        assert secrets.attacker.narrowest(secrets.hidden()) is None, f"ask {seed}"


def without_heaps(now: Line, last: Told | None) -> Told | None:
    if people(now) < RULE.fewest:
        return None
    return Told(now, tuple(option for option in now if now[option] >= RULE.fewest))


def without_heaps_of_rows(table: Table, within: Block) -> Shape:
    return Shape(within, tuple(row for row in table if may_tell(table[row], within)))


def _small(table: Table) -> list[str]:
    return [row for row, line in table.items() if people(line) < RULE.fewest]


def at_every_answer(
    line: Line, newest: Mapping[str, Sequence[datetime]], last: Told | None
) -> datetime | None:
    times = [time for some in newest.values() for time in some]
    return max(times) + timedelta(microseconds=1) if times else None


def by_any_number(then: Line, now: Line, last: Told | None) -> Told | None:
    apart = told_apart(then)
    return None if apart is None or (last and last.line == then) else Told(then, apart)


@pytest.mark.parametrize(
    "faulty",
    [
        pytest.param(Gate(closed=without_heaps), id="no complement among options"),
        pytest.param(Gate(shape=without_heaps_of_rows), id="no complement among rows"),
        pytest.param(
            Gate(gathered=lambda tables: frozenset(_small(tables[0]))),
            id="no complement among sizes of rows",
        ),
        pytest.param(
            Gate(
                moment=at_every_answer,
                moved=by_any_number,
                closed=lambda now, last: by_any_number(now, now, last),
            ),
            id="figures that move with every answer",
        ),
    ],
)
def test_the_attacker_finds_the_fault_of(faulty: Gate) -> None:
    asks = (Secrets(made_up(seed, faulty)) for seed in range(60))
    assert any(ask.attacker.narrowest(ask.hidden()) for ask in asks)


def whatever_is_large(
    at: datetime, then: Table, now: Table, apart: Block, last: Living | None
) -> Living | None:
    """A table told as if it were the only one ever told."""
    if not then:
        return None
    small = gathered([then])
    kept = shape(with_other(then, small), apart)
    rows = tuple(row for row in then if row not in small)
    states = (*(last.states if last else ()), (at, then))
    return Living(rows, kept, states) if rows and kept.full else None


def test_the_attacker_finds_the_fault_of_tables_that_do_not_know_each_other() -> None:
    faulty = Gate(told_at=whatever_is_large)
    asks = (Secrets(made_up(seed, faulty, MOST, READS)) for seed in range(60))
    assert any(ask.attacker.narrowest(ask.hidden()) for ask in asks)


def test_breakdowns_move_and_the_end_tells_nearly_as_much() -> None:
    seeds = range(60)
    told = [made_up(seed, Gate(), MOST, READS) for seed in seeds]
    at_close = Gate(told_at=lambda *_: None)
    waited = [made_up(seed, at_close, MOST, READS) for seed in seeds]
    assert sum(bool(ask.live) for ask in told) > len(told) / 2
    both = [share(cells(ask, first=True) for ask in some) for some in (told, waited)]
    assert both[0] > 0.9 * both[1]


def test_most_of_a_large_ask_is_told() -> None:
    asks = [ask for ask in (made_up(seed, Gate()) for seed in range(300)) if len(ask.people) > 300]
    ends = [ask.told[-1][1] for ask in asks]
    assert share((len(end.apart), enough(end.line)) for end in ends) > 0.95
    assert share(cells(ask, first=True) for ask in asks) > 0.7
    assert share(cells(ask, first=False) for ask in asks) > 0.5
    assert sum(len(ask.told) > 2 for ask in asks) > len(asks) / 2


def share(counts: Iterable[tuple[int, int]]) -> float:
    told, tellable = map(sum, zip(*counts, strict=True))
    return told / tellable


def enough(line: Line) -> int:
    return sum(count >= RULE.fewest for count in line.values())


def cells(ask: Ask, *, first: bool) -> tuple[int, int]:
    """Cells told, and cells of ten people or more, by first variables or by second ones."""
    tables = [one for (parent, _), one in ask.tables.items() if (parent is None) is first]
    told = sum(len(one.kept.full) * len(one.kept.apart) for one in tables)
    return told, sum(enough(line) for one in tables for line in one.table.values())
