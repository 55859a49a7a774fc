"""How many people there are of each kind, as an attacker writes it down: unknown, but for sums.

People are told apart in several ways at once (by their steps, by what they answered when, by rows);
each way is a table of its own. A kind is a tuple; `those` finds the unknowns of kinds that are
wanted, by conditions on its places.
"""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable
from typing import Any

Kind = tuple[Any, ...]
Wanted = Callable[[Kind], bool]


def at(place: int, value: Hashable) -> Wanted:
    return lambda kind: bool(kind[place] == value)


def among(place: int, values: Collection[Hashable]) -> Wanted:
    return lambda kind: kind[place] in values


def by(place: int, last: int) -> Wanted:
    return lambda kind: bool(kind[place] <= last)


def between(place: int, first: int, end: int) -> Wanted:
    """From the first on, before the end."""
    return lambda kind: bool(first <= kind[place] < end)


def but(wanted: Wanted) -> Wanted:
    return lambda kind: not wanted(kind)


class Unknowns:
    """The tables, with the true numbers behind them."""

    def __init__(self) -> None:
        self.kinds: list[Kind] = []
        self.truth: list[int] = []
        self.tables: dict[str, list[int]] = {}

    def add(self, table: str, possible: Iterable[Kind], people: Iterable[Kind | None]) -> None:
        """Write down a table of all kinds that are possible; who is of none is left out."""
        counts = Counter(one for one in people if one is not None)
        first = len(self.kinds)
        self.kinds += possible
        self.truth += [counts.pop(kind, 0) for kind in self.kinds[first:]]
        self.tables[table] = list(range(first, len(self.kinds)))
        assert not counts, f"an attacker would not think of {counts} in {table}"

    def those(self, table: str, *wanted: Wanted) -> list[int]:
        return [
            one for one in self.tables[table] if all(is_so(self.kinds[one]) for is_so in wanted)
        ]

    def sum(self, unknowns: Iterable[int]) -> int:
        return sum(self.truth[one] for one in unknowns)

    def values(self, table: str, place: slice) -> set[Kind]:
        return {self.kinds[one][place] for one in self.tables[table]}
