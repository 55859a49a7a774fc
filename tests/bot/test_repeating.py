"""Somebody who hears nothing says the same again: that answers no question they have not seen."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.knocks import Taken
from models.delivery_path import recover_messages
from models.walls import system_scope
from tests.bot.conftest import Desk
from tests.fakes.telegram import FakeTelegram

A_WHILE = timedelta(seconds=30)
GONE = (
    "update messages set status = 'sending', attempts = 1, leased_by = 'a worker that died',"
    " leased_until = clock_timestamp() - interval '9 seconds'"
    " where direction = 'out' and status = 'queued'"
)
ASKED = "select state->'session'->>'asked' from conversations"
ANSWERED = "select array_agg(question order by question) from answers"


def hear_language_and_wait(desk: Desk) -> None:
    """The language is chosen; the question of consent has not left when we look again."""
    desk.hear("hello", kind="sms")
    desk.deliver()
    desk.hear("1", kind="sms")
    desk.clock.advance(A_WHILE)


def test_the_same_digit_is_no_consent_to_what_was_never_shown(desk: Desk) -> None:
    hear_language_and_wait(desk)
    for _ in range(2):
        assert not desk.hear("1", kind="sms").answered
        desk.clock.advance(A_WHILE)
    assert desk.scalar(ANSWERED) == ["language"]
    assert desk.scalar(ASKED) == "consent"
    desk.deliver()
    assert desk.statuses() == [("sent", None), ("sent", None)]


def test_nor_when_the_one_who_was_sending_it_has_died(desk: Desk) -> None:
    """The question is then sent again, as if its person had not written."""
    hear_language_and_wait(desk)
    desk.change(GONE)
    desk.hear("1", kind="sms")
    assert desk.scalar(ANSWERED) == ["language"]
    with system_scope(desk.engine) as db:
        assert recover_messages(db.connection()) == {"question.queued": 1}
    desk.deliver()
    assert desk.statuses() == [("sent", None), ("sent", None)]


def test_once_the_question_was_sent_the_same_digit_answers_it(desk: Desk) -> None:
    hear_language_and_wait(desk)
    desk.deliver()
    desk.hear("1", kind="sms")
    assert desk.scalar(ANSWERED) == ["consent", "language"]


@pytest.mark.parametrize("waited", [timedelta(0), A_WHILE])
def test_other_words_are_taken_as_ever(desk: Desk, waited: timedelta) -> None:
    desk.hear("hello", kind="sms")
    desk.clock.advance(waited)
    desk.hear("1", kind="sms")
    desk.clock.advance(waited)
    desk.hear(" I agree ", kind="sms")
    assert desk.scalar(ASKED) == "country"


def test_who_answers_faster_than_we_send_is_not_made_to_repeat(desk: Desk) -> None:
    desk.hear("hello", kind="sms")
    desk.hear("1", kind="sms")
    desk.hear("1", kind="sms")
    assert desk.scalar(ASKED) == "country"


def test_what_was_written_before_the_first_was_heard_answers_nothing_later(
    desk: Desk, telegram: FakeTelegram
) -> None:
    """Two of the same waited at Telegram while we were away; its date tells."""
    telegram.person(1).start()
    desk.hear("hello")
    desk.deliver()
    written_at = desk.clock.now()
    desk.clock.advance(A_WHILE)
    desk.hear("1")
    desk.deliver()
    late = replace(desk.arrival("1"), sent_at=written_at)
    assert desk.intake.take(desk.views["telegram"], late) == Taken(answered=False)
    assert desk.scalar(ASKED) == "consent"
    fresh = replace(desk.arrival("1"), sent_at=desk.clock.now())
    desk.intake.take(desk.views["telegram"], fresh)
    assert desk.scalar(ASKED) == "country"


def test_thanks_that_have_not_left_are_not_followed_by_something_else(desk: Desk) -> None:
    desk.register(kind="sms")
    desk.clock.advance(A_WHILE)
    assert not desk.hear("Nairobi", kind="sms").answered
    desk.deliver()
    assert {status for status, _ in desk.statuses()} == {"sent"}


@pytest.mark.parametrize("crossing", ["1", "2"])
def test_an_answer_that_crosses_the_question_whether_one_refuses_erases_nothing(
    desk: Desk, crossing: str
) -> None:
    """French by 2, which comes twice; then the 1 that agrees to what is on the screen."""
    desk.hear("hello", kind="sms")
    desk.deliver()
    desk.hear("2", kind="sms")
    desk.deliver()
    desk.hear("2", kind="sms")
    desk.hear(crossing, kind="sms")
    assert desk.scalar(ANSWERED) == ["language"]
    assert desk.scalar("select language from contacts") == "fr"
    desk.hear("1", kind="sms")
    assert desk.scalar(ASKED) == "country"
