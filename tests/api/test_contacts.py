"""Contacts: masked, recorded, filtered, erased."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import select

from models import AuditEvent, ConsentEvent, Contact, Message, Tombstone
from tests.api.stage import Api, Caller, all_pages, problem
from tests.factories import Factory

Making = Callable[[], AbstractContextManager[Factory]]
NUMBER = "+447700900123"
NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def amal(making: Making) -> str:
    """Somebody in South Africa who agreed, reached by SMS."""
    with making() as make:
        contact = make.contact(
            consented=True,
            address=f"sms:{NUMBER}",
            country="ZA",
            channel=None,
            rest={"shoe": "sandal"},
            consents=["registration"],
        )
        return str(contact.id)


def test_a_contact_is_told_with_what_is_known(caller: Caller, amal: str) -> None:
    told = caller.get(f"/contacts/{amal}").get_json()
    assert told["id"] == amal
    assert told["status"] == "active"
    assert told["profile"] == {"country": "ZA", "shoe": "sandal"}
    assert told["consents"] == ["registration"]
    assert told["created_at"] == "2026-03-02T09:00:00Z"


def test_an_address_is_masked_unless_there_is_a_scope_and_a_reason(api: Api, amal: str) -> None:
    full, reader = api.caller("people:read", "people:addresses"), api.caller("people:read")

    def shown(caller: Caller, **headers: str) -> str:
        (address,) = caller.get(f"/contacts/{amal}", **headers).get_json()["addresses"]
        return str(address["address"])

    assert shown(reader) == "sms:•••"
    assert shown(reader, Homeline_Reason="asked-by-phone") == "sms:•••"
    assert shown(full) == "sms:•••"
    assert shown(full, Homeline_Reason="asked-by-phone") == f"sms:{NUMBER}"


def test_every_view_of_a_person_is_recorded(api: Api, amal: str) -> None:
    caller = api.caller("*")
    caller.get(f"/contacts/{amal}", Homeline_Reason="asked-by-phone")
    caller.get(f"/contacts/{amal}/consents")
    links = caller.get(f"/audit?subject_id={amal}").get_json()["data"]
    assert [(one["action"], one["detail"]) for one in links] == [
        ("contact.viewed", {"addresses": True, "reason": "asked-by-phone"}),
        ("consents.viewed", {}),
    ]
    assert {one["actor_id"] for one in links} == {str(caller.key_id)}


def test_a_reason_is_a_word_and_never_a_sentence(caller: Caller, amal: str) -> None:
    for reason in ("She called me", "x", "+447700900123", "call-447700900123", "Naïve"):
        told = problem(caller.get(f"/contacts/{amal}", Homeline_Reason=reason), 422)
        assert told["errors"][0]["place"] == "homeline-reason"
        assert reason not in str(told["errors"][0])


def test_consents_are_told_with_their_wording(caller: Caller, amal: str) -> None:
    (event,) = caller.get(f"/contacts/{amal}/consents").get_json()["data"]
    assert (event["purpose"], event["action"]) == ("registration", "granted")
    assert (event["language"], event["channel"]) == ("en", "telegram")
    assert event["text_sha256"] is None
    problem(caller.get(f"/contacts/{NOBODY}/consents"), 404)


def test_consents_of_everybody_are_listed(caller: Caller, amal: str, making: Making) -> None:
    with making() as make:
        other = str(make.contact(consented=["messages", "registration"]).id)

    def people(query: str) -> list[str]:
        return [row["contact_id"] for row in all_pages(caller, f"/consents?{query}")]

    assert people("") == [amal, other, other]
    assert people("purpose=registration") == [amal, other]
    assert people(f"contact_id={other}&purpose=messages") == [other]
    assert people("action=withdrawn") == []
    assert people("after=2026-03-02T09:00:00Z") == []


def test_filters_narrow_the_list(caller: Caller, amal: str, making: Making) -> None:
    with making() as make:
        stopped = str(make.contact(stopped=True, language="fr").id)

    def ids(query: str) -> list[str]:
        return [row["id"] for row in caller.get(f"/contacts?{query}").get_json()["data"]]

    assert ids("") == [amal, stopped]
    assert ids("status=stopped") == [stopped]
    assert ids("language=fr") == [stopped]
    assert ids("country=ZA") == [amal]
    assert ids("consent=registration") == [amal]
    assert ids(f"office_id={NOBODY}") == []
    assert ids("seen_after=2026-03-02T09:00:00Z") == []
    assert [row["id"] for row in all_pages(caller, "/contacts", limit=1)] == [amal, stopped]


def test_erasing_leaves_a_tombstone_and_nothing_else(api: Api, amal: str, making: Making) -> None:
    with making() as make:
        contact = make.db.scalars(select(Contact)).one()
        make.message(contact, typed="hello")
    eraser = api.caller("people:erase")
    assert eraser.delete(f"/contacts/{amal}", Homeline_Reason="asked-by-letter").status_code == 204
    with making() as make:
        for table in (Contact, ConsentEvent, Message):
            assert make.db.scalars(select(table)).first() is None
        assert make.db.scalars(select(Tombstone)).one().reason == "asked-by-letter"
        link = make.db.scalars(select(AuditEvent).order_by(AuditEvent.number.desc())).first()
        assert link is not None
        assert (link.action, link.actor_id) == ("contact.erased", eraser.key_id)
    problem(eraser.delete(f"/contacts/{amal}", Homeline_Reason="asked-by-letter"), 404)


def test_erasing_needs_its_scope_and_a_reason(api: Api, amal: str) -> None:
    problem(api.caller("people:read").delete(f"/contacts/{amal}"), 403, "scope_missing")
    problem(api.caller("*").delete(f"/contacts/{amal}"), 422, "reason_missing")
    assert api.caller("*").get(f"/contacts/{amal}").status_code == 200
