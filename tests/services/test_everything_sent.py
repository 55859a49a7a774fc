"""What people send beside answers: edits, cards, and keyboards that have to go away again."""

from datetime import timedelta
from typing import Any
from uuid import uuid5

import pytest

from flows.flow import build
from flows.inputs import Attachment, Text
from flows.wording import LANGUAGES
from services.catalogue import Catalogue, Published
from tests.services.talking import ORGANISATION, Talk, catalogue


def asking_for_a_number() -> Catalogue:
    """The catalogue with a made-up poll that asks for the own number first, opened by NUMBER."""
    questions: list[dict[str, Any]] = [
        {"id": "own", "type": "contact", "required": "no", "text": {"en": "Your number?"}},
        {"id": "calls", "type": "yes_no", "text": {"en": "May we call?"}},
    ]
    flow = build({"flow": "call", "kind": "poll", "languages": ["en"], "questions": questions})
    published, plain = Published(uuid5(ORGANISATION, "call"), flow), catalogue()
    return catalogue(
        newest={**plain.newest, "call": published},
        versions={**plain.versions, published.version_id: published},
        words={"number": "call"},
    )


def asked(kind: str = "telegram") -> Talk:
    """A member who is asked for their own number."""
    return Talk(kind=kind, catalogue=asking_for_a_number()).registered().say("number")


def marked(talk: Talk) -> bool:
    """Whether the answer has the keyboard put away."""
    assert talk.reply is not None
    return bool(talk.reply["content"].get("unkeys"))


def test_the_keyboard_stays_while_the_question_does() -> None:
    talk = asked()
    assert not marked(talk)
    assert talk.prompt.style == "contact"
    talk.say(Attachment("contact"))
    assert talk.phrases == ["not_your_number", "?own"], "somebody else's card is not believed"
    assert not marked(talk)


def test_the_keyboard_goes_with_the_own_number() -> None:
    talk = asked().say(Attachment("contact", number="+27821234567"))
    assert talk.phrases == ["?calls"]
    assert marked(talk)
    assert not marked(talk.say("hm"))


def test_the_keyboard_goes_when_a_menu_comes_between_and_comes_back_with_the_question() -> None:
    talk = asked().say("MENU")
    assert marked(talk)
    talk.say("0")
    assert talk.phrases == ["?own"]
    assert not marked(talk)


def test_only_telegram_has_such_a_keyboard() -> None:
    assert not marked(asked("sms").say("+27821234567"))


def edit(talk: Talk, text: str) -> Talk:
    """Let an old message be changed to this."""
    talk.serial += 1
    talk._arrive("edited", Text(text), text)
    return talk


def test_an_edit_answers_nothing_and_says_so() -> None:
    talk = Talk().say("hello").say("English").say("1")
    assert edit(talk, "Kenya").phrases == ["edited", "?country"]
    assert not talk.profile.get("country")


def test_an_edit_moves_no_open_small_question() -> None:
    talk = Talk().registered().say("DELETE")
    edit(talk, "1")
    assert talk.scene is not None
    assert not talk.scene.erase
    assert talk.reply is None, "nothing waits that could be answered"
    assert edit(talk, "MENU").reply is None


def test_an_edit_to_stop_stops() -> None:
    assert edit(Talk().registered(), "STOP").standing.contact_status == "stopped"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["telegram", "whatsapp", "sms"])
def test_who_wants_less_gets_less(kind: str, language: str) -> None:
    talk = Talk(kind=kind, language=language).registered().say("MENU")
    talk.press("leave").press("less").press("1")
    assert talk.phrases == ["how_often_changed"]
    assert talk.profile["monthly_cap"] == 1
    talk.say("/less_often").press("alerts")
    assert talk.phrases == ["only_urgent"]
    assert talk.profile["monthly_cap"] == 0
    assert talk.standing.contact_status == "active"


def test_who_leaves_the_menu_is_never_met_with_silence() -> None:
    assert Talk().registered().say("MENU").press("skip").phrases == ["nothing_open"]


def test_who_comes_back_is_told_where_they_were() -> None:
    talk = Talk().say("hello").say("English").say("1").say("Kenya")
    talk.say("hello", after=timedelta(days=3))
    assert talk.phrases == ["welcome_at", "?resume"]
    assert talk.text.startswith("Welcome back. You were at 2 of 3.")
    assert talk.again().press("carry_on").phrases == ["?purposes"]
    assert talk.again().press("start_again").phrases == ["?language"]
    assert talk.say("1,2").phrases == ["?place"], "an answer is taken for what it is"


def test_an_answer_after_days_is_an_answer() -> None:
    talk = Talk().say("hello").say("English").say("1")
    assert talk.say("Kenya", after=timedelta(days=3)).phrases == ["?purposes"]
