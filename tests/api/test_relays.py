"""Communities, leaders and relays through the API."""

from itertools import count
from typing import Any
from uuid import UUID

from models.db import transaction
from models.flow_session import FlowSession, SessionStatus
from models.organisation import Organisation
from models.relay import Flag, FlagKind
from tests.api.stage import Api, Caller, all_pages, problem
from tests.api.test_polls import opened
from tests.factories import Factory


def invited(caller: Caller, **order: Any) -> dict[str, Any]:
    answer = caller.post("/leaders", order)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def relay(caller: Caller, poll: dict[str, Any], **order: Any) -> dict[str, Any]:
    answer = caller.post("/relays", {"poll_id": poll["id"]} | order)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


VERSIONS = count(7)


def answers(make: Factory, poll: Any, relay_ids: list[str | None]) -> list[FlowSession]:
    """Somebody who answered through each of these relays, or through none."""
    came, version = [], make.flow_version(next(VERSIONS))
    for relay_id in relay_ids:
        session = make.flow_session(make.contact(), version, SessionStatus.COMPLETE)
        came_by = {"relay": relay_id} if relay_id else {}
        session.origin = {"ask": poll["id"]} | came_by
        session.completed_at = make.now
        make.answer(session, "when_open", "saturday")
        came.append(session)
    make.db.flush()
    return came


def test_a_leader_is_invited_by_number_with_a_code_told_once(caller: Caller) -> None:
    community = caller.post("/communities", {"name": "Cape Town nurses"}).get_json()
    assert [one["id"] for one in all_pages(caller, "/communities")] == [community["id"]]
    problem(caller.post("/communities", {"name": "Cape Town nurses"}), 409)
    told = invited(caller, number="+27 82 123 4567", community_id=community["id"])
    assert told["status"] == "invited"
    assert told["send"] == f"RELAY {told['code']}"
    [listed] = all_pages(caller, "/leaders")
    assert listed == {name: told[name] for name in listed}
    assert "code" not in listed
    assert "4567" not in caller.get("/leaders").text
    problem(caller.post("/leaders", {"number": "+27821234567"}), 409)
    revoked = caller.post(f"/leaders/{told['id']}/revoke", {})
    assert revoked.get_json()["status"] == "revoked"
    problem(caller.post(f"/leaders/{told['id']}/revoke", {}), 409)


def test_an_invitation_sent_twice_is_one_and_tells_its_code_again(caller: Caller) -> None:
    named = caller.headers({"Idempotency-Key": "amina"})
    order = {"number": "+27821234567"}
    first, again = (
        caller.client.post("/api/v1/leaders", json=order, headers=named).get_json()
        for _ in range(2)
    )
    assert first["send"] == again["send"]
    assert len(list(all_pages(caller, "/leaders"))) == 1


def test_what_is_no_number_and_no_community_is_told(caller: Caller) -> None:
    refused = problem(caller.post("/leaders", {"number": "082"}), 422)
    assert "with its country" in refused["detail"]
    unknown = {"community_id": "00000000-0000-7000-8000-000000000000"}
    problem(caller.post("/leaders", unknown), 422)


def test_a_leader_has_one_code_for_a_poll_at_a_time(caller: Caller) -> None:
    poll, leader = opened(caller), invited(caller)
    first = relay(caller, poll, leader_id=leader["id"])
    order = {"poll_id": poll["id"], "leader_id": leader["id"], "quota": 100}
    told = problem(caller.post("/relays", order), 409)
    assert "has a code for this poll already" in told["detail"]
    caller.post(f"/relays/{first['id']}/close", {})
    assert caller.post("/relays", order).get_json()["quota"] == 100


def test_reach_is_told_in_bands_and_includes_helpers(caller: Caller, making: Any) -> None:
    poll = opened(caller)
    poster = relay(caller, poll, quota=500)
    assert poster["url"] == f"https://line.example/j/{poster['code']}"
    assert (poster["leader_id"], poster["quota"], poster["answered"]) == (None, 500, None)
    leader = invited(caller)
    own = relay(caller, poll, leader_id=leader["id"])
    helper = relay(caller, poll, leader_id=leader["id"], parent_id=own["id"])
    with making() as make:
        answers(make, poll, [own["id"]] * 9 + [helper["id"]] * 14)

    def told() -> dict[str, Any]:
        rows = all_pages(caller, f"/relays?poll_id={poll['id']}")
        return {row["id"]: row["answered"] for row in rows}

    assert set(told().values()) == {None}, "nine are what is left of all who answered"
    with making() as make:
        answers(make, poll, [None] * 13 + [own["id"]] * 3)
    assert told() == {poster["id"]: None, own["id"]: 20, helper["id"]: 20}


def test_marked_answers_are_told_in_bands_too(caller: Caller, making: Any) -> None:
    poll = opened(caller)
    poster = relay(caller, poll)
    with making() as make:
        sessions = answers(make, poll, [poster["id"]] * 24)
        for session in sessions[:12]:
            make.db.add(
                Flag(
                    organisation_id=make.organisation_id,
                    session_id=session.id,
                    kind=FlagKind.VELOCITY,
                    relay_id=UUID(poster["id"]),
                    flagged_at=make.now,
                )
            )
    found = caller.get(f"/relays/{poster['id']}").get_json()
    assert found["answered"] == 20
    assert found["flagged"] == {"velocity": 20, "straight_line": None, "over_quota": None}


def test_a_relay_is_closed_once_and_none_is_made_for_what_is_over(caller: Caller) -> None:
    poll = opened(caller)
    made = relay(caller, poll)
    closed = caller.post(f"/relays/{made['id']}/close", {})
    assert closed.get_json()["closed_at"]
    problem(caller.post(f"/relays/{made['id']}/close", {}), 409)
    caller.post(f"/polls/{poll['id']}/cancel", {})
    problem(caller.post("/relays", {"poll_id": poll["id"]}), 409)


def test_a_relay_stands_below_one_of_the_same_poll_only(caller: Caller) -> None:
    poll = opened(caller)
    above = relay(caller, poll)
    below = relay(caller, poll, parent_id=above["id"])
    problem(caller.post("/relays", {"poll_id": poll["id"], "parent_id": below["id"]}), 422)
    other = relay(caller, opened(caller))
    problem(caller.post("/relays", {"poll_id": poll["id"], "parent_id": other["id"]}), 422)


def test_a_new_relay_can_be_entered_with_the_next_message(api: Api, caller: Caller) -> None:
    poll = opened(caller)
    with transaction(api.engine, api.organisation.id) as db:
        before = db.get_one(Organisation, api.organisation.id).catalogue_version
    relay(caller, poll)
    with transaction(api.engine, api.organisation.id) as db:
        assert db.get_one(Organisation, api.organisation.id).catalogue_version == before + 1
