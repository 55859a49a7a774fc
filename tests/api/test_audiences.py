"""Audiences and dry runs through the API."""

from typing import Any

import pytest

from flows.loader import library, load
from models.channel import ChannelKind
from services import flows
from tests.api.stage import Api, Caller, all_pages, problem
from tests.api.test_flows import POLL
from tests.api.test_polls import drafted, opened

PRICES = {"currency": "EUR", "sms": {"*": "0.10"}, "telegram": {"*": "0"}}


@pytest.fixture
def crowd(making: Any) -> None:
    """Twelve people in South Africa, three in Kenya, all of whom agreed to polls."""
    with making() as make:
        flows.publish(make.db, load(library()["registration"]), now=make.now)
        channel = make.channel(ChannelKind.SMS)
        for number in range(15):
            make.contact(
                consented=("registration", "polls"),
                address=f"sms:+1555000{number:04d}",
                channel=channel,
                country="ZA" if number < 12 else "KE",
            )


def saved(caller: Caller, condition: Any, name: str = "South Africa") -> dict[str, Any]:
    answer = caller.post("/audiences", {"name": name, "condition": condition})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def test_an_audience_is_saved_changed_and_read_at_any_version(caller: Caller, crowd: None) -> None:
    first = saved(caller, {"country": "ZA"})
    assert first["people"] == 12
    assert first["sentence"] == "country is South Africa"
    path = f"/audiences/{first['id']}"
    changed = caller.patch(path, {"condition": {"country": ["ZA", "KE"]}}).get_json()
    assert (changed["version"], changed["people"]) == (2, 15)
    before = caller.get(f"{path}?version=1&language=fr").get_json()
    assert before["condition"] == {"country": "ZA"}
    assert before["newest_version"] == 2
    problem(caller.get(f"{path}?version=3"), 404)
    problem(caller.get(f"{path}?version=2147483648"), 422)
    assert before["sentence"] == "le pays est Afrique du Sud"
    assert [row["id"] for row in all_pages(caller, "/audiences")] == [first["id"]]
    assert caller.delete(path).status_code == 204
    assert list(all_pages(caller, "/audiences")) == []
    problem(caller.post("/audiences", {"name": "South Africa", "condition": {"all": []}}), 409)


def test_a_condition_is_counted_for_whoever_may_and_that_is_recorded(api: Api, crowd: None) -> None:
    usual = api.caller("audiences:read")
    named = api.caller("audiences:read", "audiences:count", "audit:read")

    def told(caller: Caller, condition: Any) -> Any:
        found = caller.post("/audiences/preview", {"condition": condition}).get_json()
        return found["people"], found["reason"]

    assert told(usual, {"country": "ZA"}) == (None, "needs_audiences_count")
    assert told(named, {"country": "ZA"}) == (12, None)
    assert told(named, {"country": "KE"}) == (3, None)
    counted = [one["actor_id"] for one in all_pages(named, "/audit?action=audience.counted")]
    assert counted == [str(named.key_id)] * 2


def test_a_fault_of_a_condition_is_told_at_its_place(caller: Caller, crowd: None) -> None:
    either: list[dict[str, Any]] = [{"country": "South Africa"}, {"zzz": 1}]
    wrong = {"all": [{"country": "ZA"}, {"any": either}]}
    told = problem(caller.post("/audiences/preview", {"condition": wrong}), 422)
    assert told["errors"][0]["place"] == "condition.all[1].any[1].zzz"
    either.pop()
    told = problem(caller.post("/audiences/preview", {"condition": wrong}), 422)
    assert told["errors"] == [
        {
            "place": "condition.all[1].any[0].country",
            "problem": "has no such value; countries are codes of two letters, such as ZA",
        }
    ]


def test_a_dry_run_says_who_gets_a_poll_and_what_it_costs(caller: Caller, crowd: None) -> None:
    poll = drafted(caller, audience={"country": "ZA"})
    before = caller.post(f"/polls/{poll['id']}/dry-run", {}).get_json()
    assert before["example_prices"] is True
    answer = caller.client.put(
        "/api/v1/organisation/prices", json=PRICES, headers=caller.headers({})
    )
    assert answer.get_json() == PRICES | {"example": False}
    assert caller.get("/organisation/prices").get_json() == PRICES | {"example": False}
    found = caller.post(f"/polls/{poll['id']}/dry-run", {}).get_json()
    assert found["will_get"] == {"sms": 12}
    assert found["left_out"]["stopped"] == 0
    assert found["parts"] == 12
    assert found["cost"] == pytest.approx(1.2)
    assert found["currency"] == "EUR"
    assert found["by_country"] == [
        {"channel": "sms", "country": "ZA", "people": 12, "parts": 12, "cost": pytest.approx(1.2)}
    ]
    caller.post(f"/polls/{poll['id']}/cancel", {})
    problem(caller.post(f"/polls/{poll['id']}/dry-run", {}), 409)


def test_nobody_pushes_to_fewer_than_ten_without_the_right(api: Api, crowd: None) -> None:
    usual = api.caller("polls:read", "polls:write", "audiences:count")
    poll = drafted(usual, audience={"country": "KE"})
    refused = problem(usual.post(f"/polls/{poll['id']}/dry-run", {}), 403, "audience_too_small")
    assert "Fewer than 10 people" in refused["detail"]
    named = api.caller("polls:write", "audiences:count", "audiences:small", "audit:read")
    found = named.post(f"/polls/{poll['id']}/dry-run", {}).get_json()
    assert found["will_get"] == {"sms": 3}
    actions = [event["action"] for event in all_pages(named, "/audit", limit=50)]
    assert "audience.small_allowed" in actions


def test_who_may_not_count_pushes_to_saved_audiences_and_sees_no_number(
    api: Api, caller: Caller, crowd: None
) -> None:
    usual = api.caller("polls:read", "polls:write", "audiences:read")
    south = {"country": "ZA"}
    problem(usual.post("/polls", {"flow": POLL, "audience": south}), 403, "audience_not_saved")
    open_one = opened(usual)
    order = {"poll_id": open_one["id"], "audience": south}
    problem(usual.post("/broadcasts", order), 403, "audience_not_saved")
    audience = saved(caller, south)
    told = usual.get(f"/audiences/{audience['id']}").get_json()
    assert (told["people"], told["reason"]) == (None, "needs_audiences_count")
    poll = drafted(usual, audience=south)
    found = usual.post(f"/polls/{poll['id']}/dry-run", {}).get_json()
    assert found["parts_each"] == {"en": 1, "fr": 1}
    assert found["reason"] == "needs_audiences_count"
    people = ("will_get", "left_out", "parts", "cost", "by_country", "missing_languages")
    assert {name: found[name] for name in people} == dict.fromkeys(people)
    sent = usual.post("/broadcasts", {"poll_id": open_one["id"], "audience_id": audience["id"]})
    progress = sent.get_json()["progress"]
    assert set(progress.values()) == {None, "needs_audiences_count"}


def test_a_poll_for_nobody_has_no_dry_run(caller: Caller) -> None:
    poll = drafted(caller)
    problem(caller.post(f"/polls/{poll['id']}/dry-run", {}), 409)
