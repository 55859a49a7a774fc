"""How many came by each way of passing an ask on: which of these numbers may be told, in bands.

Everybody came by one relay or by none. How many came in all is told elsewhere, so what stands
hidden must be of ten people or more together: then it could be any of the hidden rows. That holds
from the first on, so that nothing told before gives it away; only one relay that brought everybody
is told at once, since all who answered are.
"""

from collections.abc import Mapping
from typing import Final

from insights.disclosure import RULE, Figure, Reason, Rule

_LARGE: Final = 1000


def told_rows(came: Mapping[str, int], by_none: int, rule: Rule = RULE) -> frozenset[str]:
    """Return the relays of which it may be told how many came; `by_none` is told of nobody."""
    in_order = sorted(came, key=came.__getitem__)
    told = [one for one in in_order if came[one] >= rule.fewest]
    hidden = by_none + sum(came[one] for one in in_order if one not in told)
    while told and hidden < rule.fewest and (hidden or len(told) > 1):
        hidden += came[told.pop(0)]
    return frozenset(told)


def band(people: int, rule: Rule = RULE) -> Figure:
    """Return a number of people in a band, by its middle: "20" are 10 to 29.

    Bands are twice as wide as few people are many, so that a step tells of no handful; from a
    thousand on the number is rounded down to two digits.
    """
    if people < rule.fewest:
        return Figure(None, Reason.HEAPED)
    if people < _LARGE:
        return Figure((people + rule.fewest) // (2 * rule.fewest) * 2 * rule.fewest)
    step = 10 ** (len(str(people)) - 2)
    return Figure(people // step * step)


def marked_band(marked: int, of: int, rule: Rule = RULE) -> Figure:
    """Return how many of a told number are marked, in a band; as many must be clear as well."""
    return band(marked, rule) if of - marked >= rule.fewest else Figure(None, Reason.HEAPED)
