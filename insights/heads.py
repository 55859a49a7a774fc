"""How many people an ask reached and how far they came: what of that may be told together.

Each number is of a group inside another: who read it had got it, who came to the end had begun.
Told together, two of them tell how many are in one and not in the other; so one is left out where
these are one to nine people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from insights.disclosure import RULE, Figure, Reason, figure

HEADS: Final = ("sent", "delivered", "read", "started", "completed", "responded")
INSIDE: Final[tuple[tuple[str, str], ...]] = (
    ("responded", "completed"),
    ("responded", "sent"),
    ("delivered", "sent"),
    ("read", "sent"),
    ("read", "delivered"),
    ("completed", "started"),
)
"""Pairs of a group and one that holds it whole."""
_FIRST: Final = ("completed", "sent", "responded", "delivered", "started", "read")
"""Which number stays when two of them cannot both be told."""


QUESTION: Final = "n."
"""What the names of those who answered a question begin with; these are told with its options."""


@dataclass(frozen=True, slots=True)
class Heads:
    """Numbers of people as they leave; `told` is what was told of each last, exactly."""

    figures: Mapping[str, Figure]
    told: Mapping[str, int]


def told_heads(counted: Mapping[str, int], earlier: Mapping[str, int]) -> Heads:
    """Return each number of people as it leaves after those told earlier.

    What was told stays told. A new number is not told if one to nine people are between it and one
    that is told, or was: these would be known at that moment, or at the one before. That two are
    equal by now may be told: those few are then the ones by whom the inner number has moved.
    """
    questions = {name: count for name, count in counted.items() if name.startswith(QUESTION)}
    kept = dict(questions)
    found = dict.fromkeys(HEADS, Figure(None, Reason.FEW))
    for name in _FIRST:
        count = counted.get(name)
        if count is None or count < RULE.fewest:
            continue
        if count != earlier.get(name) and _gives_away(name, count, kept, earlier):
            found[name] = Figure(None, Reason.PROTECTS)
        else:
            kept[name], found[name] = count, figure(count)
    return Heads(found, {**earlier, **kept})


def _gives_away(name: str, count: int, kept: Mapping[str, int], earlier: Mapping[str, int]) -> bool:
    inside = {inner for inner, outer in INSIDE if outer == name}
    if name == "started":
        inside |= {one for one in kept if one.startswith(QUESTION)}
    around = {outer for inner, outer in INSIDE if inner == name}
    beside = [kept[one] for one in (inside | around) & kept.keys()]
    beside += [earlier[one] for one in inside & earlier.keys() if kept.get(one) != count]
    return any(0 < abs(count - other) < RULE.fewest for other in beside)
