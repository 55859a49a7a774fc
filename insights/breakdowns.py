"""By what an ask is broken down: declared with it, of two variables at most, and never crossing.

A variable is either a first one, by which the answers are told, or a second one, by which each row
of its first is told once more. A second variable has one first and is nowhere else: then two tables
of one ask share nothing but what is told anyway, and neither betrays what the other hides.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class BreakdownsInvalid(ValueError):
    """These breakdowns cannot be told together; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Answers by a first variable, and each of its rows by every second one."""

    first: str
    seconds: tuple[str, ...] = ()


def plan(declared: Sequence[Sequence[str]], known: Iterable[str]) -> tuple[Breakdown, ...]:
    """Return the tables of an ask; each declared breakdown names one variable or two.

    Raises BreakdownsInvalid for what is unknown, repeated, larger, or crosses another breakdown.
    """
    _check(declared, set(known))
    uses = Counter(variable for one in declared for variable in one)
    firsts = {one[0] for one in declared if len(one) == 1}
    firsts |= {variable for variable, times in uses.items() if times > 1}
    named = dict.fromkeys(variable for one in declared for variable in one)
    seconds: dict[str, list[str]] = {one: [] for one in named if one in firsts}
    for pair in (one for one in declared if len(one) > 1):
        first, second = pair if pair[0] in firsts or pair[1] not in firsts else (pair[1], pair[0])
        if second in firsts:
            raise BreakdownsInvalid(
                f"{first} by {second} cannot be told when both are also told elsewhere: the tables "
                f"together would give away single people. Leave out one of them."
            )
        seconds.setdefault(first, []).append(second)
    return tuple(Breakdown(first, tuple(then)) for first, then in seconds.items())


def _check(declared: Sequence[Sequence[str]], known: set[str]) -> None:
    for one in declared:
        if not 1 <= len(one) <= 2 or len(set(one)) < len(one):
            raise BreakdownsInvalid("A breakdown names one variable, or two different ones.")
        if unknown := [variable for variable in one if variable not in known]:
            raise BreakdownsInvalid(
                f"Nothing can be told by {unknown[0]}. There are: {', '.join(sorted(known))}."
            )
    if len({frozenset(one) for one in declared}) < len(declared):
        raise BreakdownsInvalid("A breakdown is declared twice.")
