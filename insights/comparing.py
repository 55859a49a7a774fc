"""Who asks, compared: response, completion and answers by asker, with intervals.

Everything is worked out from figures as they were told.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from insights.counted import ASKER, BEGAN, RESPONDED, STEPS, UNKNOWN
from insights.disclosure import RULE, Rule, figure
from insights.intervals import Interval, difference, share
from insights.results import Rows, whole
from insights.tables import OTHER, Shape, Table, people, shape, told_apart, with_other

RATES: Final = {"response": STEPS, "completion": (RESPONDED, BEGAN)}
"""Of whom each rate is the share of those who responded."""


def rate_rows(table: Table, small: Collection[str], rule: Rule = RULE) -> Rows | None:
    """Return what is told of how far the invited came by asker; None if that is nothing.

    Who responded is told rather than how far the others came, and of as many askers as may be.
    """
    table = with_other(table, small)
    if set(table) <= {OTHER}:
        return None
    total = {step: sum(line[step] for line in table.values()) for step in STEPS}
    apart = told_apart(total, rule, first=(RESPONDED,))
    tried = [shape(table, apart[:most], rule) for most in (1, len(STEPS)) if apart]
    kept = max(tried, key=lambda one: (len(one.full), len(one.apart)), default=Shape((), ()))
    return Rows(ASKER, None, "response", table, kept)


def askers(rates: Rows) -> list[dict[str, Any]]:
    """Return each asker's numbers of people and rates, with intervals in whole percent."""
    return [{"asker": name} | _numbers(name, rates) for name in rates.table]


def _numbers(asker: str, rates: Rows) -> dict[str, Any]:
    line = rates.table[asker]
    told = {name: _rate(rates, asker, name) for name in RATES}
    began = figure(people(line, RATES["completion"])).value
    ended = figure(line[RESPONDED]).value
    return {
        "sent": figure(people(line)).value,
        "responded": None if told["response"] is None else ended,
        "response": None if told["response"] is None else percents(told["response"]),
        "started": None if told["completion"] is None else began,
        "completion": None if told["completion"] is None else percents(told["completion"]),
    }


def _rate(rates: Rows, asker: str, name: str) -> Interval | None:
    """Return the share who responded, of all or of who began; None if what it needs is untold."""
    needed = RATES[name] if name == "completion" else (RESPONDED,)
    if asker not in rates.shape.full or not set(needed) <= set(rates.shape.apart):
        return None
    line = rates.table[asker]
    part, of = figure(line[RESPONDED]).value, figure(people(line, RATES[name])).value
    return share(min(part, of), of) if part is not None and of else None


def comparisons(rates: Rows | None, answers: Sequence[Rows]) -> list[dict[str, Any]]:
    """Return by how much two askers differ, in percentage points, wherever both are told."""
    found = []
    for what, told in _compared(rates, answers):
        for (first, here), (second, there) in combinations(told.items(), 2):
            if here is not None and there is not None:
                apart = difference(here, there)
                found.append(
                    {"what": what, "between": [first, second], **percents(apart)}
                    | {"may_be_chance": apart.may_be_chance}
                )
    return found


def _compared(
    rates: Rows | None, answers: Sequence[Rows]
) -> Iterator[tuple[str, dict[str, Interval | None]]]:
    if rates is not None:
        for name in RATES:
            yield name, {row: _rate(rates, row, name) for row in _named(rates)}
    for one in answers:
        question, _, chosen = one.line.partition("/")
        for option in ("yes",) if chosen else one.shape.apart:
            told = {row: _share(one, row, option) for row in _named(one)}
            yield f"{question}.{chosen or option}", told


def _named(one: Rows) -> list[str]:
    return [row for row in one.table if row not in (OTHER, UNKNOWN)]


def _share(one: Rows, row: str, option: str) -> Interval | None:
    """Return the share of an option in a row, from the two numbers as they are told."""
    if row not in one.shape.full or option not in one.shape.apart:
        return None
    line = one.table[row]
    part, of = figure(line[option]).value, figure(whole(line, one.shape.apart)).value
    return share(min(part, of), of) if part is not None and of else None


def percents(told: Interval) -> Mapping[str, int]:
    """Return an interval in whole percent."""
    return {
        "value": round(100 * told.value),
        "low": round(100 * told.low),
        "high": round(100 * told.high),
    }
