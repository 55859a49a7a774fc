"""GET /messages: words of both sides, filters, pages."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from models import MessageKind, MessageStatus
from tests.api.stage import Caller, all_pages
from tests.api.test_flows import POLL
from tests.factories import Factory

Making = Callable[[], AbstractContextManager[Factory]]


def test_both_sides_are_told_in_words(caller: Caller, making: Making) -> None:
    with making() as make:
        contact = make.contact(address="sms:+447700900123", language="fr")
        version = make.flow_version(**POLL)
        make.message(contact, typed="Bonjour, c'est \U0001f600 Amal", provider_id="SM1")
        make.message(
            contact,
            status=MessageStatus.SENT,
            kind=MessageKind.QUESTION,
            flow_version_id=version.id,
            question="when_open",
            content={"parts": [{"ask": "when_open"}], "tag": "1"},
        )
    said, asked = caller.get("/messages").get_json()["data"]
    assert said["text"] == "Bonjour, c'est \U0001f600 Amal"
    assert (said["direction"], said["status"], said["channel"]) == ("in", "received", "sms")
    assert said["provider_id"] == "SM1"
    assert asked["text"] == "Quand ouvrir ?\n1 Le matin\n2 Samedi"
    assert (asked["direction"], asked["status"], asked["kind"]) == ("out", "sent", "question")


def test_a_new_publication_is_known_at_once(caller: Caller, making: Making) -> None:
    with making() as make:
        contact = make.contact()
    assert caller.get("/messages").get_json()["data"] == []
    version_id = caller.post("/flows", POLL).get_json()["version_id"]
    with making() as make:
        contact = make.db.get_one(type(contact), (make.organisation_id, contact.id))
        content = {"parts": [{"ask": "when_open"}], "tag": "1"}
        make.message(contact, flow_version_id=version_id, content=content)
    (row,) = caller.get("/messages").get_json()["data"]
    assert row["text"] == "When should we be open?"


def test_what_was_no_words_has_no_text(caller: Caller, making: Making) -> None:
    with making() as make:
        make.message(make.contact(), content={"kind": "blocked"})
    (row,) = caller.get("/messages").get_json()["data"]
    assert row["text"] is None


def test_filters_and_pages(caller: Caller, making: Making) -> None:
    with making() as make:
        amal, bela = make.contact(), make.contact(address="sms:+447700900123")
        make.message(amal, typed="one")
        make.message(amal, status=MessageStatus.FAILED, error_code="21610")
        make.message(bela, typed="two")
        amal_id = str(amal.id)

    def count(query: str) -> int:
        return len(caller.get(f"/messages?{query}").get_json()["data"])

    assert count("") == 3
    assert count("direction=in") == 2
    assert count("status=failed") == 1
    assert count("channel=sms") == 1
    assert count(f"contact_id={amal_id}") == 2
    assert len(list(all_pages(caller, "/messages", limit=1))) == 3
    (view,) = caller.get(f"/audit?subject_id={amal_id}").get_json()["data"]
    assert (view["action"], view["detail"]) == ("messages.viewed", {"rows": 2})
