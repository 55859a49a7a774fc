"""A poll in a conversation: entered, told about, answered, changed, put off, and over."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid5

import pytest

from flows.flow import build
from flows.inputs import Pressed
from flows.loader import library, load
from models.ask import AskMode, AskStatus
from services.catalogue import Asked, Entry, Published
from tests.api.test_flows import POLL
from tests.conftest import BEGINNING
from tests.services.talking import ORGANISATION, Talk, catalogue

CODE = "k7m2pq"
ASK = uuid5(ORGANISATION, "ask")
RELAY = uuid5(ORGANISATION, "relay")
HOURS = Published(uuid5(ORGANISATION, "hours"), build(POLL))
WELCOME = Published(uuid5(ORGANISATION, "welcome"), load(library()["welcome"]))


def polled(published: Published = HOURS, **changed: Any) -> Any:
    """A catalogue with an open poll that closes on Friday; its code, and a leader's."""
    ask = Asked(
        **{
            "id": ASK,
            "code": CODE,
            "version_id": published.version_id,
            "flow": published.flow.id,
            "mode": AskMode.NAMED,
            "status": AskStatus.OPEN,
            "office_id": None,
            "opens_at": None,
            "closes_at": BEGINNING + timedelta(days=4),
            "told_on": (BEGINNING + timedelta(days=32)).date(),
            **changed,
        }
    )
    shipped = catalogue()
    flow = published.flow.id
    return replace(
        shipped,
        newest={**shipped.newest, flow: published, "welcome": WELCOME},
        versions={
            **shipped.versions,
            published.version_id: published,
            WELCOME.version_id: WELCOME,
        },
        entries={
            CODE: Entry(CODE, flow, ask_id=ASK),
            "r3l4y5": Entry("r3l4y5", flow, asker="x", ask_id=ASK, relay_id=RELAY),
        },
        words={"hours": flow, "horaires": flow},
        asks={ASK: ask},
    )


def member(kind: str = "telegram", **changed: Any) -> Talk:
    """Somebody who is registered, and a poll that is open."""
    return replace(Talk(kind=kind).registered(), catalogue=polled(**changed))


def origin(talk: Talk) -> dict[str, Any]:
    """Where the passage that the last message belongs to came from."""
    assert talk.rows is not None
    found: dict[str, Any] = talk.rows.sessions[-1]["origin"]
    return found


@pytest.mark.parametrize("words", [CODE, CODE.upper(), f"JOIN {CODE}", "Hours", "horaires"])
def test_a_code_or_a_word_asks_the_poll_and_tells_who_sees_the_answer(words: str) -> None:
    talk = member().say(words)
    assert talk.phrases == ["poll_named", "?when_open"]
    assert origin(talk)["ask"] == str(ASK)


def test_the_answer_is_said_back_with_the_day_of_the_result() -> None:
    talk = member().say(CODE).say("Saturday")
    assert talk.text == "Thank you. You said: Saturday.\nThe result comes on Friday."
    assert [choice.label for choice in talk.prompt.choices] == ["Change", "Menu"]


def test_a_result_more_than_a_week_away_has_a_date() -> None:
    talk = member(closes_at=BEGINNING + timedelta(days=20)).say(CODE).say("2")
    assert talk.text.endswith("The result comes on 22 March 2026.")


def test_on_sms_another_number_changes_the_answer() -> None:
    talk = member("sms").say(CODE).say("2")
    assert talk.text.endswith("Send another number to change it.")
    first = talk.rows and talk.rows.sessions[-1]["id"]
    talk.say("1")
    assert talk.text.startswith("Thank you. You said: Mornings.")
    assert talk.rows is not None
    assert talk.rows.answered[-1]["value"] == "mornings"
    assert talk.rows.sessions[-1]["id"] == first
    assert talk.rows.sessions[-1]["status"] == "complete"


def test_another_button_of_the_question_changes_the_answer_too() -> None:
    talk = member().say(CODE)
    mornings = talk.prompt.choices[0].payload
    talk.say("Saturday").say(Pressed(mornings))
    assert talk.text.startswith("Thank you. You said: Mornings.")


@pytest.mark.parametrize("how", ["CHANGE", "button"])
def test_change_asks_the_poll_again(how: str) -> None:
    talk = member().say(CODE).say("Saturday")
    talk = talk.press("done.change") if how == "button" else talk.say(how)
    assert talk.phrases == ["?when_open"]
    talk.say("Mornings")
    assert talk.text.startswith("Thank you. You said: Mornings.")


def test_whoever_comes_again_is_told_what_they_answered() -> None:
    talk = member().say(CODE).say("Saturday").say(CODE, after=timedelta(days=1))
    assert talk.text == "You answered: Saturday."
    talk.press("done.change").say("1")
    assert talk.text.startswith("Thank you. You said: Mornings.")


def test_what_is_no_answer_changes_nothing_afterwards() -> None:
    talk = member().say(CODE).say("Saturday").say("how are the children")
    assert talk.phrases == ["nothing_open"]


