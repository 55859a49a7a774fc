"""Numbers of people in and out of each other: no two that are told give away one to nine."""

from hypothesis import given
from hypothesis import strategies as st

from insights.disclosure import Figure, Reason
from insights.heads import INSIDE, told_heads


def counted(**changed: int) -> dict[str, int]:
    """A hundred were sent it and most came to the end."""
    usual = {"sent": 100, "delivered": 80, "read": 60, "started": 70, "completed": 50}
    return usual | {"responded": 40} | changed


def test_what_is_ten_people_apart_is_told() -> None:
    told = told_heads(counted(), {}).figures
    assert {name: one.value for name, one in told.items()} == counted()


def test_a_handful_that_did_not_come_to_the_end_is_not_told_by_subtraction() -> None:
    told = told_heads(counted(started=53), {}).figures
    assert told["completed"] == Figure(50)
    assert told["started"] == Figure(None, Reason.PROTECTS)


def test_a_handful_of_numbers_out_of_reach_is_not_told_by_subtraction() -> None:
    told = told_heads(counted(delivered=97), {}).figures
    assert told["delivered"] == Figure(None, Reason.PROTECTS)
    assert told["read"] == Figure(60)


def test_that_nobody_is_between_tells_of_nobody() -> None:
    told = told_heads(counted(started=50, delivered=100), {}).figures
    assert (told["started"], told["delivered"]) == (Figure(50), Figure(100))


def test_who_began_is_not_told_beside_those_who_answered_a_question() -> None:
    told = told_heads(counted() | {"n.when_open": 66}, {}).figures
    assert told["started"] == Figure(None, Reason.PROTECTS)


@given(st.lists(st.integers(0, 700), min_size=5, max_size=5))
def test_no_two_numbers_give_away_a_handful(sizes: list[int]) -> None:
    sent, started = sorted(sizes[:2], reverse=True)
    delivered, completed = min(sizes[2], sent), min(sizes[3], started)
    people = {"sent": sent, "delivered": delivered, "read": min(sizes[4], delivered)}
    people |= {"started": started, "completed": completed, "responded": min(completed, sizes[4])}
    told = told_heads(people, {}).figures
    for inner, outer in INSIDE:
        if told[inner].value is not None and told[outer].value is not None:
            assert not 0 < abs(people[outer] - people[inner]) < 10
    assert all(people[name] >= 10 for name, one in told.items() if one.value is not None)


def test_what_was_not_told_is_not_told_later_by_itself() -> None:
    first = told_heads({"sent": 100, "delivered": 97}, {})
    assert (first.figures["sent"].value, first.figures["delivered"].value) == (100, None)
    again = told_heads({"sent": 112, "delivered": 97}, first.told)
    assert again.figures["delivered"].value == 95, "fifteen are between by now"
    assert told_heads({"sent": 105, "delivered": 97}, first.told).figures["delivered"].value is None


def test_that_all_who_began_have_ended_by_now_is_told() -> None:
    live = told_heads({"completed": 187, "n.when_open": 187}, {})
    ended = told_heads({"started": 190, "completed": 190, "n.when_open": 190}, live.told)
    assert ended.figures["started"] == ended.figures["completed"] == Figure(190)


def test_a_handful_beside_what_was_told_before_is_not_told() -> None:
    live = told_heads({"read": 60, "sent": 100}, {})
    later = told_heads({"delivered": 65, "sent": 100}, live.told)
    assert later.figures["delivered"] == Figure(None, Reason.PROTECTS)
    assert later.told == live.told


def test_what_was_told_stays_told() -> None:
    told = told_heads({"started": 190, "completed": 187}, {"started": 190, "completed": 150})
    assert told.figures["started"] == Figure(190)
