"""What a number must be before it leaves: the one rule for every figure about people.

Nothing below 10; a hidden cell is null with its reason; no hidden cell is what is left over when
the shown ones are taken from their sum; counts to 5 below 500, exact from there; shares in whole
percent of what is shown. Callers of `release` say which counts add up to which, and hand out
nothing but what it gives back. Asks, which are told more than once and by breakdowns, go through
tables.py and publishing.py, which say what may be told, and `figure` here.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Generic, TypeVar

Cell = TypeVar("Cell", bound=Hashable)


class Reason(StrEnum):
    """Why a figure is null."""

    FEW = "fewer_than_10"
    PROTECTS = "protects_another"
    HEAPED = "fewer_than_10_here_or_beside"
    WAITS = "waits_for_more_answers"
    AT_CLOSE = "told_at_close"
    ROLE = "needs_audiences_count"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it may leave; `value` is None where `reason` says why.

    `share` is in whole percent, where the number is part of another.
    """

    value: int | None
    reason: Reason | None = None
    share: int | None = None


@dataclass(frozen=True, slots=True)
class Sum(Generic[Cell]):
    """A total and the parts that make it up exactly.

    With `nobody` it may be told by subtraction that nobody is in the hidden parts.
    """

    total: Cell
    parts: tuple[Cell, ...]
    nobody: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """How few are too few, and from where counts are exact."""

    fewest: int = 10
    exact_from: int = 500
    step: int = 5


RULE: Final = Rule()


def release(
    counts: Mapping[Cell, int],
    sums: Iterable[Sum[Cell]] = (),
    earlier: Mapping[Cell, int] = MappingProxyType({}),
    rule: Rule = RULE,
) -> dict[Cell, Figure]:
    """Return every count as it may leave; `sums` name all totals that leave with their parts.

    `earlier` are counts that left before: no difference from these may be of few people either.
    """
    grown = {cell: abs(count - earlier.get(cell, 0)) for cell, count in counts.items()}
    few = {cell for cell, count in counts.items() if count < rule.fewest}
    few |= {cell for cell in earlier if 0 < grown.get(cell, 0) < rule.fewest}
    hidden = set(few)
    sums = tuple(sums)
    tables = (counts, grown)
    while more := [cell for each in sums if (cell := _given_away(each, tables, hidden, rule))]:
        hidden.update(more)
    return {
        cell: Figure(None, Reason.FEW if cell in few else Reason.PROTECTS)
        if cell in hidden
        else Figure(_rounded(count, rule))
        for cell, count in counts.items()
    }


def release_measure(value: float | None, people: int, rule: Rule = RULE) -> Figure:
    """Return a median or mean, in whole units, as it may leave: it is of at least ten people."""
    if value is None or people < rule.fewest:
        return Figure(None, Reason.FEW)
    return Figure(round(value))


def figure(count: int, of: int | None = None, rule: Rule = RULE) -> Figure:
    """Return a count that may be told as it leaves, with its share of a total that is told too.

    The share is worked out from the two rounded numbers, so it tells nothing they do not.
    """
    value = _rounded(count, rule)
    if of is None:
        return Figure(value)
    whole = _rounded(of, rule)
    return Figure(value, share=min(100, (200 * value + whole) // (2 * whole)))


def _given_away(
    each: Sum[Cell],
    tables: Sequence[Mapping[Cell, int]],
    hidden: set[Cell],
    rule: Rule,
) -> Cell | None:
    """Return what must be hidden too, if taking the shown from the sum would tell what is hidden.

    With a shown total, what is hidden below it must be two cells or more, and not few people, nor
    few new ones; with a hidden total, one hidden part keeps it from being added up.
    """
    behind = [part for part in each.parts if part in hidden]
    if each.total in hidden:
        safe = bool(behind) or not each.parts
    else:
        people, new = (sum(table[part] for part in behind) for table in tables)
        if each.nobody and people == new == 0:
            return None
        safe = not behind or (
            len(behind) > 1 and people >= rule.fewest and (new == 0 or new >= rule.fewest)
        )
    if safe:
        return None
    shown = [part for part in each.parts if part not in hidden]
    return min(shown, key=tables[0].__getitem__) if shown else each.total


def _rounded(count: int, rule: Rule) -> int:
    if count >= rule.exact_from:
        return count
    return (count + rule.step // 2) // rule.step * rule.step
