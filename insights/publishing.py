"""When the figures of an ask move, so that no two publications give what one of them hides.

While people answer, what is told is the state *before* a moment, chosen so that ten people or more
have answered in every told block since; and it moves only to a state which has ten more in every
block told before. So the end, which tells everything, is never a handful of people away from what
was told last. Breakdowns are told once, at the end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from insights.disclosure import RULE, Rule
from insights.tables import Block, Line, blocks, in_order, may_tell, people, told_apart


@dataclass(frozen=True, slots=True)
class Told:
    """A line as it was told: its exact counts, which stay inside, and the options told apart."""

    line: Line
    apart: Block


def moment(
    line: Line, newest: Mapping[str, Sequence[datetime]], last: Told | None, rule: Rule = RULE
) -> datetime | None:
    """Return the latest moment before which the state may be told; None when there is none yet.

    `newest` has for every option the times of its latest answers, `rule.fewest` of them or all.
    """
    if not ready(line, last, rule):
        return None
    twice = Rule(2 * rule.fewest)
    apart = next(one for one in _choices(line, last) if may_tell(line, one, twice))
    return min(_nth_newest(newest, one, rule) for one in blocks(line, apart))


def ready(line: Line, last: Told | None, rule: Rule = RULE) -> bool:
    """Say whether so many answered that there can be such a moment."""
    twice = Rule(2 * rule.fewest)
    if last is not None and not _grown(last.line, line, blocks(line, last.apart), twice):
        return False
    return any(may_tell(line, apart, twice) for apart in _choices(line, last))


def moved(then: Line, now: Line, last: Told | None, rule: Rule = RULE) -> Told | None:
    """Return what may be told of the state `then`, while people answer; None if that is nothing."""
    for apart in _choices(then, last):
        if (
            may_tell(then, apart, rule)
            and _apart_enough(last, then, apart, rule)
            and _grown(then, now, blocks(then, apart), rule)
        ):
            return Told(then, apart)
    return None


def closed(now: Line, last: Told | None, rule: Rule = RULE) -> Told | None:
    """Return what is told at the end; what was told last if too few people are between.

    That can happen only if people were erased or changed their answers; otherwise the end is told
    whole.
    """
    if last is None:
        apart = told_apart(now, rule)
        return None if apart is None else Told(now, apart)
    order = in_order(now, last.apart)
    for many in range(len(order), -1, -1):
        apart = order[:many]
        if may_tell(now, apart, rule) and _apart_enough(last, now, apart, rule):
            return Told(now, apart)
    return last


def head_count(now: int, told: int | None, *, final: bool, rule: Rule = RULE) -> int | None:
    """Return the number of people to tell: it moves by ten or more, and to the truth at the end."""
    if now < rule.fewest:
        return told
    if told is None or final or abs(now - told) >= rule.fewest:
        return now
    return told


def _choices(line: Line, last: Told | None) -> Iterator[Block]:
    """The options that may be told apart, one at least: what was stays so; most of them first."""
    least = len(last.apart) if last else 1
    order = in_order(line, last.apart if last else ())
    return (order[:many] for many in range(len(order), least - 1, -1))


def _apart_enough(last: Told | None, line: Line, apart: Block, rule: Rule) -> bool:
    """Say whether ten people or more lie between, in every block that both tell."""
    if last is None:
        return True
    both = apart if len(apart) < len(last.apart) else last.apart
    return _grown(last.line, line, blocks(line, both), rule)


def _grown(before: Line, after: Line, told: Sequence[Block], rule: Rule) -> bool:
    return all(people(after, one) - people(before, one) >= rule.fewest for one in told)


def _nth_newest(newest: Mapping[str, Sequence[datetime]], block: Block, rule: Rule) -> datetime:
    times = sorted((time for one in block for time in newest.get(one, ())), reverse=True)
    return times[rule.fewest - 1]
