"""What of an ask is told, and when it moves."""

from datetime import UTC, datetime, timedelta

import pytest

from insights.breakdowns import Breakdown, BreakdownsInvalid, plan
from insights.disclosure import Figure, figure
from insights.publishing import Told, closed, head_count, moment, moved
from insights.tables import OTHER, Line, Shape, gathered, shape, told_apart, with_other

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KNOWN = ("age", "channel", "country", "gender", "language")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"mornings": 60, "saturday": 40, "evenings": 10}, ("mornings", "saturday", "evenings")),
        ({"mornings": 60, "saturday": 40, "evenings": 9}, ("mornings",)),
        ({"mornings": 60, "saturday": 6, "evenings": 4}, ("mornings",)),
        ({"mornings": 60, "saturday": 6, "evenings": 3}, ()),
        ({"mornings": 60, "saturday": 0}, ()),
        ({"mornings": 6, "saturday": 4}, ()),
        ({"mornings": 6, "saturday": 3}, None),
    ],
)
def test_options_that_cannot_be_told_are_one_heap(line: Line, told: tuple[str, ...] | None) -> None:
    assert told_apart(line) == told


ROWS = {
    "IE": {"yes": 300, "no": 200},
    "ZA": {"yes": 36, "no": 4},
    "KE": {"yes": 12, "no": 21},
    "GH": {"yes": 3, "no": 2},
}


def test_a_row_of_few_is_one_with_the_smallest_row_beside() -> None:
    assert gathered([ROWS]) == {"KE", "GH"}
    assert with_other(ROWS, {"KE", "GH"})[OTHER] == {"yes": 15, "no": 23}


def test_a_row_small_in_one_table_is_not_told_in_the_other() -> None:
    fewer = {row: {"yes": line["yes"], "no": 0} for row, line in ROWS.items()}
    more = ROWS | {"GH": {"yes": 300, "no": 2}}
    assert gathered([more, fewer]) == {"KE", "GH"}


def test_a_row_of_which_an_option_cannot_be_told_takes_another_along() -> None:
    table = with_other(ROWS, {"KE", "GH"})
    assert shape(table, ("yes", "no")) == Shape(("yes", "no"), ("IE",))


def test_a_table_tells_no_option_that_its_sum_does_not() -> None:
    table = {"IE": {"a": 50, "b": 40, "c": 5}, "ZA": {"a": 50, "b": 40, "c": 4}}
    assert shape(table, ("a",)).apart == ("a",)


def alternating(count: int) -> tuple[Line, dict[str, list[datetime]]]:
    """So many answers, a minute apart, "yes" and "no" in turn: the line and the ten newest."""
    times = [NOON + timedelta(minutes=number) for number in range(count)]
    options = {"yes": times[::2], "no": times[1::2]}
    line = {option: len(of) for option, of in options.items()}
    return line, {option: of[-10:] for option, of in options.items()}


def test_live_figures_leave_ten_answers_of_every_option_for_the_end() -> None:
    line, newest = alternating(39)
    assert moment(line, newest, None) is None
    line, newest = alternating(60)
    at = moment(line, newest, None)
    assert at == NOON + timedelta(minutes=40)
    then = {"yes": 20, "no": 20}
    assert moved(then, line, None) == Told(then, ("no", "yes"))


def test_live_figures_move_when_every_option_told_has_ten_more() -> None:
    last = Told({"yes": 20, "no": 20}, ("no", "yes"))
    now = {"yes": 80, "no": 80}
    assert moved({"yes": 40, "no": 29}, now, last) is None
    assert moved({"yes": 40, "no": 30}, now, last) is not None


def test_the_end_tells_everything() -> None:
    last = Told({"yes": 20, "no": 20}, ("no", "yes"))
    assert closed({"yes": 30, "no": 31}, last) == Told({"yes": 30, "no": 31}, ("no", "yes"))
    assert closed({"yes": 30, "no": 31}, None) == Told({"yes": 30, "no": 31}, ("no", "yes"))
    assert closed({"yes": 4, "no": 2}, None) is None


def test_who_was_erased_does_not_show_at_the_end() -> None:
    last = Told({"yes": 20, "no": 20}, ("no", "yes"))
    assert closed({"yes": 31, "no": 19}, last) == Told({"yes": 31, "no": 19}, ())
    assert closed({"yes": 24, "no": 19}, last) is last


def test_a_number_of_people_moves_by_ten_and_to_the_truth_at_the_end() -> None:
    assert head_count(9, None, final=False) is None
    assert head_count(12, None, final=False) == 12
    assert head_count(21, 12, final=False) == 12
    assert head_count(22, 12, final=False) == 22
    assert head_count(25, 22, final=True) == 25
    assert head_count(9, 22, final=True) == 22


def test_a_share_is_that_of_the_numbers_shown() -> None:
    assert figure(48, 98) == Figure(50, share=50)
    assert figure(12, 12) == Figure(10, share=100)
    assert figure(503, 1000) == Figure(503, share=50)
    assert figure(1, 500).share == 0


def test_breakdowns_share_at_most_their_first_variable() -> None:
    assert plan([["country"], ["age", "gender"], ["gender", "language"]], KNOWN) == (
        Breakdown("country"),
        Breakdown("gender", ("age", "language")),
    )
    assert plan([["country", "gender"], ["country"]], KNOWN) == (Breakdown("country", ("gender",)),)
    assert plan([], KNOWN) == ()


@pytest.mark.parametrize(
    "declared",
    [
        [["gender"], ["country"], ["gender", "country"]],
        [["gender", "country"], ["country", "age"], ["age", "gender"]],
        [["gender", "country", "age"]],
        [["gender", "gender"]],
        [["religion"]],
        [["gender", "age"], ["age", "gender"]],
        [[]],
    ],
)
def test_other_breakdowns_are_refused(declared: list[list[str]]) -> None:
    with pytest.raises(BreakdownsInvalid):
        plan(declared, KNOWN)
