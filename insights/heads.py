"""How many people an ask reached and how far they came: what of that may be told together.

Each number is of a group inside another: who read it had got it, who came to the end had begun.
Told together, two of them tell how many are in one and not in the other; so one is left out where
these are one to nine people.
"""

from collections.abc import Iterator, Mapping
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


def told_heads(counted: Mapping[str, int]) -> dict[str, Figure]:
    """Return each number of people as it leaves; `counted` are those told so far, exactly."""
    kept: dict[str, int] = {}
    found = dict.fromkeys(HEADS, Figure(None, Reason.FEW))
    for name in _FIRST:
        count = counted.get(name)
        if count is None or count < RULE.fewest:
            continue
        if _gives_away(name, count, kept, counted):
            found[name] = Figure(None, Reason.PROTECTS)
        else:
            kept[name], found[name] = count, figure(count)
    return found


def _gives_away(name: str, count: int, kept: Mapping[str, int], counted: Mapping[str, int]) -> bool:
    beside = [kept[one] for one in _beside(name) if one in kept]
    if name == "started":
        beside += [some for of, some in counted.items() if of.startswith("n.")]
    return any(0 < abs(count - other) < RULE.fewest for other in beside)


def _beside(name: str) -> Iterator[str]:
    for inner, outer in INSIDE:
        if name in (inner, outer):
            yield outer if name == inner else inner
