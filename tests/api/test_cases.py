"""Cases over the API: the queue, the words behind their own scope, and officers' answers."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from models import Case, CaseReason, CaseStatus, Contact, Message, Staff
from models.base import new_id
from models.staff import Role
from services.rights.mydata import everything
from tests.api.stage import Api, Caller, all_pages, problem
from tests.factories import Factory

Making = Callable[[], AbstractContextManager[Factory]]
NOBODY = "00000000-0000-7000-8000-000000000000"
WORDS = "Venez lundi.\nمرحبا = +1 {office}"


@pytest.fixture
def case_id(making: Making) -> str:
    """Somebody called a person and wrote what it is about."""
    with making() as make:
        contact = make.contact(consented=True)
        found = make.case(contact, unread=1, question="country")
        said = {"kind": "message", "case": str(found.id)}
        make.message(contact, typed="my passport is lost", content=said)
        make.message(contact, typed="nothing to do with it")
        return str(found.id)


def officer(make: Factory, email: bytes, disabled_at: datetime | None = None) -> str:
    staff = Staff(
        id=new_id(make.now),
        organisation_id=make.organisation_id,
        email_hash=email,
        email=email,
        role=Role.OFFICER,
        created_at=make.now,
        disabled_at=disabled_at,
    )
    make.db.add(staff)
    return str(staff.id)


def test_a_case_opens_for_who_may_read_people(caller: Caller, case_id: str) -> None:
    told = caller.get(f"/cases/{case_id}").get_json()
    assert (told["status"], told["reason"], told["unread"]) == ("open", "person", 0)
    assert (told["question"], told["assigned_to"], told["closed_at"]) == ("country", None, None)
    assert [(one["direction"], one["text"]) for one in told["messages"]] == [
        ("in", "my passport is lost")
    ]


def test_who_works_the_queue_only_learns_nothing_of_the_person(api: Api, case_id: str) -> None:
    clerk = api.caller("cases:read")
    listed = clerk.get("/cases").get_json()["data"]
    told = clerk.get(f"/cases/{case_id}").get_json()
    assert told["messages"] is None
    for row in (*listed, told):
        assert row["contact_id"] is row["question"] is None
        assert (row["id"], row["unread"]) == (case_id, 1), "nothing was read"


def test_cases_that_follow_an_answer_are_listed_for_readers_of_people_only(
    api: Api, case_id: str, making: Making
) -> None:
    with making() as make:
        make.db.get_one(Case, (make.organisation_id, UUID(case_id))).reason = CaseReason.FOLLOW_UP
    clerk, reader = api.caller("cases:read"), api.caller("cases:read", "people:read")
    assert clerk.get("/cases").get_json()["data"] == []
    problem(clerk.get(f"/cases/{case_id}"), 404)
    assert [row["id"] for row in reader.get("/cases").get_json()["data"]] == [case_id]


def test_every_view_is_recorded_and_the_person_can_see_it(
    api: Api, case_id: str, making: Making
) -> None:
    api.caller("*").get(f"/cases/{case_id}", Homeline_Reason="answering")
    api.caller("cases:read").get(f"/cases/{case_id}")
    api.caller("cases:read").get("/cases")
    with making() as make:
        contact_id = make.db.scalars(select(Contact.id)).one()
        rows = everything(make.db, make.keyring, make.keys, contact_id)
    viewed = [(one["action"], one["reason"]) for one in rows["audit_events"]]
    assert viewed == [("case.viewed", "answering"), ("case.viewed", None), ("cases.read", None)]


def test_an_answer_is_queued_sealed_and_as_it_was_written(
    caller: Caller, case_id: str, making: Making
) -> None:
    answer = caller.post(f"/cases/{case_id}/answer", {"text": WORDS})
    assert answer.status_code == 202
    assert (answer.get_json()["case_id"], answer.get_json()["status"]) == (case_id, "queued")
    with making() as make:
        message = make.db.get_one(
            Message, (make.organisation_id, UUID(answer.get_json()["message_id"]))
        )
        assert "lundi" not in str(message.content)
        assert b"lundi" not in (message.sealed or b"")
    told = caller.get(f"/cases/{case_id}").get_json()
    assert told["status"] == "answered"
    assert told["messages"][-1]["text"] == WORDS


def test_an_answer_sent_twice_is_queued_once(caller: Caller, case_id: str) -> None:
    body = {"text": "come on Monday"}
    first = caller.post(f"/cases/{case_id}/answer", body, Idempotency_Key="one")
    again = caller.post(f"/cases/{case_id}/answer", body, Idempotency_Key="one")
    assert again.get_json() == first.get_json()
    assert len(caller.get(f"/cases/{case_id}").get_json()["messages"]) == 2


@pytest.mark.parametrize("text", ["", "   ", "x" * 1001, "bell \x07", "\x1b[2J", 7, None])
def test_what_cannot_be_sent_is_refused(caller: Caller, case_id: str, text: object) -> None:
    told = problem(caller.post(f"/cases/{case_id}/answer", {"text": text}), 422)
    assert told["errors"][0]["place"] == "text"
    assert len(caller.get(f"/cases/{case_id}").get_json()["messages"]) == 1


def test_a_case_is_given_to_an_officer_and_taken_back(
    caller: Caller, case_id: str, making: Making
) -> None:
    with making() as make:
        ours, gone = officer(make, b"one"), officer(make, b"other", make.now)
    given = caller.post(f"/cases/{case_id}/assign", {"assigned_to": ours})
    assert given.get_json()["assigned_to"] == ours
    assert [row["id"] for row in all_pages(caller, f"/cases?assigned_to={ours}")] == [case_id]
    for nobody in (gone, NOBODY):
        refused = caller.post(f"/cases/{case_id}/assign", {"assigned_to": nobody})
        assert problem(refused, 422)["errors"][0]["place"] == "assigned_to"
    back = caller.post(f"/cases/{case_id}/assign", {"assigned_to": None})
    assert back.get_json()["assigned_to"] is None
    problem(caller.post(f"/cases/{case_id}/assign", {}), 422)


def test_a_closed_case_takes_no_answer_and_closes_once(caller: Caller, case_id: str) -> None:
    closed = caller.post(f"/cases/{case_id}/close", {}).get_json()
    assert (closed["status"], closed["closed_at"]) == ("closed", "2026-03-02T09:00:00Z")
    assert caller.post(f"/cases/{case_id}/close", {}).get_json() == closed
    problem(caller.post(f"/cases/{case_id}/answer", {"text": "hello"}), 409, "conflict")
    actions = [one["action"] for one in caller.get("/audit").get_json()["data"]]
    assert actions.count("case.closed") == 1


def test_who_has_stopped_without_asking_is_not_written_to(caller: Caller, making: Making) -> None:
    with making() as make:
        stopped = str(make.case(make.contact(stopped=True), CaseReason.STOPPED_MESSAGE).id)
    problem(caller.post(f"/cases/{stopped}/answer", {"text": "hello"}), 403, "not_allowed")


def test_filters_narrow_the_list(caller: Caller, case_id: str, making: Making) -> None:
    with making() as make:
        danger = str(make.case(make.contact(), CaseReason.DANGER).id)
    caller.post(f"/cases/{case_id}/close", {})

    def ids(query: str) -> list[str]:
        return [row["id"] for row in all_pages(caller, f"/cases?{query}", limit=1)]

    assert ids("") == [case_id, danger]
    assert ids("status=open") == [danger]
    assert ids("status=closed&reason=person") == [case_id]
    assert ids("reason=danger") == [danger]
    assert ids(f"assigned_to={NOBODY}") == []
    problem(caller.get("/cases?status=lost"), 422)


def test_a_full_page_says_that_there_is_more(caller: Caller, making: Making) -> None:
    with making() as make:
        contact = make.contact()
        for _ in range(201):
            make.case(contact, status=CaseStatus.CLOSED)
    assert len(list(all_pages(caller, "/cases", limit=200))) == 201


def test_reading_and_writing_are_two_scopes(api: Api, case_id: str) -> None:
    reader, writer = api.caller("cases:read", "people:read"), api.caller("cases:write")
    for step in ("answer", "assign", "close"):
        problem(reader.post(f"/cases/{case_id}/{step}", {}), 403, "scope_missing")
    problem(writer.get(f"/cases/{case_id}"), 403, "scope_missing")
    assert writer.post(f"/cases/{case_id}/answer", {"text": "hello"}).status_code == 202
