"""The renewal after 23 months on WhatsApp: by template, and whatever is pressed has its effect."""

from datetime import timedelta

import pytest

from flows.inputs import Pressed
from flows.templates import templates
from tests.bot.conftest import Desk
from tests.bot.test_outside import Talk
from tests.fakes.twilio import FakeTwilio

LONG = timedelta(days=701)
RENEWAL = templates()["renewal", "en"].prompt({"organisation": "Consulate"}).text


@pytest.fixture
def talk(desk: Desk, twilio: FakeTwilio) -> Talk:
    """Somebody registered on WhatsApp 23 months ago, who is asked whether to keep it all."""
    talk = Talk(desk, twilio)
    for said in ("Kenya", "1,2", "Nairobi"):
        talk.say(said)
    talk.approve()
    talk.remind(LONG)
    assert talk.phone.last.approved
    assert talk.phone.last.body == RENEWAL
    talk.say(Pressed(dict(talk.phone.last.buttons)["Keep them"]))
    assert talk.phone.last.body.startswith("Somebody registered with this number before.")
    return talk


def kept(talk: Talk) -> bool:
    return bool(talk.desk.scalar("select count(*) from answers where question = 'country'"))


def test_the_press_keeps_it_all_once_they_say_who_they_are(talk: Talk) -> None:
    talk.say("1")
    assert talk.phone.last.body == (
        "Thank you. This number is yours.\nThank you. We keep your answers as they are."
    )
    talk.remind(timedelta(days=40))
    assert kept(talk)


def test_erasing_waits_a_day_and_is_said_so(talk: Talk) -> None:
    talk.say("1")
    talk.say("DELETE")
    assert talk.phone.last.body.startswith("In case somebody took your number")
    assert kept(talk)
    talk.pass_time(timedelta(days=1))
    talk.say("DELETE")
    talk.say("1")
    assert not kept(talk)


def test_whoever_is_new_sees_nothing_of_it(talk: Talk) -> None:
    talk.say("2")
    assert "Kenya" not in talk.phone.last.body
    assert "Shall we keep them?" not in talk.phone.last.body
