"""How many people an ask reached and how far they came: what of that may be told together.

Each number is of a group inside another: who read it had got it, who came to the end had begun.
Told together, two of them tell how many are in one and not in the other; so one is left out where
these are one to nine people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from insights.disclosure import RULE, Figure, Reason, Rule, figure
from insights.publishing import head_count

HEADS: Final = ("sent", "delivered", "read", "started", "completed", "responded")
INSIDE: Final[tuple[tuple[str, str], ...]] = (
    ("responded", "completed"),
    ("responded", "sent"),
    ("responded", "started"),
    ("delivered", "sent"),
    ("read", "sent"),
    ("read", "delivered"),
    ("completed", "started"),
)
"""Pairs of a group and one that holds it whole."""
_FIRST: Final = ("completed", "sent", "responded", "delivered", "started", "read")
"""Which number stays when two of them cannot both be told."""
_CAME: Final = ("started", "completed", "responded")
"""Beside who answered a question these tell who came and did not answer it."""
QUESTION: Final = "n."
"""What the names of those who answered a question begin with; these are told with its options."""


@dataclass(frozen=True, slots=True)
class Heads:
    """Numbers of people as they leave; `told` is what was told of each last, exactly."""

    figures: Mapping[str, Figure]
    told: Mapping[str, int]


def told_heads(
    now: Mapping[str, int],
    earlier: Mapping[str, int],
    *,
    final: bool,
    by_rows: bool = False,
    rule: Rule = RULE,
) -> Heads:
    """Return each number of people as it leaves after those told earlier.

    While people answer a number moves by ten or more, at the end to the truth. It is not told if
    one to nine people are between it and one that is told, or was, or between the two as they are
    by now. That two are equal may be told: nobody is between; but while people answer, not that
    nobody came otherwise than invited (`responded`).

    Where several questions are told by rows of the same people (`by_rows`), who came is told only
    if all of them answered all questions: else the rows of one question and of another tell in
    each row who answered the one only.
    """
    moved = _moved(now, earlier, final, rule)
    asked = {one: count for one, count in moved.items() if one.startswith(QUESTION)}
    kept = dict(asked) if final else _apart(asked, now, rule)
    found = dict.fromkeys(HEADS, Figure(None, Reason.FEW))
    for name in (one for one in _FIRST if moved.get(one, 0) >= rule.fewest):
        beside = _beside(name, moved[name], kept, earlier)
        differ = by_rows and name in _CAME and _differ(moved[name], asked)
        if name == "responded" and not final and _nearly_all(now, rule):
            found[name] = Figure(None, Reason.AT_CLOSE)
        elif differ or _handful(name, moved[name], beside, now, rule):
            found[name] = Figure(None, Reason.PROTECTS)
        else:
            kept[name], found[name] = moved[name], figure(moved[name])
    return Heads(found, {**earlier, **kept})


def _moved(
    now: Mapping[str, int], earlier: Mapping[str, int], final: bool, rule: Rule
) -> dict[str, int]:
    moved = {
        name: head_count(now.get(name, 0), earlier.get(name), final=final, rule=rule)
        for name in sorted(now.keys() | earlier.keys())
    }
    return {name: people for name, people in moved.items() if people is not None}


def _apart(asked: Mapping[str, int], now: Mapping[str, int], rule: Rule) -> dict[str, int]:
    """Who answered each question, of those that do not differ by a handful."""
    kept: dict[str, int] = {}
    for name, count in asked.items():
        if not _handful(name, count, list(kept.items()), now, rule):
            kept[name] = count
    return kept


def _differ(count: int, asked: Mapping[str, int]) -> bool:
    return len(asked) > 1 and set(asked.values()) != {count}


def _nearly_all(now: Mapping[str, int], rule: Rule) -> bool:
    """Whether hardly anybody has come but by the invitation so far.

    If it were told that nobody has, and few more come before the end, it would be known of these
    few how many came by themselves; for it will be told how many answered.
    """
    came = (
        count for name, count in now.items() if name == "completed" or name.startswith(QUESTION)
    )
    return any(abs(now.get("responded", 0) - count) < rule.fewest for count in came)


def _beside(
    name: str, count: int, kept: Mapping[str, int], earlier: Mapping[str, int]
) -> list[tuple[str, int]]:
    """What is told of who is inside these people and around them; inside also as told before."""
    inside = {inner for inner, outer in INSIDE if outer == name}
    if name in _CAME:
        inside |= {one for one in kept if one.startswith(QUESTION)}
    around = {outer for inner, outer in INSIDE if inner == name}
    found = [(one, kept[one]) for one in (inside | around) & kept.keys()]
    return found + [
        (one, earlier[one]) for one in inside & earlier.keys() if kept.get(one) != count
    ]


def _handful(
    name: str,
    count: int,
    others: Sequence[tuple[str, int]],
    now: Mapping[str, int],
    rule: Rule,
) -> bool:
    """Say whether one to nine people are between a number and another, as told or as they are."""
    gaps = [count - told for _, told in others]
    gaps += [now.get(name, 0) - now.get(other, 0) for other, _ in others]
    return any(0 < abs(gap) < rule.fewest for gap in gaps)
