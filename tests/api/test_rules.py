"""Follow-up rules through the API."""

from typing import Any

import pytest

from flows.loader import library, load
from services import flows
from tests.api.stage import Api, all_pages, problem

RULE: dict[str, Any] = {
    "name": "Saturdays",
    "flow": "passport-hours",
    "definition": {
        "when": {"when_open": "saturday"},
        "start": "saturday-opening",
        "after": "3 days",
    },
}


@pytest.fixture
def polls(making: Any) -> None:
    with making() as make:
        for name in ("passport-hours", "saturday-opening", "remote-appointments"):
            flows.publish(make.db, load(library()[name]), now=make.now)


def test_a_rule_is_saved_rehearsed_paused_and_ended(api: Api, polls: None) -> None:
    caller = api.caller("rules:read", "rules:write", "people:read")
    came = list(all_pages(caller, "/rules"))
    assert [row["from_flow"] for row in came] == [True, True], "those of the flow file"
    made = caller.post("/rules", {**RULE, "paused": True})
    assert made.status_code == 201, made.text
    path = f"/rules/{made.get_json()['id']}"
    assert caller.get(path).get_json()["status"] == "paused"
    assert caller.post(f"{path}/resume", {}).get_json()["status"] == "active"
    told = caller.post(f"{path}/rehearse", {}).get_json()
    assert (told["firings"], told["data"]) == (0, [])
    assert list(all_pages(caller, f"{path}/firings")) == []
    assert caller.post(f"{path}/end", {}).get_json()["status"] == "ended"
    problem(caller.post(f"{path}/resume", {}), 409)


def test_a_fault_has_its_place(api: Api, polls: None) -> None:
    caller = api.caller("rules:write")
    wrong = {"when": {"when_open": "sunday"}, "start": "saturday-opening"}
    answer = caller.post("/rules", {**RULE, "definition": wrong})
    assert answer.status_code in (400, 422), answer.text
    assert "definition.when.when_open" in answer.text
