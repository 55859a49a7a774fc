"""Two organisations: neither sees, counts, erases or collides with the other."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from tests.api.stage import Api, problem
from tests.api.test_channels import SMS
from tests.api.test_flows import POLL
from tests.conftest import another_organisation
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]
LISTS = ("/registrations", "/contacts", "/messages", "/flows", "/channels")


def test_another_organisation_sees_nothing(api: Api, making: Making, keyring: Any) -> None:
    stranger = another_organisation(api.engine, keyring, api.clock.now(), "Another")
    with making() as make:
        contact = make.contact(consented=True, mid_flow=True)
        make.message(contact, typed="hello")
        office_id = str(make.office().id)
        contact_id = str(contact.id)
    ours, theirs = api.caller("*"), api.caller("*", organisation=stranger)
    for path in LISTS:
        if path != "/registrations":
            assert ours.get(path).get_json()["data"], path
        assert theirs.get(path).get_json()["data"] == [], path
    problem(theirs.get(f"/contacts/{contact_id}"), 404)
    problem(theirs.get(f"/contacts/{contact_id}/consents"), 404)
    problem(theirs.delete(f"/contacts/{contact_id}", Homeline_Reason="mischief"), 404)
    problem(theirs.get("/flows/passport-hours"), 404)
    assert theirs.get(f"/messages?contact_id={contact_id}").get_json()["data"] == []
    assert theirs.get(f"/audit?subject_id={contact_id}").get_json()["data"] == []
    theirs.post("/flows", POLL)
    refused = theirs.post("/flows/passport-hours/entry-codes", {"office_id": office_id})
    problem(refused, 422)
    assert theirs.get("/organisation").get_json()["name"] == "Another"
    assert ours.get(f"/contacts/{contact_id}").status_code == 200


def test_equal_names_on_both_sides_do_not_meet(api: Api, keyring: Any) -> None:
    stranger = another_organisation(api.engine, keyring, api.clock.now(), "Another")
    ours, theirs = api.caller("*"), api.caller("*", organisation=stranger)
    for each in (ours, theirs):
        assert each.post("/flows", POLL, Idempotency_Key="same").status_code == 201
        assert each.post("/channels", SMS, Idempotency_Key="same2").status_code == 201
    assert ours.get("/channels").get_json() != theirs.get("/channels").get_json()


def test_a_cursor_does_not_pass_the_wall(api: Api, making: Making, keyring: Any) -> None:
    stranger = another_organisation(api.engine, keyring, api.clock.now(), "Another")
    with making() as make:
        for _ in range(2):
            make.contact()
    cursor = api.caller("*").get("/contacts?limit=1").get_json()["next_cursor"]
    theirs = api.caller("*", organisation=stranger)
    told = problem(theirs.get(f"/contacts?cursor={cursor}"), 422)
    assert told["errors"][0]["place"] == "cursor"
