"""An attacker who knows all that was told, and how far that pins down what was not.

Stronger than anybody outside: behind every rounded figure the exact count is known to this one,
and which rows exist. What is not known is written as a population of numbers, zero or more, that
agrees with all that was told; a linear program finds the smallest and the largest a hidden cell
can be among these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
WIDE = 10.0
NEARLY = 1e-6


@dataclass
class Attacker:
    """Collects sums over unknown numbers that are known, and asks for the spread of other sums."""

    truth: Vector
    known: dict[tuple[int, ...], None] = field(default_factory=dict)
    equal: dict[tuple[tuple[int, ...], tuple[int, ...]], None] = field(default_factory=dict)
    between: dict[tuple[int, ...], tuple[int, int]] = field(default_factory=dict)
    within: dict[tuple[tuple[int, ...], tuple[int, ...]], None] = field(default_factory=dict)

    def learns(self, unknowns: Sequence[int]) -> None:
        """The sum of these unknowns is told."""
        self.known[tuple(unknowns)] = None

    def bounds(self, unknowns: Sequence[int], low: int, high: int) -> None:
        """The sum of these unknowns is told to lie between two numbers."""
        before = self.between.get(tuple(unknowns), (low, high))
        self.between[tuple(unknowns)] = max(low, before[0]), min(high, before[1])

    def infers(self, some: Sequence[int], others: Sequence[int]) -> None:
        """The two sums are of the same people."""
        self.equal[tuple(some), tuple(others)] = None

    def exceeds(self, some: Sequence[int], others: Sequence[int]) -> None:
        """Whoever is in the second sum is in the first as well."""
        self.within[tuple(some), tuple(others)] = None

    def narrowest(self, hidden: Mapping[str, Sequence[int]]) -> tuple[str, float] | None:
        """Return a hidden sum known to less than ten people, and its width; None if there is none.

        Each solution is a population for every hidden sum at once, so few programs settle many.
        """
        system = self._system()
        targets = {name: list(unknowns) for name, unknowns in hidden.items()}
        low = {name: float(self.truth[of].sum()) for name, of in targets.items()}
        high = dict(low)
        for name, of in targets.items():
            for sign in (-1.0, 1.0):
                if high[name] - low[name] >= WIDE - NEARLY:
                    break
                cost = np.zeros(len(self.truth))
                cost[of] = sign
                found = linprog(cost, **system, method="highs")
                assert found.status in (0, 3), found.message
                if found.status == 3:
                    high[name] = float("inf")
                    break
                for other, unknowns in targets.items():
                    value = float(found.x[unknowns].sum())
                    low[other], high[other] = min(low[other], value), max(high[other], value)
            if high[name] - low[name] < WIDE - NEARLY:
                return name, high[name] - low[name]
        return None

    def _system(self) -> dict[str, csr_matrix | Vector | None]:
        entries: list[tuple[int, int, float]] = []
        for row, unknowns in enumerate(self.known):
            entries += [(row, one, 1.0) for one in unknowns]
        for row, (some, others) in enumerate(self.equal, start=len(self.known)):
            entries += [(row, one, 1.0) for one in some] + [(row, one, -1.0) for one in others]
        if not entries:
            return self._bounded()
        at, of, values = zip(*entries, strict=True)
        shape = (len(self.known) + len(self.equal), len(self.truth))
        rows = csr_matrix((values, (at, of)), shape=shape)
        known: dict[str, csr_matrix | Vector | None] = {"A_eq": rows, "b_eq": rows @ self.truth}
        return known | self._bounded()

    def _bounded(self) -> dict[str, csr_matrix | Vector | None]:
        limits = [
            limit
            for unknowns, (low, high) in self.between.items()
            for limit in (
                (dict.fromkeys(unknowns, 1.0), high),
                (dict.fromkeys(unknowns, -1.0), -low),
            )
        ]
        for some, others in self.within:
            row = dict.fromkeys(others, 1.0)
            for one in some:
                row[one] = row.get(one, 0.0) - 1.0
            limits.append((row, 0))
        if not limits:
            return {}
        entries = [
            (at, of, value) for at, (row, _) in enumerate(limits) for of, value in row.items()
        ]
        at, of, values = zip(*entries, strict=True)
        rows = csr_matrix((values, (at, of)), shape=(len(limits), len(self.truth)))
        return {"A_ub": rows, "b_ub": np.array([limit for _, limit in limits], dtype=np.float64)}
