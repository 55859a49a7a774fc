"""Voice notes over the API: who said one, and the recording itself, for a reason."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import select

from models import AuditEvent, Recording
from tests.api.stage import Api, Caller, problem
from tests.factories import Factory

Making = Callable[[], AbstractContextManager[Factory]]
SAID = b"OggS my words"
WHY = {"Homeline-Reason": "case-17"}


@pytest.fixture
def recording(making: Making) -> Recording:
    with making() as make:
        return make.recording(make.flow_session(make.contact(consented=True)), SAID)


def test_a_voice_note_is_heard_with_a_reason(
    caller: Caller, recording: Recording, making: Making
) -> None:
    heard = caller.get(f"/recordings/{recording.id}", **WHY)
    assert (heard.status_code, heard.data, heard.content_type) == (200, SAID, "audio/ogg")
    assert heard.headers["Content-Disposition"].endswith('.ogg"')
    assert heard.headers["Cache-Control"] == "no-store"
    with making() as make:
        event = make.db.scalars(select(AuditEvent).filter_by(action="recording.heard")).one()
        assert event.subject_id == recording.contact_id
        assert event.detail["reason"] == "case-17"


def test_without_a_reason_nothing_is_heard(caller: Caller, recording: Recording) -> None:
    refused = caller.get(f"/recordings/{recording.id}")
    problem(refused, 422, "reason_missing")


def test_the_list_opens_nothing(caller: Caller, recording: Recording, api: Api) -> None:
    listed = caller.get(f"/recordings?contact_id={recording.contact_id}").get_json()["data"]
    assert [(one["id"], one["size"]) for one in listed] == [(str(recording.id), len(SAID))]
    assert (
        caller.get("/recordings?contact_id=00000000-0000-7000-8000-000000000000").get_json()["data"]
        == []
    )
    assert api.caller("cases:read").get("/recordings").status_code == 403


def test_a_case_names_the_voice_notes_of_its_person(
    caller: Caller, making: Making, api: Api
) -> None:
    with making() as make:
        contact = make.contact(consented=True)
        case_id = make.case(contact).id
        said = make.recording(make.flow_session(contact), SAID).id
    told = caller.get(f"/cases/{case_id}").get_json()
    assert [one["id"] for one in told["recordings"]] == [str(said)]
    clerk = api.caller("cases:read").get(f"/cases/{case_id}").get_json()
    assert clerk["recordings"] is None
