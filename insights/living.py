"""Breakdowns while people answer, so that no two of them give what one hides (ADR 17).

A table is told as of a moment at which its line was told, with ten later answers in every told
block. What lies between two such moments, and after the last, are tables too; each must be one that
might be told alone, in the finest shape that was ever told. So the shape stays once it is told,
and is told only if that costs nothing of what could be told if the ask ended now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from insights.disclosure import RULE, Rule
from insights.tables import (
    OTHER,
    Block,
    Shape,
    Table,
    blocks,
    gathered,
    people,
    shape,
    shape_of_all,
    told_apart,
    with_other,
)

GROWTH = 1.5
"""How many times as many people a table must have as the one told before."""


@dataclass(frozen=True, slots=True)
class Living:
    """What was told by the rows of a variable: exact tables by moment, which stay inside.

    `rows` are told by their names; all others are one, also those that come later.
    """

    rows: tuple[str, ...]
    shape: Shape
    states: tuple[tuple[datetime, Table], ...]

    def to_json(self) -> list[Any]:
        """Return it as JSON takes it."""
        states = [[at.isoformat(), table] for at, table in self.states]
        return [list(self.rows), list(self.shape.apart), list(self.shape.full), states]

    @classmethod
    def from_json(cls, kept: list[Any]) -> "Living":
        """Return what `to_json` gave."""
        rows, apart, full, states = kept
        return cls(
            tuple(rows),
            Shape(tuple(apart), tuple(full)),
            tuple((datetime.fromisoformat(at), table) for at, table in states),
        )

    def merged(self, table: Table) -> Table:
        """Return a table with the rows as they are told."""
        return with_other(table, [row for row in table if row not in self.rows])


def told_at(
    at: datetime, then: Table, now: Table, apart: Block, last: Living | None, rule: Rule = RULE
) -> Living | None:
    """Return what may be told of the state `then`, of which `apart` was told by its line."""
    before = last.states if last else ()
    parts = _between([*(table for _, table in before), then, now])
    if parts is None:
        return None
    if last is not None:
        grown = size(then) >= GROWTH * size(before[-1][1])
        states = (*before, (at, then))
        return Living(last.rows, last.shape, states) if grown and _safe(parts, last, rule) else None
    small = gathered(parts, rule)
    kept = shape_of_all([with_other(one, small) for one in parts], apart, rule)
    rows = tuple(row for row in now if row not in small)
    nothing = not rows or not kept.full or len(now) < 2
    if nothing or _cells(kept) < _cells(_alone(now, rule)):
        return None
    return Living(rows, kept, ((at, then),))


def at_the_end(now: Table, apart: Block, last: Living, rule: Rule = RULE) -> Living | None:
    """Return the rows and the shape of the end: finer than before if that is safe.

    None when only what was told last may stand: very few came after, or answers were taken back.
    """
    parts = _between([*(table for _, table in last.states), now])
    if parts is None or not set(last.shape.apart) <= set(apart):
        return None
    small = gathered(parts, rule)
    kept = shape_of_all([with_other(one, small) for one in parts], apart, rule)
    finer = Living(tuple(row for row in now if row not in small), kept, last.states)
    if _refines(finer, last, now) and _cells(kept) >= _cells(last.shape):
        return finer
    return last if _safe(parts, last, rule) else None


def size(table: Table) -> int:
    """Return how many people a table is of."""
    return sum(people(line) for line in table.values())


def _alone(now: Table, rule: Rule) -> Shape:
    """What could be told if the ask ended now and nothing had been told before."""
    merged = with_other(now, gathered([now], rule))
    line: dict[str, int] = {}
    for row in now.values():
        for option, count in row.items():
            line[option] = line.get(option, 0) + count
    apart = told_apart(line, rule)
    return Shape((), ()) if apart is None else shape(merged, apart, rule)


def _cells(told: Shape) -> int:
    return len(told.full) * len(told.apart)


def _between(states: Sequence[Table]) -> list[Table] | None:
    """The people who came between each two states; None if somebody went or changed."""
    rows = dict.fromkeys(row for table in states for row in table)
    options = next((tuple(line) for table in states for line in table.values()), ())
    none = dict.fromkeys(options, 0)
    whole = [{row: table.get(row, none) for row in rows} for table in states]
    empty: Table = dict.fromkeys(rows, none)
    found: list[Table] = [
        {row: {one: after[row][one] - before[row][one] for one in options} for row in rows}
        for before, after in pairwise([empty, *whole])
    ]
    lost = any(count < 0 for table in found for line in table.values() for count in line.values())
    return None if lost else found


def _safe(parts: Sequence[Table], told: Living, rule: Rule) -> bool:
    """Whether each of these could be told in this shape."""
    return all(_may_tell(told.merged(one), told, set(one) - set(told.rows), rule) for one in parts)


def _may_tell(table: Table, told: Living, others: set[str], rule: Rule) -> bool:
    if len(others) == 1 or any(people(line) < rule.fewest for line in table.values()):
        return False
    options = tuple(next(iter(table.values())))
    shown = blocks(options, told.shape.apart)
    heap = [line for row, line in table.items() if row not in told.shape.full]
    sums = [[people(table[row], one) for one in shown] for row in told.shape.full if row in table]
    if heap:
        sums.append([sum(people(line, one) for line in heap) for one in shown])
    return len(heap) != 1 and all(count >= rule.fewest for line in sums for count in line)


def _refines(finer: Living, last: Living, now: Table) -> bool:
    """Whether all that was told follows from the finer shape."""
    if not set(last.rows) <= set(finer.rows):
        return False
    full = set(last.shape.full) - {OTHER}
    if OTHER in last.shape.full:
        full |= set(finer.merged(now)) - set(last.rows)
    return full <= set(finer.shape.full) and set(last.shape.apart) <= set(finer.shape.apart)