def test_the_menu_stands_under_the_thanks() -> None:
    talk = member().say(CODE).say("Saturday").press("done.menu")
    assert talk.phrases == ["?menu"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"status": AskStatus.DRAFT}, "poll_not_yet"),
        ({"status": AskStatus.DRAFT, "opens_at": BEGINNING + timedelta(days=2)}, "poll_opens_on"),
        ({"status": AskStatus.DRAFT, "opens_at": BEGINNING}, "poll_not_yet"),
        ({"status": AskStatus.CLOSING}, "poll_closed"),
        ({"closes_at": BEGINNING}, "poll_closed"),
        ({"status": AskStatus.CANCELED}, "poll_canceled"),
        ({"status": AskStatus.CLOSED}, "poll_result"),
    ],
)
def test_a_poll_that_is_not_open_says_so_kindly(changed: dict[str, Any], said: str) -> None:
    talk = member(**changed).say(CODE)
    assert talk.phrases == [said]
    if said == "poll_result":
        assert talk.text == f"This poll is closed. The result: https://line.example/r/{CODE}"


def test_an_answer_after_the_close_is_not_taken() -> None:
    talk = member().say(CODE)
    talk.say("Saturday", after=timedelta(days=5))
    assert talk.phrases == ["poll_closed"]
    assert talk.rows is not None
    assert talk.rows.answered == []
    assert talk.rows.sessions[-1]["status"] == "partial"


def test_a_change_after_the_close_is_not_taken() -> None:
    talk = member().say(CODE).say("Saturday")
    talk.catalogue = polled(status=AskStatus.CLOSED)
    talk.say("1")
    assert talk.phrases == ["poll_result"]
    assert talk.rows is not None
    assert talk.rows.answered == []
    talk.say(Pressed(f"{CODE}.done.change"))
    assert talk.phrases == ["poll_result"]


def test_a_stranger_consents_and_is_asked_at_once() -> None:
    talk = Talk(catalogue=polled()).say("JOIN r3l4y5")
    assert talk.phrases == ["?language"]
    assert "ask" not in origin(talk)
    talk.say("English")
    assert talk.phrases == ["?consent"]
    talk.say("I agree")
    assert talk.phrases == ["poll_named", "?when_open"]
    assert origin(talk) == {
        "ask": str(ASK),
        "code": "r3l4y5",
        "relay": str(RELAY),
        "asker": "x",
    }
    talk.say("2")
    assert talk.phrases == ["poll_said", "poll_result_on"]
    talk.say("hello")
    assert talk.phrases == ["?country"], "registration is offered, and nothing asked twice"


def test_a_stranger_who_refuses_is_not_asked() -> None:
    talk = Talk(catalogue=polled()).say(CODE).say("English").say("I do not agree")
    assert talk.scene is not None
    assert talk.scene.erase


def test_what_a_code_interrupts_goes_on_afterwards() -> None:
    talk = Talk(catalogue=polled()).say("hello").say("English").say("1")
    assert talk.phrases == ["?country"]
    talk.say(CODE)
    assert talk.phrases == ["poll_named", "?when_open"]
    talk.say("Saturday")
    assert talk.phrases == ["thanks", "?country"]
    talk.say("Kenya")
    assert talk.phrases == ["?purposes"]


def test_a_poll_that_is_over_waits_for_nobody() -> None:
    talk = member().say(CODE)
    canceled = replace(talk.catalogue.asks[ASK], status=AskStatus.CANCELED)
    other = replace(talk.catalogue.asks[ASK], id=uuid5(ORGANISATION, "other"), code="n9ykq5")
    talk.catalogue = replace(
        talk.catalogue,
        asks={ASK: canceled, other.id: other},
        entries={other.code: Entry(other.code, other.flow, ask_id=other.id)},
    )
    talk.say(other.code)
    assert talk.phrases == ["poll_named", "?when_open"]
    talk.say("Saturday")
    assert talk.phrases == ["poll_said", "poll_result_on"]


def test_the_code_of_a_poll_under_way_asks_again() -> None:
    talk = member().say(CODE).say(CODE)
    assert talk.phrases == ["?when_open"]


def test_who_stopped_comes_back_to_the_poll_they_came_for() -> None:
    talk = member().say("STOP").start(CODE)
    assert talk.phrases == ["?come_back"]
    talk.say("1")
    assert talk.phrases == ["started", "poll_named", "?when_open"]


def test_several_answers_are_not_said_back() -> None:
    second = {**POLL["questions"][0], "id": "again"}
    two = Published(
        uuid5(ORGANISATION, "two"), build(POLL | {"questions": [*POLL["questions"], second]})
    )
    talk = replace(Talk(kind="sms").registered(), catalogue=polled(two)).say(CODE).say("1").say("2")
    assert talk.phrases == ["thanks", "poll_result_on"]
    assert talk.text.endswith("To change it, send CHANGE.")
    talk.say("CHANGE")
    assert talk.phrases == ["?change"], "which of them"
    talk.say("2")
    assert talk.phrases == ["?again"]
    talk.say("2")
    assert talk.phrases == ["thanks", "poll_result_on"]
