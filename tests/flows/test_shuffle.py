"""Options without an order of their own stand in one of chance, the same wherever it is shown."""

from collections import Counter
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from flows.engine import reopen, start, step
from flows.events import Answered, Asked, as_part
from flows.flow import Flow, build
from flows.inputs import Text
from flows.state import State
from flows.wording import as_lines, compose
from tests.flows.play import NOW

SEEDS = range(5040)


def asking(kind: str, count: int, *, last: str | None = None, **more: Any) -> Flow:
    """A flow of one shuffled question with so many options, and perhaps one that stays last."""
    options: list[dict[str, Any]] = [
        {"value": f"v{n}", "label": {"en": f"Option {n}"}} for n in range(1, count + 1)
    ]
    if last:
        options.insert(0, {"value": last, "label": {"en": "I do not know"}})
    asked: dict[str, Any] = {"id": "q", "type": kind, "text": {"en": "Which?"}, "options": options}
    asked |= {"shuffle": True, **more}
    return build({"flow": "f", "kind": "poll", "languages": ["en"], "questions": [asked]})


def begun(flow: Flow, seed: int) -> tuple[State, Asked]:
    state, events = start(flow, tag="a", language="en", now=NOW, seed=seed)
    (asked,) = events
    assert isinstance(asked, Asked)
    return state, asked


def shown(flow: Flow, asked: Asked) -> list[str]:
    """The values in the order a person sees them, read from the stored form of the message."""
    prompt = compose([as_part(asked)], flow=flow, language="en", tag="a", names={})
    return [choice.payload.rpartition(".")[2] for choice in prompt.choices]


@pytest.mark.parametrize("kind", ["choice", "multi"])
def test_every_order_is_as_likely_as_any_other(kind: str) -> None:
    flow = asking(kind, 4)
    orders = Counter(tuple(shown(flow, begun(flow, seed)[1])) for seed in SEEDS)
    assert len(orders) == 24
    assert set(orders.values()) == {len(SEEDS) // 24}


def test_a_digit_means_what_stands_beside_it() -> None:
    flow = asking("choice", 5)
    for seed in range(120):
        state, asked = begun(flow, seed)
        lines = as_lines(compose([as_part(asked)], flow=flow, language="en", tag="a", names={}))
        third = shown(flow, asked)[2]
        assert f"\n3 Option {third[1:]}\n" in lines
        state, events = step(flow, State.from_json(state.to_json()), Text("3"), NOW)
        assert Answered("q", third, sealed=False) in events


def test_several_digits_mean_what_stands_beside_them() -> None:
    flow = asking("multi", 4)
    state, asked = begun(flow, 13)
    wanted = {shown(flow, asked)[0], shown(flow, asked)[3]}
    _, events = step(flow, state, Text("1,4"), NOW)
    (answer,) = (event for event in events if isinstance(event, Answered))
    assert isinstance(answer.value, list)
    assert set(answer.value) == wanted


@pytest.mark.parametrize("last", ["dont_know", "other"])
def test_some_options_stay_last(last: str) -> None:
    flow = asking("choice", 3, last=last)
    if last == "other":
        options = flow.definition["questions"][0]["options"]
        options[0]["last"] = "yes"
        flow = build(flow.definition)
    found = {tuple(shown(flow, begun(flow, seed)[1])) for seed in range(50)}
    assert len(found) == 6
    assert {order[-1] for order in found} == {last}


def test_the_order_stays_when_the_question_comes_again() -> None:
    flow = asking("choice", 4)
    state, asked = begun(flow, 17)
    assert asked.order
    _, help_again = step(flow, state, Text("what?"), NOW)
    assert isinstance(help_again[-1], Asked)
    assert shown(flow, help_again[-1]) == shown(flow, asked)
    state, _ = step(flow, state, Text("1"), NOW)
    _, again = reopen(flow, State.from_json(state.to_json()), "q", now=NOW)
    assert isinstance(again[0], Asked)
    assert shown(flow, again[0]) == shown(flow, asked)


def test_a_long_list_is_shuffled_over_all_its_pages() -> None:
    flow = asking("choice", 12, last="dont_know")
    firsts = Counter[str]()
    for seed in range(600):
        _, asked = begun(flow, seed)
        pages = [shown(flow, replace(asked, page=page)) for page in range(3)]
        assert sorted(chain(*pages)) == sorted(["dont_know", *(f"v{n}" for n in range(1, 13))])
        assert pages[2] == ["dont_know"]
        firsts[pages[0][0]] += 1
    assert len(firsts) == 12
    assert max(firsts.values()) < 100


def test_without_shuffle_the_order_is_that_of_the_file() -> None:
    flow = asking("choice", 4, shuffle=False)
    for seed in range(30):
        _, asked = begun(flow, seed)
        assert asked.order == 0
        assert "order" not in as_part(asked)
        assert shown(flow, asked) == ["v1", "v2", "v3", "v4"]
