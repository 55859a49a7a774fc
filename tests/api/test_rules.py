"""Follow-up rules through the API."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from flows.loader import library, load
from models import Ask
from services import flows
from services.conversation import dues
from services.rules import firings
from tests.answered import answer
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
    earliest = {"since": "0002-01-02T00:00:00Z"}
    assert caller.post(f"{path}/rehearse", earliest).get_json()["firings"] == 0
    assert list(all_pages(caller, f"{path}/firings")) == []
    assert caller.post(f"{path}/end", {}).get_json()["status"] == "ended"
    problem(caller.post(f"{path}/resume", {}), 409)


def test_a_fault_has_its_place(api: Api, polls: None) -> None:
    caller = api.caller("rules:write")
    wrong = {"when": {"when_open": "sunday"}, "start": "saturday-opening"}
    answer = caller.post("/rules", {**RULE, "definition": wrong})
    assert answer.status_code in (400, 422), answer.text
    assert "definition.when.when_open" in answer.text


CONTRACT: dict[str, Any] = {
    "flow": "passport-hours",
    "kind": "poll",
    "purpose": {"why": "plan", "owner": "consular section", "decision": "opening hours"},
    "languages": ["en"],
    "questions": [
        {
            "id": "when_open",
            "type": "choice",
            "text": {"en": "When should the consulate be open for passports?"},
            "options": [
                {"value": "mornings", "label": {"en": "Weekday mornings"}},
                {"value": "saturday", "label": {"en": "Saturday"}, "also": {"en": ["weekend"]}},
            ],
        },
    ],
    "follow_ups": [
        {"when": {"when_open": "saturday"}, "start": "saturday-consultation", "after": "3 days"}
    ],
}
"""The example of the flow format, with a follow-up that is written later."""
LATER: dict[str, Any] = {
    **CONTRACT,
    "flow": "saturday-consultation",
    "questions": [
        {"id": one, "type": "yes_no", "text": {"en": f"{one}?"}} for one in ("early", "late")
    ],
    "follow_ups": [],
}


def test_follow_ups_of_a_poll_made_by_the_api_are_rules_and_start_what_comes_later(
    api: Api, making: Any
) -> None:
    caller = api.caller("*")
    made = caller.post("/polls", {"flow": CONTRACT})
    assert made.status_code == 201, made.text
    poll = made.get_json()
    [rule] = all_pages(caller, "/rules")
    assert (rule["flow"], rule["from_flow"], rule["status"]) == ("passport-hours", True, "active")
    assert caller.post(f"/polls/{poll['id']}/open", {}).status_code == 202
    with making() as make:
        asked = make.db.get_one(Ask, (make.organisation_id, UUID(poll["id"])))
        agreed: dict[str, Any] = {"consented": ("registration", "polls"), "time_zone": "UTC"}
        people = [make.contact(**agreed, address=f"telegram:{70 + at}") for at in range(3)]
        given = ["saturday", "mornings", "saturday"]
        answer(make, asked, [
            {"when_open": value, "contact": one.id}
            for one, value in zip(people, given, strict=True)
        ])  # fmt: skip
        saturday = {str(one.id) for one in people if one is not people[1]}
    assert caller.post("/polls", {"flow": LATER}).status_code == 201
    api.clock.advance(timedelta(days=3, hours=3))
    line = api.app.extensions["homeline"]
    firings.fire_all(line.engine, line.keys.open, now=api.clock.now())
    dues.run(line.engine, line.directory.read_catalogue, now=api.clock.now())
    fired = list(all_pages(caller, f"/rules/{rule['id']}/firings"))
    assert {(one["contact_id"], one["status"]) for one in fired} == {
        (contact_id, "done") for contact_id in saturday
    }
    assert {one["figures"]["answers"]["when_open"] for one in fired} == {"saturday"}
    rehearsed = caller.post(f"/rules/{rule['id']}/rehearse", {}).get_json()["data"]
    assert {one["contact_id"] for one in rehearsed} == saturday
    looks = [row for row in all_pages(caller, "/audit") if row["action"].endswith(".read")]
    assert {row["action"]: row["detail"]["rows"] for row in looks} == {
        "firings.read": 2,
        "contacts.read": 2,
    }
    asks_them = caller.get("/messages?limit=100").get_json()["data"]
    assert {one["contact_id"] for one in asks_them if "early?" in (one["text"] or "")} == saturday


def test_without_people_read_a_rehearsal_counts_nobody(api: Api, polls: None) -> None:
    made = api.caller("rules:write").post("/rules", RULE).get_json()
    told = api.caller("rules:read").post(f"/rules/{made['id']}/rehearse", {}).get_json()
    assert (told["firings"], told["data"]) == (None, [])
