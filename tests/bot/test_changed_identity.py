"""C-06: a number that may have changed hands shows and destroys nothing for a day.

Everything goes through the intake and the real database.
"""

from typing import Any

import pytest

from models.db import transaction
from services.audit import SYSTEM
from services.people import cases
from tests.bot.conftest import Desk
from tests.bot.test_linking import BY_SMS, DAY, MINUTE, Talk

WAITS = "In case somebody took your number"
OPENS = "See all once, within 24 hours"
HELD = "A person looks at it before your answers open here."


@pytest.fixture
def talk(desk: Desk) -> Talk:
    return Talk(desk)


def known(talk: Talk) -> None:
    """Somebody registered by SMS, joined on Telegram, who has been silent by SMS for 91 days."""
    talk.say(*BY_SMS, "1,2", "Nairobi")
    code = talk.take_code()
    talk.say(code, on="telegram")
    talk.desk.clock.advance(91 * DAY)


def taken_over(talk: Talk) -> str:
    """Somebody with the number says that it was them."""
    known(talk)
    talk.say("hello")
    return talk.say("1")


def nothing_changed(talk: Talk) -> bool:
    kept = dict(talk.answers())
    links = talk.desk.scalar("select count(*) from member_links")
    return kept["country"] == "KE" and "place" in kept and links == 0


@pytest.mark.parametrize("word", ["MYDATA", "mes données", "CHANGE", "DELETE", "بياناتي", "حذف"])
def test_whoever_has_the_number_sees_and_destroys_nothing_for_a_day(talk: Talk, word: str) -> None:
    """C-06: whatever word, in whatever language, even with a yes after it."""
    assert taken_over(talk).startswith("Thank you. This number is yours.")
    told = talk.say(word)
    assert told.startswith(WAITS)
    assert "Nairobi" not in told
    talk.say("1")
    assert nothing_changed(talk)


@pytest.mark.parametrize("way", [("8", "2"), ("8", "3"), ("7", "1"), ("7", "2"), ("6",)])
def test_no_way_through_the_menu_is_shorter(talk: Talk, way: tuple[str, ...]) -> None:
    taken_over(talk)
    for each in ("MENU", *way, "1"):
        told = talk.say(each)
        assert "Nairobi" not in told
        assert "code is" not in told
    assert nothing_changed(talk)
    assert talk.desk.scalar("select count(*) from link_codes") == 0


def test_a_code_of_the_thief_joins_nothing(talk: Talk) -> None:
    """Joined with an app of theirs, everything would open there."""
    taken_over(talk)
    talk.say("hello", "1", "1", on="telegram", number=66)
    code = code_of(talk, 66)
    assert talk.say(code).startswith(WAITS)
    assert talk.whose("telegram:66") != talk.whose(f"sms:{talk.phone}")


def code_of(talk: Talk, number: int) -> str:
    with pytest.MonkeyPatch.context() as fixed:
        fixed.setattr("services.people.link_codes.new_digits", lambda *_: "123123")
        talk.say("MENU", "7", "2", on="telegram", number=number)
    assert talk.desk.scalar("select count(*) from link_codes") == 1
    return "123123"


def test_the_other_apps_are_told_at_once_and_only_once(talk: Talk) -> None:
    taken_over(talk)
    told = [text for _, kind, text in talk.outbox() if text.startswith("Somebody now writes")]
    assert told == [talk.told("telegram")]
    talk.say("MYDATA", "MYDATA")
    assert talk.told("telegram") == told[0]
    event = "select count(*) from audit_events where action = 'number.confirmed'"
    assert talk.desk.scalar(event) == 1


def test_an_app_whose_id_is_for_ever_does_not_wait(talk: Talk) -> None:
    taken_over(talk)
    assert OPENS in talk.say("MYDATA", on="telegram")
    assert talk.say("MYDATA").startswith(WAITS), "and is no way in for the other"


