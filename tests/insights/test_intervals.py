"""Intervals equal those of the papers they come from, to the last printed digit.

One share: R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in
Medicine 17 (1998) 857-872, table I, method 3 (Wilson's score without continuity correction).
Two shares: R. G. Newcombe, Interval estimation for the difference between independent proportions,
Statistics in Medicine 17 (1998) 873-890, table II, method 10.
"""

import pytest

from insights.intervals import difference, share


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_a_share_has_the_interval_of_the_paper(
    part: int, whole: int, low: float, high: float
) -> None:
    found = share(part, whole)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_a_difference_has_the_interval_of_the_paper(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    found = difference(share(*one), share(*other))
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.may_be_chance is (low <= 0 <= high)
