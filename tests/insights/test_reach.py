"""How many came by each relay: nothing hidden is left over as fewer than ten people."""

from hypothesis import given
from hypothesis import strategies as st

from insights.disclosure import Figure, Reason
from insights.reach import band, marked_band, told_rows


def test_small_relays_are_hidden_and_large_ones_told() -> None:
    assert told_rows({"a": 40, "b": 12, "c": 9}, by_none=30) == {"a", "b"}


def test_a_handful_that_would_be_left_over_hides_another() -> None:
    assert told_rows({"a": 40, "b": 12, "c": 3}, by_none=0) == {"a"}
    assert told_rows({"a": 40, "b": 12}, by_none=4) == {"a"}
    assert told_rows({"a": 40, "b": 12}, by_none=0) == {"a"}, "a third relay may come"
    assert told_rows({"a": 40}, by_none=0) == {"a"}
    assert told_rows({"a": 8}, by_none=1) == frozenset()


@given(st.dictionaries(st.text(min_size=1), st.integers(0, 40)), st.integers(0, 15))
def test_what_is_hidden_is_of_nobody_or_of_ten(came: dict[str, int], by_none: int) -> None:
    told = told_rows(came, by_none)
    hidden = by_none + sum(people for one, people in came.items() if one not in told)
    assert all(came[one] >= 10 for one in told)
    assert hidden >= 10 or not told or (hidden == 0 and len(told) == 1)


def test_a_band_is_of_twenty_and_marks_need_as_many_without() -> None:
    assert [band(people).value for people in (10, 29, 30, 999, 1234)] == [20, 20, 40, 1000, 1200]
    assert band(9) == Figure(None, Reason.HEAPED)
    assert marked_band(12, of=24) == Figure(20)
    assert marked_band(12, of=21).value is marked_band(9, of=90).value is None
