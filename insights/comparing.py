"""Who asks, compared: response, completion and answers by asker, with intervals.

Everything is worked out from figures as they were told.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from insights.counted import ASKER, UNKNOWN
from insights.disclosure import RULE, Rule, figure
from insights.intervals import Interval, difference, share
from insights.results import Rows
from insights.tables import OTHER, Shape, Table, people, shape, told_apart, with_other

ENDED: Final = "completed"
RATES: Final = {"response": ("sent", "responded"), "completion": ("started", "completed")}


def rate_rows(name: str, table: Table, small: frozenset[str], rule: Rule = RULE) -> Rows:
    """Return what is told of who came to the end by asker, of those a rate is taken of."""
    table = with_other(table, small)
    total: dict[str, int] = {}
    for line in table.values():
        for option, count in line.items():
            total[option] = total.get(option, 0) + count
    apart = told_apart(total, rule) if people(total) >= rule.fewest else None
    kept = Shape((), ()) if apart is None else shape(table, apart, rule)
    return Rows(ASKER, None, name, table, kept)


def askers(rates: Sequence[Rows]) -> list[dict[str, Any]]:
    """Return each asker's numbers of people and rates, with intervals in whole percent."""
    names = dict.fromkeys(row for one in rates for row in one.table)
    return [{"asker": name} | _numbers(name, rates) for name in names]


def _numbers(asker: str, rates: Sequence[Rows]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in rates:
        whole, part = RATES[one.line]
        told = _share(one, asker, ENDED)
        line = one.table.get(asker)
        found[whole] = None if line is None else figure(people(line)).value
        full = line is not None and told is not None
        found[part] = figure(line[ENDED]).value if full and line is not None else None
        found[one.line] = None if told is None else percents(told)
    return found


def comparisons(rates: Sequence[Rows], answers: Sequence[Rows]) -> list[dict[str, Any]]:
    """Return by how much two askers differ, in percentage points, wherever both are told."""
    found = []
    for what, one, option in _compared(rates, answers):
        told = {row: _share(one, row, option) for row in one.table if row not in (OTHER, UNKNOWN)}
        for (first, here), (second, there) in combinations(told.items(), 2):
            if here is not None and there is not None:
                apart = difference(here, there)
                found.append(
                    {"what": what, "between": [first, second], **percents(apart)}
                    | {"may_be_chance": apart.may_be_chance}
                )
    return found


def _compared(rates: Sequence[Rows], answers: Sequence[Rows]) -> Iterator[tuple[str, Rows, str]]:
    for one in rates:
        yield one.line, one, ENDED
    for one in answers:
        question, _, chosen = one.line.partition("/")
        for option in ("yes",) if chosen else one.shape.apart:
            yield f"{question}.{chosen or option}", one, option


def _share(one: Rows, row: str, option: str) -> Interval | None:
    """Return the share of an option in a row, from the two numbers as they are told."""
    if row not in one.shape.full or option not in one.shape.apart:
        return None
    part, whole = figure(one.table[row][option]).value, figure(people(one.table[row])).value
    return share(min(part, whole), whole) if part is not None and whole else None


def percents(told: Interval) -> Mapping[str, int]:
    """Return an interval in whole percent."""
    return {
        "value": round(100 * told.value),
        "low": round(100 * told.low),
        "high": round(100 * told.high),
    }
