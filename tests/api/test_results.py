"""GET /polls/{id}/results: what the gate lets leave, in the shape programs read."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from models import AskKind, AskStatus
from tests.answered import NEEDS, answer, split, version
from tests.api.stage import Api, Caller, problem
from tests.api.test_flows import POLL
from tests.asks import ask
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]


def answered(making: Making, **changed: object) -> str:
    with making() as make:
        asked = ask(make, version=version(make, NEEDS), **changed)
        people = split(mornings=40, saturday=30, evenings=4)
        needs = [["papers"], ["papers", "work"]]
        answer(make, asked, [one | {"needs": needs[at % 2]} for at, one in enumerate(people)])
        return str(asked.id)


def test_results_of_a_poll_that_runs(caller: Caller, making: Making) -> None:
    told = caller.get(f"/polls/{answered(making)}/results").get_json()
    assert (told["started"], told["completed"], told["final"]) == (75, 75, False)
    when_open, needs = told["questions"]
    assert (when_open["id"], when_open["n"]) == ("when_open", 75)
    assert [one["value"] for one in when_open["options"]] == ["mornings", "saturday", "evenings"]
    assert [one["value"] for one in needs["options"]] == ["papers", "work"]
    assert {"figure": "sent", "reason": "fewer_than_10"} in told["suppressed"]


def test_results_of_a_closed_poll_stay(caller: Caller, making: Making) -> None:
    path = f"/polls/{answered(making, status=AskStatus.CLOSED)}/results"
    told = caller.get(path).get_json()
    assert told["final"]
    assert told["questions"][0]["options"] == [
        {"value": "mornings", "count": 40, "share": 53},
        {"value": "saturday", "count": None, "share": None},
        {"value": "evenings", "count": None, "share": None},
    ]
    hidden = {one["figure"]: one["reason"] for one in told["suppressed"]}
    assert hidden["questions.when_open.saturday"] == "fewer_than_10_here_or_beside"
    assert caller.get(path).get_json() == told


def test_an_analyst_sees_results_and_nothing_else(api: Api, making: Making) -> None:
    poll = answered(making)
    analyst = api.caller("results:read")
    assert analyst.get(f"/polls/{poll}/results").status_code == 200
    assert analyst.get("/contacts").status_code == 403


def test_a_consultation_is_no_poll(caller: Caller, making: Making) -> None:
    poll = answered(making, kind=AskKind.CONSULTATION)
    problem(caller.get(f"/polls/{poll}/results"), 404)


def test_breakdowns_that_would_betray_each_other_are_refused(caller: Caller) -> None:
    crossing = [["gender"], ["country"], ["gender", "country"]]
    told = problem(caller.post("/polls", {"flow": POLL, "breakdowns": crossing}), 422)
    assert told["errors"][0]["place"] == "breakdowns"
    assert "Leave out one of them" in told["errors"][0]["problem"]
