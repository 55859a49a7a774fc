"""Which answers that came by one relay are marked, and which are not."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from flows.flow import Flow, build
from services.relays.marks import QUICK_MOST, SAME_IN_A_ROW, Passage, all_alike, too_quick

BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def asking(questions: int, options: int = 5, *, shuffle: bool = False) -> Flow:
    listed = [{"value": f"v{one}", "label": {"en": f"Option {one}"}} for one in range(options)]
    asked = [
        {"id": f"q{one}", "type": "choice", "text": {"en": f"{one}?"}, "options": listed}
        | ({"shuffle": True} if shuffle else {})
        for one in range(questions)
    ]
    purpose = {"why": "test", "owner": "test", "decision": "test"}
    return build(
        {"flow": "made-up", "kind": "poll", "languages": ["en"], "purpose": purpose}
        | {"questions": asked}
    )


def came(apart: timedelta, many: int, **answers: str) -> list[Passage]:
    """So many people with the same answers, so far apart."""
    return [Passage(uuid4(), BEGAN + place * apart, answers) for place in range(many)]


@pytest.mark.parametrize(
    ("many", "apart", "marked"),
    [
        (QUICK_MOST, timedelta(seconds=1), 0),
        (QUICK_MOST + 1, timedelta(seconds=1), QUICK_MOST + 1),
        (300, timedelta(seconds=10), 0),
        (300, timedelta(seconds=5), 300),
    ],
)
def test_a_burst_is_marked_and_a_busy_hour_is_not(many: int, apart: timedelta, marked: int) -> None:
    assert len(too_quick(came(apart, many))) == marked


def test_only_the_burst_of_an_ordinary_day_is_marked() -> None:
    burst = came(timedelta(milliseconds=100), 30)
    before = [Passage(uuid4(), BEGAN - timedelta(hours=1), {})]
    after = [Passage(uuid4(), BEGAN + timedelta(hours=1), {})]
    assert too_quick([*before, *burst, *after]) == {one.id for one in burst}


def test_a_series_of_answers_that_repeats_is_marked() -> None:
    same: Mapping[str, Any] = {"q0": "v1", "q1": "v3", "q2": "v0"}
    run = came(timedelta(minutes=9), SAME_IN_A_ROW, **same)
    assert all_alike(asking(3), run) == {one.id for one in run}
    assert all_alike(asking(3), run[1:]) == set()
    broken = [*run[:5], Passage(uuid4(), BEGAN, {**same, "q2": "v4"}), *run[5:]]
    assert all_alike(asking(3), broken) == set()


def test_one_question_answered_alike_by_many_is_an_opinion() -> None:
    assert all_alike(asking(1), came(timedelta(minutes=9), 200, q0="v1")) == set()


def test_the_same_place_in_every_list_is_marked_where_chance_hardly_does_it() -> None:
    [four] = came(timedelta(0), 1, q0="v2", q1="v2", q2="v2", q3="v2")
    [three] = came(timedelta(0), 1, q0="v2", q1="v2", q2="v2")
    assert all_alike(asking(4), [four]) == {four.id}
    assert all_alike(asking(4), [three]) == set()


def test_a_place_is_one_in_the_order_that_was_shown() -> None:
    flow, shown = asking(5, shuffle=True), UUID(int=7_654_321)
    values = {}
    for question in flow.questions:
        arranged = question.arranged(question.order(7_654_321))  # type: ignore[attr-defined]
        values[question.id] = f"v{arranged[0]}"
    assert len(set(values.values())) > 1
    assert all_alike(flow, [Passage(shown, BEGAN, values)]) == {shown}
