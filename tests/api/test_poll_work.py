"""What is done with a poll besides opening and closing it: translating, trying, reading texts."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from models import AskMode, BroadcastKind
from models.flow_session import SessionStatus
from models.message import MessageStatus
from services.broadcasts.expanding import sending_of
from tests import asks
from tests.api.stage import Api, Caller, all_pages, problem
from tests.api.test_flows import POLL
from tests.api.test_polls import drafted, opened
from tests.factories import Factory

Making = Callable[[], AbstractContextManager[Factory]]
WHY = {"Homeline_Reason": "weekly-reading"}
SPANISH = {
    "questions.when_open.text": "¿Cuándo abrir?",
    "questions.when_open.options.mornings.label": "Por la mañana",
    "questions.when_open.options.saturday.label": "El sábado",
}


def put(caller: Caller, path: str, body: Any) -> Any:
    return caller.client.put(f"/api/v1{path}", json=body, headers=caller.headers({}))


def test_a_draft_learns_a_language_text_by_text(caller: Caller) -> None:
    poll = drafted(caller)
    path = f"/polls/{poll['id']}/languages/es"
    listed = caller.get(path).get_json()
    assert listed["spoken"] is False
    needed = {row["place"]: row["source"] for row in listed["texts"] if row["needed"]}
    assert needed.keys() == SPANISH.keys()
    assert needed["questions.when_open.text"] == POLL["questions"][0]["text"]["en"]
    first = put(caller, path, {"texts": {"questions.when_open.text": "¿Cuándo abrir?"}})
    assert first.status_code == 200, first.text
    missing = {one["language"]: one["places"] for one in first.get_json()["missing_languages"]}
    assert missing["es"] == [place for place in SPANISH if not place.endswith(".text")]
    whole = put(caller, path, {"texts": SPANISH}).get_json()
    assert "es" not in {one["language"] for one in whole["missing_languages"]}
    assert whole["definition"]["languages"] == [*POLL["languages"], "es"]
    texts = {row["place"]: row["text"] for row in caller.get(path).get_json()["texts"]}
    assert texts.items() >= SPANISH.items()
    also = {"questions.when_open.options.saturday.also": ["finde"]}
    named = put(caller, path, {"texts": also}).get_json()["definition"]["questions"][0]
    assert named["options"][1]["also"]["es"] == ["finde"]


@pytest.mark.parametrize(
    ("texts", "place"),
    [
        ({"questions.nothing.text": "x"}, "texts.questions.nothing.text"),
        ({"questions.when_open.text": ["x"]}, "texts.questions.when_open.text"),
        ({"questions.when_open.options.saturday.also": "x"},
         "texts.questions.when_open.options.saturday.also"),
        ({"questions.when_open.text": "What is your passport number?"},
         "flow.questions.when_open.text.es"),
    ],
)  # fmt: skip
def test_a_text_that_cannot_be_is_refused_with_its_place(
    caller: Caller, texts: dict[str, Any], place: str
) -> None:
    poll = drafted(caller)
    told = problem(put(caller, f"/polls/{poll['id']}/languages/es", {"texts": texts}), 422)
    assert place in {fault["place"] for fault in told["errors"]}
    assert caller.get(f"/polls/{poll['id']}").get_json() == poll


def test_a_sending_says_whom_it_goes_to(caller: Caller, making: Making) -> None:
    with making() as make:
        for _ in range(10):
            make.contact(consented=("registration", "polls"), country="ZA")
    poll = opened(caller, audience={"country": "ZA"})
    assert caller.post(f"/polls/{poll['id']}/remind", {}).status_code == 202
    rows = all_pages(caller, f"/broadcasts?poll_id={poll['id']}")
    assert [(row["kind"], row["goes_to"], row["condition"]) for row in rows] == [
        ("invitation", "audience", {"country": "ZA"}),
        ("reminder", "invited_and_silent", None),
    ]


@pytest.mark.parametrize(("mode", "goes_to"), [("named", "answered"), ("secret", "invited")])
def test_a_result_goes_to_who_answered_and_of_a_secret_poll_to_who_was_invited(
    making: Making, mode: str, goes_to: str
) -> None:
    with making() as make:
        asked = asks.ask(make, mode=AskMode(mode))
        for kind in (BroadcastKind.RESULT, BroadcastKind.REPORT_BACK):
            told = sending_of(make.db, asks.broadcast(make, asked, kind=kind))
            assert told.goes_to == goes_to


def test_an_open_poll_keeps_its_words(caller: Caller) -> None:
    poll = opened(caller)
    problem(put(caller, f"/polls/{poll['id']}/languages/es", {"texts": SPANISH}), 409)
    problem(put(caller, f"/polls/{poll['id']}/languages/n%C3%A9", {"texts": SPANISH}), 422)


def test_a_test_goes_to_one_contact_or_address_in_a_language_of_the_poll(
    caller: Caller, making: Making
) -> None:
    with making() as make:
        person = str(make.contact(consented=True, address="telegram:1001").id)
        stranger = str(make.contact(address="telegram:1002").id)
        make.contact(consented=True, stopped=True, address="telegram:1003")
    poll = drafted(caller)
    path = f"/polls/{poll['id']}/test"
    sent = caller.post(path, {"contact_id": person})
    assert sent.status_code == 202, sent.text
    told = sent.get_json()
    assert (told["contact_id"], told["language"], told["status"]) == (person, "en", "queued")
    again = caller.post(path, {"address": "telegram:1001", "language": "fr"}).get_json()
    assert (again["contact_id"], again["language"], again["channel"]) == (person, "fr", "telegram")
    said = [row["text"] for row in caller.get("/messages").get_json()["data"]]
    assert said[0].startswith("A test: only you get this")
    assert said[1].startswith("Essai : vous seul recevez ceci")
    for body, status in (
        ({}, 422),
        ({"contact_id": person, "address": "telegram:1001"}, 422),
        ({"contact_id": person, "language": "es"}, 422),
        ({"address": "telegram:9999"}, 404),
        ({"contact_id": stranger}, 409),
        ({"address": "telegram:1003"}, 409),
    ):
        problem(caller.post(path, body), status)
    (tested, _) = caller.get("/audit?action=ask.tested").get_json()["data"]
    assert tested["subject_id"] == person


def test_who_may_not_read_people_sends_no_test(api: Api) -> None:
    poll = drafted(api.caller("*"))
    writer = api.caller("polls:write")
    problem(writer.post(f"/polls/{poll['id']}/test", {"address": "telegram:1"}), 403)


@pytest.fixture
def written(making: Making) -> tuple[str, str]:
    """A poll in which two people wrote why, and one skipped it; the poll and the first one."""
    with making() as make:
        version = make.flow_version()
        asked = asks.ask(make, version=version)
        people = [make.contact(consented=True) for _ in range(3)]
        for person, why in zip(people, ("I work all week", "على راحتي", None), strict=True):
            session = make.flow_session(person, version, SessionStatus.COMPLETE)
            session.origin = {"ask": str(asked.id)}
            make.answer(session, "when_open", "saturday")
            if why:
                make.answer(session, "why", typed=why)
        return str(asked.id), str(people[0].id)


def test_texts_are_read_and_decided_about_for_a_reason(
    caller: Caller, written: tuple[str, str]
) -> None:
    poll_id, writer = written
    path = f"/polls/{poll_id}/texts"
    problem(caller.get(path), 422, "reason_missing")
    rows = caller.get(path, **WHY).get_json()["data"]
    assert [(row["text"], row["status"]) for row in rows] == [
        ("I work all week", "waiting"),
        ("على راحتي", "waiting"),
    ]
    assert writer not in caller.get(path, **WHY).text
    shown = caller.post(f"{path}/{rows[1]['id']}", {"decision": "shown"}, **WHY)
    assert (shown.status_code, shown.get_json()["status"]) == (200, "shown")
    caller.post(f"{path}/{rows[1]['id']}", {"decision": "hidden"}, **WHY)
    assert [row["id"] for row in caller.get(f"{path}?status=hidden", **WHY).get_json()["data"]] == [
        rows[1]["id"]
    ]
    assert caller.get(f"{path}?status=waiting&question=why", **WHY).get_json()["data"] == rows[:1]
    problem(caller.post(f"{path}/{rows[0]['id']}", {"decision": "shown"}), 422, "reason_missing")
    problem(caller.post(f"{path}/{rows[0]['id']}", {"decision": "burnt"}, **WHY), 422)
    problem(caller.post(f"{path}/nothing.why", {"decision": "shown"}, **WHY), 404)
    assert "I work" not in caller.get(f"/polls/{poll_id}/results").text


def test_an_escalated_text_opens_a_case_once(caller: Caller, written: tuple[str, str]) -> None:
    poll_id, writer = written
    path = f"/polls/{poll_id}/texts"
    first = caller.get(path, **WHY).get_json()["data"][0]["id"]
    for _ in range(2):
        told = caller.post(f"{path}/{first}", {"decision": "escalated"}, **WHY).get_json()
        assert told["status"] == "escalated"
    (case,) = caller.get("/cases").get_json()["data"]
    assert (case["contact_id"], case["question"], case["reason"]) == (writer, "why", "follow_up")
    (note, _) = caller.get("/audit?action=text.reviewed").get_json()["data"]
    assert note["subject_id"] == writer
    assert note["detail"]["decision"] == "escalated"


def test_a_text_written_anew_waits_again(
    api: Api, making: Making, written: tuple[str, str]
) -> None:
    caller, path = api.caller("*"), f"/polls/{written[0]}/texts"
    first = caller.get(path, **WHY).get_json()["data"][0]["id"]
    caller.post(f"{path}/{first}", {"decision": "shown"}, **WHY)
    with making() as make:
        later = make.now + timedelta(minutes=5)
        text = "update answers set answered_at = :later where sealed is not null"
        make.db.connection().exec_driver_sql(text.replace(":later", f"'{later.isoformat()}'"))
    statuses = [row["status"] for row in caller.get(path, **WHY).get_json()["data"]]
    assert statuses == ["waiting", "waiting"]


def test_texts_need_both_scopes(api: Api, written: tuple[str, str]) -> None:
    for scopes in (("texts:read",), ("people:read",)):
        problem(api.caller(*scopes).get(f"/polls/{written[0]}/texts", **WHY), 403)
    reader = api.caller("texts:read", "people:read")
    assert reader.get(f"/polls/{written[0]}/texts", **WHY).status_code == 200


def test_everybody_of_a_sending_is_listed_with_what_became_of_them(
    caller: Caller, making: Making
) -> None:
    with making() as make:
        asked = asks.ask(make)
        sending = asks.broadcast(make, asked)
        people = [make.contact(consented=True) for _ in range(3)]
        asks.recipient(make, sending, people[0])
        asks.recipient(make, sending, people[1], status="left_out", reason="stopped", send_at=None)
        message = make.message(
            people[2], direction="out", status=MessageStatus.FAILED, error_code="blocked"
        )
        asks.recipient(make, sending, people[2], status="queued", message_id=message.id)
        path = f"/broadcasts/{sending.id}/recipients"
        ids = [str(person.id) for person in people]
    rows = list(all_pages(caller, path))
    assert [(row["contact_id"], row["status"], row["reason"]) for row in rows] == [
        (ids[0], "waiting", None),
        (ids[1], "left_out", "stopped"),
        (ids[2], "failed", "blocked"),
    ]
    assert caller.get(f"{path}?reason=stopped").get_json()["data"] == [rows[1]]
    assert caller.get(f"{path}?status=failed").get_json()["data"] == [rows[2]]
    progress = caller.get(path.removesuffix("/recipients")).get_json()["progress"]
    assert (progress["waiting"], progress["sent"]) == (1, 0)
    assert (progress["left_out"], progress["failed"]) == ({"stopped": 1}, {"blocked": 1})