def test_after_a_day_everything_opens(talk: Talk) -> None:
    taken_over(talk)
    talk.desk.clock.advance(DAY - 2 * MINUTE)
    assert talk.say("MYDATA").startswith(WAITS)
    talk.desk.clock.advance(2 * MINUTE)
    assert OPENS in talk.say("MYDATA")


def test_a_word_of_the_person_elsewhere_holds_it_until_an_officer_has_looked(talk: Talk) -> None:
    taken_over(talk)
    talk.say("PERSON", on="telegram")
    talk.desk.clock.advance(3 * DAY)
    told = talk.say("DELETE")
    assert HELD in told
    assert nothing_changed(talk)
    with transaction(talk.desk.engine, talk.desk.organisation_id) as db:
        case = talk.desk.scalar("select id from cases")
        cases.close(db, case, actor=SYSTEM, now=talk.desk.clock.now())
    assert OPENS in talk.say("MYDATA")


def test_stop_waits_for_nobody(talk: Talk) -> None:
    taken_over(talk)
    talk.say("STOP")
    assert talk.desk.scalar("select status from contacts where merged_into is null") == "stopped"
    assert talk.say("MYDATA").startswith(WAITS)


def test_a_new_id_of_whatsapp_waits_under_number_and_id(talk: Talk) -> None:
    talk.say(*BY_SMS, "1,2", "Nairobi", on="whatsapp", aliases=("whatsapp-id:GB.1",))
    new: dict[str, Any] = {"on": "whatsapp", "aliases": ("whatsapp-id:GB.2",)}
    talk.say("hi", **new)
    talk.say("1", **new)
    assert talk.say("MYDATA", **new).startswith(WAITS)
    bare: dict[str, Any] = {"on": "whatsapp", "address": "whatsapp-id:GB.2", "number": None}
    assert talk.say("DELETE", **bare).startswith(WAITS)
    assert nothing_changed(talk)
    talk.desk.clock.advance(DAY)
    assert OPENS in talk.say("MYDATA", **new)


def test_the_wait_outlives_whatever_else_is_said_and_a_merger(talk: Talk) -> None:
    taken_over(talk)
    talk.say("hello", "MENU", "LANGUAGE", "1", "PRIVACY", "HELP")
    talk.say("hello", "1", "1", on="telegram", number=77)
    talk.say(code_of(talk, 77), on="telegram")
    assert talk.whose("telegram:77") == talk.whose(f"sms:{talk.phone}")
    assert talk.say("MYDATA").startswith(WAITS)


def test_who_says_no_is_new_and_nobody_waits(talk: Talk) -> None:
    known(talk)
    talk.say("hello", "2")
    talk.say("1", "1")
    assert not talk.say("MYDATA").startswith(WAITS)
    assert (
        talk.desk.scalar("select count(*) from audit_events where action = 'number.confirmed'") == 0
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("PERSON", "A person will read this"),
        ("MENU", "What would you like?"),
        ("MYDATA", WAITS),
        ("DELETE", WAITS),
        ("HELLO", ""),
        ("what is this", "There is no open question for you now."),
    ],
)
def test_what_was_said_before_we_asked_has_its_effect_afterwards(
    talk: Talk, said: str, told: str
) -> None:
    known(talk)
    assert talk.say(said).startswith("Somebody registered with this number before.")
    talk.say("hm")
    answer = talk.say("1")
    assert answer.startswith("Thank you. This number is yours.")
    assert told in answer


def test_the_words_that_wait_lie_nowhere_in_clear(talk: Talk) -> None:
    known(talk)
    talk.say("my sister is in Quillota")
    state = talk.desk.scalar("select cast(state as text) from conversations")
    assert "Quillota" not in state


def test_who_is_new_says_nothing_with_the_words_of_the_one_before(talk: Talk) -> None:
    known(talk)
    talk.say("DELETE")
    assert "Your language?" in talk.say("2")
    assert nothing_changed(talk)
