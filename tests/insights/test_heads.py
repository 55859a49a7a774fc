"""Numbers of people in and out of each other: no two that are told give away one to nine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.disclosure import Figure, Reason
from insights.heads import INSIDE, Heads, told_heads


def counted(**changed: int) -> dict[str, int]:
    """A hundred were sent it and most came to the end."""
    usual = {"sent": 100, "delivered": 80, "read": 60, "started": 70, "completed": 50}
    return usual | {"responded": 40} | changed


def figures(now: dict[str, int], *, by_rows: bool = False) -> dict[str, Figure]:
    """What is told at the end."""
    return dict(told_heads(now, {}, final=True, by_rows=by_rows).figures)


def values(told: Heads) -> dict[str, int | None]:
    return {name: one.value for name, one in told.figures.items()}


def test_what_is_ten_people_apart_is_told() -> None:
    assert {name: one.value for name, one in figures(counted()).items()} == counted()


def test_a_handful_that_did_not_come_to_the_end_is_not_told_by_subtraction() -> None:
    told = figures(counted(started=53))
    assert told["completed"] == Figure(50)
    assert told["started"] == Figure(None, Reason.PROTECTS)


def test_a_handful_of_numbers_out_of_reach_is_not_told_by_subtraction() -> None:
    told = figures(counted(delivered=97))
    assert told["delivered"] == Figure(None, Reason.PROTECTS)
    assert told["read"] == Figure(60)


def test_that_nobody_is_between_tells_of_nobody() -> None:
    told = figures(counted(started=50, delivered=100))
    assert (told["started"], told["delivered"]) == (Figure(50), Figure(100))


@pytest.mark.parametrize(
    ("name", "people"), [("started", 76), ("completed", 53), ("responded", 43)]
)
def test_who_came_is_not_told_beside_a_handful_more_than_answered(name: str, people: int) -> None:
    """Each of these is three more than answered the question: these three skipped it, or left."""
    told = figures(counted(**{name: people}) | {"n.when_open": people - 3})
    assert told[name] == Figure(None, Reason.PROTECTS)


def test_by_rows_who_came_is_told_only_if_all_answered_everything() -> None:
    """All answered the first question, 20 not the second; in a village these are a handful."""
    some = counted(started=50) | {"n.first": 50, "n.second": 30}
    assert figures(some)["completed"] == Figure(50)
    told = figures(some, by_rows=True)
    assert {told[name].reason for name in ("started", "completed", "responded")} == {
        Reason.PROTECTS
    }
    everybody = counted(started=50, responded=50) | {"n.first": 50, "n.second": 50}
    assert figures(everybody, by_rows=True)["completed"] == Figure(50)


def test_while_people_answer_two_questions_a_handful_between_them_is_not_told() -> None:
    """Five have answered the first question and not yet the second."""
    told = told_heads({"n.first": 72, "n.second": 67}, {}, final=False).told
    assert told == {"n.first": 72}
    assert told_heads({"n.first": 72, "n.second": 67}, told, final=True).told["n.second"] == 67


@given(st.lists(st.integers(0, 700), min_size=5, max_size=5))
def test_no_two_numbers_give_away_a_handful(sizes: list[int]) -> None:
    sent, started = sorted(sizes[:2], reverse=True)
    delivered, completed = min(sizes[2], sent), min(sizes[3], started)
    people = {"sent": sent, "delivered": delivered, "read": min(sizes[4], delivered)}
    people |= {"started": started, "completed": completed, "responded": min(completed, sizes[4])}
    told = figures(people)
    for inner, outer in INSIDE:
        if told[inner].value is not None and told[outer].value is not None:
            assert not 0 < abs(people[outer] - people[inner]) < 10
    assert all(people[name] >= 10 for name, one in told.items() if one.value is not None)


def test_what_was_not_told_is_not_told_later_by_itself() -> None:
    first = told_heads({"sent": 100, "delivered": 97}, {}, final=False)
    assert (first.figures["sent"].value, first.figures["delivered"].value) == (100, None)
    again = told_heads({"sent": 112, "delivered": 97}, first.told, final=False)
    assert again.figures["delivered"].value == 95, "fifteen are between by now"
    later = told_heads({"sent": 105, "delivered": 97}, first.told, final=False)
    assert later.figures["delivered"].value is None


def test_that_all_who_began_have_ended_by_now_is_told() -> None:
    live = told_heads({"completed": 187, "n.when_open": 187}, {}, final=False)
    now = {"started": 190, "completed": 190, "n.when_open": 190}
    ended = told_heads(now, live.told, final=True)
    assert ended.figures["started"] == ended.figures["completed"] == Figure(190)


def test_a_handful_beside_what_was_told_before_is_not_told() -> None:
    live = told_heads({"read": 60, "sent": 100}, {}, final=False)
    later = told_heads({"read": 60, "delivered": 65, "sent": 100}, live.told, final=False)
    assert later.figures["delivered"] == Figure(None, Reason.PROTECTS)
    assert later.told == live.told


def test_a_number_that_has_not_moved_hides_no_handful_behind_it() -> None:
    """Forty-one had completed when it was told last, and forty-six have by now."""
    told = told_heads({"started": 51, "completed": 46}, {"completed": 41}, final=False)
    assert values(told)["completed"] == 40
    assert told.figures["started"] == Figure(None, Reason.PROTECTS)


def test_what_was_told_is_told_no_more_where_it_would_give_a_handful_away() -> None:
    earlier = {"started": 190, "completed": 150}
    told = told_heads({"started": 190, "completed": 187}, earlier, final=True)
    assert told.figures["completed"] == Figure(185)
    assert told.figures["started"] == Figure(None, Reason.PROTECTS)
