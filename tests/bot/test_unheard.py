"""Twilio is asked about messages it told nothing more of: after an hour and after a day."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from jobs.sweeps import Sweeps
from services.messages import unheard
from tests.bot.conftest import Desk
from tests.fakes.twilio import FakeTwilio
from tests.fakes.twilio_state import StatusPlan

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def lost(monkeypatch: pytest.MonkeyPatch, twilio: FakeTwilio) -> Iterator[None]:
    """No callback comes, messages stand where a test puts them, and ids carry the desk's clock."""
    monkeypatch.setattr("models.base._last_id", 0)
    twilio.statuses.plan = StatusPlan(step=1000)
    yield
    twilio.statuses.plan = StatusPlan()


def said(desk: Desk, *people: int) -> list[str]:
    """The provider's ids of messages that were sent, the oldest first."""
    for person in people:
        desk.hear("hello", person, kind="sms")
    desk.deliver()
    wanted = "select provider_id from messages where direction = 'out' order by id"
    return [sid for (sid,) in desk.ask(wanted)]


def stand(twilio: FakeTwilio, sid: str, status: str, error: int | None = None) -> None:
    def move() -> None:
        twilio.texts[sid].status, twilio.texts[sid].error = status, error

    twilio.run(move)


def asked(desk: Desk, twilio: FakeTwilio) -> int:
    """How many messages one sweep asks about."""
    twilio.run(twilio.log.clear)
    Sweeps(desk.homeline).unheard()
    return sum(one.method == "fetch" for one in twilio.log)


def test_what_was_delivered_is_learnt_after_an_hour(desk: Desk, twilio: FakeTwilio) -> None:
    [sid] = said(desk, 3)
    stand(twilio, sid, "delivered")
    desk.clock.advance(HOUR - MINUTE)
    assert asked(desk, twilio) == 0
    desk.clock.advance(2 * MINUTE)
    assert asked(desk, twilio) == 1
    assert desk.statuses() == [("delivered", None)]
    desk.clock.advance(24 * HOUR)
    assert asked(desk, twilio) == 0


def test_a_failure_counts_as_if_its_callback_had_come(desk: Desk, twilio: FakeTwilio) -> None:
    [sid] = said(desk, 3)
    stand(twilio, sid, "undelivered", 30006)
    desk.clock.advance(HOUR + MINUTE)
    asked(desk, twilio)
    assert desk.statuses() == [("failed", "30006")]
    assert desk.scalar("select status from addresses") == "dead"


def test_what_stays_sent_is_asked_about_twice(desk: Desk, twilio: FakeTwilio) -> None:
    """Many carriers never say more: that is no reason to go on asking."""
    [sid] = said(desk, 3)
    stand(twilio, sid, "sent")
    counts = []
    for _ in range(8):
        desk.clock.advance(6 * HOUR)
        counts.append(asked(desk, twilio))
    assert counts == [1, 0, 0, 0, 1, 0, 0, 0]
    assert desk.statuses() == [("sent", None)]


def test_a_look_has_an_end_and_the_next_goes_on_there(
    desk: Desk, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unheard, "MOST", 2)
    sids = said(desk, 3, 4, 5)
    for sid in sids:
        stand(twilio, sid, "read")
    desk.clock.advance(HOUR + MINUTE)
    assert asked(desk, twilio) == 2
    assert [status for status, _ in desk.statuses()] == ["read", "read", "sent"]
    assert asked(desk, twilio) == 1
    assert [status for status, _ in desk.statuses()] == ["read"] * 3


def test_nothing_is_left_out_while_twilio_is_away(desk: Desk, twilio: FakeTwilio) -> None:
    [sid] = said(desk, 3)
    stand(twilio, sid, "delivered")
    desk.clock.advance(HOUR + MINUTE)
    twilio.script.add("status", method="fetch", code=500, times=1)
    asked(desk, twilio)
    assert desk.statuses() == [("sent", None)]
    desk.clock.advance(5 * MINUTE)
    assert asked(desk, twilio) == 1
    assert desk.statuses() == [("delivered", None)]


def test_one_that_twilio_has_forgotten_holds_up_no_other(desk: Desk, twilio: FakeTwilio) -> None:
    first, second = said(desk, 3, 4)
    twilio.run(lambda: twilio.texts.pop(first))
    stand(twilio, second, "delivered")
    desk.clock.advance(HOUR + MINUTE)
    assert asked(desk, twilio) == 2
    assert desk.statuses() == [("sent", None), ("delivered", None)]


def test_other_channels_are_not_asked(desk: Desk, twilio: FakeTwilio) -> None:
    desk.hear("hello")
    desk.deliver()
    desk.clock.advance(HOUR + MINUTE)
    assert asked(desk, twilio) == 0
