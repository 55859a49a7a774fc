"""GET /registrations: the shape of the contract, opened answers, filters, pages."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from models.flow_session import SessionStatus
from tests.api.stage import Api, Caller, all_pages, problem
from tests.conftest import MovedByHand
from tests.factories import Factory

Making = Callable[[], AbstractContextManager[Factory]]


def test_a_registration_is_told_as_the_contract_says(caller: Caller, making: Making) -> None:
    with making() as make:
        contact = make.contact(consented=True)
        session = make.flow_session(
            contact, make.flow_version(kind="registration"), SessionStatus.COMPLETE
        )
        make.answer(session, "country", "ZA")
        make.answer(session, "purposes", ["news", "crisis"])
        make.answer(session, "name", typed="Amal of Example Street")
        make.answer(session, "gender")
        contact_id, session_id = str(contact.id), str(session.id)
    (row,) = caller.get("/registrations").get_json()["data"]
    assert row == {
        "id": session_id,
        "contact_id": contact_id,
        "flow": "passport-hours",
        "version": 1,
        "status": "complete",
        "language": "en",
        "channel": "telegram",
        "answers": {
            "country": "ZA",
            "gender": None,
            "name": "Amal of Example Street",
            "purposes": ["news", "crisis"],
        },
        "started_at": "2026-03-02T09:00:00Z",
        "updated_at": "2026-03-02T09:00:00Z",
        "completed_at": None,
    }
    assert caller.get(f"/registrations/{session_id}").get_json() == row


def test_whoever_has_not_finished_is_partial(caller: Caller, making: Making) -> None:
    with making() as make:
        version = make.flow_version(kind="registration")
        for status in SessionStatus:
            make.flow_session(make.contact(), version, status)

    def count(query: str = "") -> int:
        return len(caller.get(f"/registrations{query}").get_json()["data"])

    assert count() == 5
    assert count("?status=complete") == 1
    assert count("?status=stopped") == 1
    assert count("?status=partial") == 3


def test_filters_narrow_the_list(caller: Caller, making: Making, clock: MovedByHand) -> None:
    with making() as make:
        registration = make.flow_version(kind="registration", flow="registration")
        french = make.contact(language="fr")
        make.flow_session(french, registration)
        make.flow_session(make.contact(), registration)
        make.flow_session(make.contact(), make.flow_version())
        french_id = str(french.id)
    begun = clock.now()
    clock.advance(timedelta(hours=1))
    with making() as make:
        version = make.flow_version(kind="registration", flow="later")
        make.flow_session(make.contact(), version)

    def flows(query: str) -> list[str]:
        return [row["flow"] for row in caller.get(f"/registrations{query}").get_json()["data"]]

    assert flows("") == ["registration", "registration", "later"]
    assert flows("?flow=passport-hours") == ["passport-hours"]
    assert flows("?language=fr") == ["registration"]
    assert flows(f"?contact_id={french_id}") == ["registration"]
    assert flows("?channel=sms") == []
    assert flows(f"?updated_after={begun:%Y-%m-%dT%H:%M:%S}Z") == ["later"]


def test_pages_are_stable_while_rows_come(caller: Caller, making: Making) -> None:
    with making() as make:
        version = make.flow_version(kind="registration")
        first = [str(make.flow_session(make.contact(), version).id) for _ in range(5)]
        version_id = version.id
    seen = []
    for row in all_pages(caller, "/registrations"):
        seen.append(row["id"])
        if len(seen) in {1, 3}:
            with making() as make:
                again = make.db.get_one(type(version), (make.organisation_id, version_id))
                make.flow_session(make.contact(), again)
    assert seen[:5] == first
    assert len(seen) == len(set(seen)) == 7


def test_each_view_of_a_person_is_in_the_chain(caller: Caller, making: Making) -> None:
    with making() as make:
        contact = make.contact()
        version = make.flow_version(kind="registration")
        session = make.flow_session(contact, version)
        contact_id, session_id = str(contact.id), str(session.id)
    caller.get("/registrations", Homeline_Reason="weekly-export")
    caller.get(f"/registrations/{session_id}")
    links = caller.get("/audit").get_json()["data"]
    page, view = links[-2:]
    assert page["action"] == "registrations.read"
    assert page["actor_id"] == str(caller.key_id)
    assert page["detail"] == {
        "rows": 1,
        "first": session_id,
        "last": session_id,
        "reason": "weekly-export",
    }
    assert (view["action"], view["subject_id"]) == ("registration.viewed", contact_id)


def test_a_registration_that_is_not_there_is_a_problem(caller: Caller, api: Api) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    problem(caller.get(f"/registrations/{nobody}"), 404, "not_found")
    problem(caller.get("/registrations/not-an-id"), 404, "not_found")
    problem(api.caller("flows:read").get("/registrations"), 403, "scope_missing")
