"""How sure a share is, and whether two shares differ by more than chance.

Intervals are of 95 %: Wilson's score interval for one share (1927), and for the difference of
two independent ones the hybrid of their score intervals (Newcombe 1998, method 10). They are worked
out from figures as they were told, so they tell nothing these do not.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final

NORMAL: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Interval:
    """A share or a difference, as a part of one, with its bounds."""

    value: float
    low: float
    high: float

    @property
    def may_be_chance(self) -> bool:
        """Whether a difference may as well be none."""
        return self.low <= 0 <= self.high


def share(part: int, whole: int) -> Interval:
    """Return the share of a part of one or more people, with Wilson's interval."""
    value = min(1.0, part / whole)
    spread = NORMAL**2 / whole
    middle = (value + spread / 2) / (1 + spread)
    half = sqrt(value * (1 - value) * spread + spread**2 / 4) / (1 + spread)
    return Interval(value, max(0.0, middle - half), min(1.0, middle + half))


def difference(one: Interval, other: Interval) -> Interval:
    """Return by how much the first share is above the second, with Newcombe's interval."""
    value = one.value - other.value
    return Interval(
        value,
        value - sqrt((one.value - one.low) ** 2 + (other.high - other.value) ** 2),
        value + sqrt((one.high - one.value) ** 2 + (other.value - other.low) ** 2),
    )
