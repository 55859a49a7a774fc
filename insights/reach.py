"""How many came by each way of passing an ask on: which of these numbers may be told, in bands.

Everybody came by one relay or by none. How many came in all is told elsewhere, so what stands
hidden must be of ten people or more together: then it could be any of the hidden rows.
"""

from collections.abc import Mapping

from insights.disclosure import RULE, Figure, Reason, Rule, estimate


def told_rows(came: Mapping[str, int], by_none: int, rule: Rule = RULE) -> frozenset[str]:
    """Return the relays of which it may be told how many came; `by_none` is told of nobody."""
    in_order = sorted(came, key=came.__getitem__)
    told = [one for one in in_order if came[one] >= rule.fewest]
    hidden = by_none + sum(came[one] for one in in_order if one not in told)
    while told and 0 < hidden < rule.fewest:
        hidden += came[told.pop(0)]
    return frozenset(told)


def band(people: int) -> Figure:
    """Return a number of people that may be told, in a band; null if there is none to be told."""
    return estimate(people) if people else Figure(None, Reason.HEAPED)


def marked_band(marked: int, of: int, rule: Rule = RULE) -> Figure:
    """Return how many of a told number are marked, in a band; as many must be clear as well."""
    few = min(marked, of - marked) < rule.fewest
    return Figure(None, Reason.HEAPED) if few else estimate(marked)
