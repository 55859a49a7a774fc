"""What of a table is told, so that nothing told gives away a cell of fewer than ten people.

A table has a line for each row, with the people of each option; every person stands in one cell.
Cells are not blotted out one by one: options that cannot be told are one *heap*, rows that cannot
be told are another, and what is told of a heap is of ten people or more. Inside a heap people can
be exchanged without any told figure moving, ten of them at least; that is the whole protection,
and it holds for who knows the exact count behind every rounded one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from insights.disclosure import RULE, Rule

Line = Mapping[str, int]
Table = Mapping[str, Line]
Block = tuple[str, ...]


OTHER: Final = "all_others"


@dataclass(frozen=True, slots=True)
class Shape:
    """What is told of a table, of whose rows all sizes are told.

    `apart` are the options told one by one, `full` the rows told by these options. The other
    options are one heap, and so are the other rows.
    """

    apart: Block
    full: Block


def people(line: Line, block: Iterable[str] | None = None) -> int:
    """Return how many people stand in these options of a line, or in all of them."""
    return sum(line.values() if block is None else (line.get(one, 0) for one in block))


def blocks(options: Iterable[str], apart: Block) -> tuple[Block, ...]:
    """Return what is told of a line: each option of `apart`, then the heap if there is one."""
    heap = tuple(one for one in options if one not in apart)
    return tuple((one,) for one in apart) + ((heap,) if heap else ())


def may_tell(line: Line, apart: Block, rule: Rule = RULE) -> bool:
    """Say whether every told block has enough people, and the heap more than one option."""
    heap = len(line) - len(apart)
    return heap != 1 and all(people(line, one) >= rule.fewest for one in blocks(line, apart))


def in_order(line: Line, first: Sequence[str] = ()) -> Block:
    """Return the options, those of `first` before the others, large ones before small ones."""
    return tuple(sorted(line, key=lambda one: (one not in first, -line[one], one)))


def told_apart(line: Line, rule: Rule = RULE, first: Sequence[str] = ()) -> Block | None:
    """Return as many options as may be told one by one; None if not even their n may be.

    Those of `first` rather than the others, else large ones.
    """
    order = in_order(line, first)
    choices = (order[:many] for many in range(len(order), -1, -1))
    return next((apart for apart in choices if may_tell(line, apart, rule)), None)


def gathered(tables: Sequence[Table], rule: Rule = RULE) -> frozenset[str]:
    """Return the rows too small to be told in one of these tables, which are told as one, OTHER.

    Tables of the same people by the same rows go together: else the size of a small row of one
    would be what the others leave over. There are two such rows or more, or none.
    """
    rows = dict.fromkeys(row for table in tables for row in table)
    sizes = {row: min(people(table.get(row, {})) for table in tables) for row in rows}
    small = {row for row, size in sizes.items() if size < rule.fewest}
    beside = sorted((row for row in sizes if row not in small), key=sizes.__getitem__)
    while small and beside and not _may_heap([sizes[row] for row in small], rule):
        small.add(beside.pop(0))
    return frozenset(small)


def _may_heap(sizes: Sequence[int], rule: Rule) -> bool:
    return len(sizes) > 1 and sum(sizes) >= rule.fewest


def with_other(table: Table, small: Collection[str]) -> Table:
    """Return the table with these rows as one."""
    found = {row: line for row, line in table.items() if row not in small}
    heap = [line for row, line in table.items() if row in small]
    if heap:
        found[OTHER] = {option: sum(line[option] for line in heap) for option in heap[0]}
    return found


def shape(table: Table, within: Block, rule: Rule = RULE) -> Shape:
    """Return what is told of a table whose sum over the rows tells the options `within` apart.

    Of all numbers of options that can be told it takes the one with most cells to show.
    """
    return shape_of_all((table,), within, rule)


def shape_of_all(tables: Sequence[Table], within: Block, rule: Rule = RULE) -> Shape:
    """Return what may be told of each of these tables of the same rows."""
    options = tuple(next(iter(tables[0].values()), {}))
    found = Shape((), ())
    for many in range(len(within), 0, -1):
        if len(options) - many == 1:
            continue
        full = _full(tables, blocks(options, within[:many]), rule)
        if len(full) * many > len(found.full) * len(found.apart):
            found = Shape(within[:many], full)
    return found


def _full(tables: Sequence[Table], told: Sequence[Block], rule: Rule) -> Block:
    """Return the rows whose every block may be told, so that the other rows together may be too."""

    def enough(rows: Sequence[str]) -> bool:
        return all(
            sum(people(table[row], one) for row in rows) >= rule.fewest
            for table in tables
            for one in told
        )

    table = tables[-1]
    rows = sorted((row for row in table if enough([row])), key=lambda row: people(table[row]))
    while rows and len(table) > len(rows):
        heap = [row for row in table if row not in rows]
        if len(heap) > 1 and enough(heap):
            break
        del rows[0]
    return tuple(row for row in table if row in rows)
