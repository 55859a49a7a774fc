"""What of a table is told, so that nothing told gives away a cell of fewer than ten people.

A table has a line for each row, with the people of each option; every person stands in one cell.
Cells are not blotted out one by one: options that cannot be told are one *heap*, rows that cannot
be told are another, and what is told of a heap is of ten people or more. Inside a heap people can
be exchanged without any told figure moving, ten of them at least; that is the whole protection,
and it holds for who knows the exact count behind every rounded one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from insights.disclosure import RULE, Rule

Line = Mapping[str, int]
Table = Mapping[str, Line]
Block = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What is told of a table.

    `apart` are the options told one by one, `full` the rows told by these options, `sized` the rows
    of which only the number of people is told. The other options are one heap, and so are all rows
    but the full ones; inside that heap, so are all but the sized ones.
    """

    apart: Block
    full: Block
    sized: Block


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


def told_apart(line: Line, rule: Rule = RULE) -> Block | None:
    """Return as many options as may be told one by one; None if not even their n may be."""
    order = in_order(line)
    choices = (order[:many] for many in range(len(order), -1, -1))
    return next((apart for apart in choices if may_tell(line, apart, rule)), None)


def shape(table: Table, within: Block, rule: Rule = RULE) -> Shape:
    """Return what is told of a table whose sum over the rows tells the options `within` apart.

    Of all numbers of options that can be told it takes the one with most cells to show.
    """
    options = tuple(next(iter(table.values()), {}))
    found = Shape((), (), ())
    for many in range(len(within), 0, -1):
        apart = within[:many]
        if len(options) - many == 1:
            continue
        full = _full(table, blocks(options, apart), rule)
        if len(full) * many > len(found.full) * len(found.apart):
            found = Shape(apart, full, ())
    return Shape(found.apart, found.full, _sized(table, found.full, rule))


def _full(table: Table, told: Sequence[Block], rule: Rule) -> Block:
    """Return the rows whose every block may be told, so that the other rows together may be too."""

    def enough(rows: Iterable[str]) -> bool:
        lines = [table[row] for row in rows]
        return all(sum(people(line, one) for line in lines) >= rule.fewest for one in told)

    rows = sorted((row for row in table if enough([row])), key=lambda row: _least(table[row], told))
    while rows and len(table) > len(rows):
        heap = [row for row in table if row not in rows]
        if len(heap) > 1 and enough(heap):
            break
        del rows[0]
    return tuple(row for row in table if row in rows)


def _least(line: Line, told: Sequence[Block]) -> tuple[int, int]:
    return people(line), min(people(line, one) for one in told)


def _sized(table: Table, full: Block, rule: Rule) -> Block:
    """Return the rows beside the full ones of which at least the number of people is told."""
    sizes = {row: people(line) for row, line in table.items() if row not in full}
    told = sorted(
        (row for row, size in sizes.items() if size >= rule.fewest), key=sizes.__getitem__
    )
    while told and len(sizes) > len(told):
        heap = [row for row in sizes if row not in told]
        if len(heap) > 1 and sum(sizes[row] for row in heap) >= rule.fewest:
            break
        del told[0]
    return tuple(row for row in sizes if row in told)
