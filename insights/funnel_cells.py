"""The cells of a funnel and what adds up in it, so that none is left over by subtraction."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from insights.disclosure import Sum

Group = tuple[str, str]
Cell = tuple[Group, str]
ALL: Group = ("all", "")
COUNTS = ("started", "consented", "completed", "not_completed", "stopped", "unfinished")
# In two sums rather than one: that few have stopped then costs no figure but `unfinished`.
OUTCOMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"started": ("completed", "not_completed"), "not_completed": ("stopped", "unfinished")}
)
STEPS = ("answered", "skipped", "elsewhere")
"""Who answered a question, who skipped it, and all others; the last leave by no name."""


def among(groups: Sequence[Group], kind: str) -> tuple[Group, ...]:
    """Return the groups of a kind."""
    return tuple(group for group in groups if group[0] == kind)


def fill(counts: Counter[Cell], groups: Sequence[Group], questions: Sequence[str]) -> None:
    """Add who is left when those counted are taken from all who started."""
    for group in groups:
        started = counts[group, "started"]
        for *named, others in _inside(questions):
            counts[group, others] = started - sum(counts[group, name] for name in named)


def sums(groups: Sequence[Group], questions: Sequence[str]) -> Sequence[Sum[Cell]]:
    """Return what adds up: over languages and channels, and inside each group to the started."""
    names = [*COUNTS, *(f"{kind}.{one}" for one in questions for kind in STEPS[:2])]
    found: list[Sum[Cell]] = [
        Sum((ALL, name), tuple((one, name) for one in among(groups, kind)))
        for name in names
        for kind in ("language", "channel")
    ]
    for group in groups:
        for whole, outcomes in OUTCOMES.items():
            found.append(Sum((group, whole), tuple((group, one) for one in outcomes)))
        for inside in _inside(questions):
            parts = tuple((group, one) for one in inside)
            found.append(Sum((group, "started"), parts, nobody=True))
    return found


def _inside(questions: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """What the people of a group are parted into, the others last."""
    yield "consented", "refused"
    for one in questions:
        yield tuple(f"{kind}.{one}" for kind in STEPS)
