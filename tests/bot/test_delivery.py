"""Sending: in order, within budgets, and each failure as its kind demands."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot import delivery
from bot.budgets import FIRST_WINDOW, LEAST_WINDOW, ChatPace, Windows
from bot.outcomes import RETRY_AFTER
from models.base import new_id
from models.delivery_path import delivery_turn
from tests.bot.conftest import Desk
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio

PERSON = 71_000
SENT = [("sent", None)]


@pytest.fixture(autouse=True)
def somebody(telegram: FakeTelegram) -> None:
    """Thirty people who have opened the bot, with empty screens."""

    def come() -> None:
        for number in range(PERSON, PERSON + 30):
            person = telegram.person(number)
            next(iter(telegram.accounts.values())).chats.setdefault(person.id, person.chat)
            person.chat.bubbles.clear()
            person.chat.blocked = False

    telegram.run(come)


def texts(telegram: FakeTelegram, number: int = PERSON) -> list[str]:
    return [bubble.text.splitlines()[0] for bubble in telegram.person(number).bubbles]


# --- order and lanes ---


def test_one_contacts_messages_go_out_in_order(desk: Desk, telegram: FakeTelegram) -> None:
    for said in ("hello", "1", "1", "Kenya", "0"):
        desk.hear(said, PERSON)
    desk.deliver()
    first = texts(telegram)
    assert first[0].startswith("Your language")
    assert first[1].startswith("This is")
    assert first[2:] == ["1 of 3", "2 of 3", "3 of 3"]
    assert {status for status, _ in desk.statuses()} == {"sent"}


def test_an_earlier_message_that_waits_a_moment_is_not_overtaken(
    desk: Desk, telegram: FakeTelegram
) -> None:
    desk.hear("hello", PERSON)
    desk.change("update messages set due_at = due_at + interval '2 s' where direction = 'out'")
    desk.hear("1", PERSON)
    desk.look()
    assert texts(telegram) == []
    desk.clock.advance(timedelta(seconds=3))
    desk.deliver()
    assert [line[:4] for line in texts(telegram)] == ["Your", "This"]


def test_a_question_overtaken_while_it_waited_for_another_try_is_given_up(
    desk: Desk, telegram: FakeTelegram
) -> None:
    problem = {"ok": False, "error_code": 500, "description": "Internal"}
    telegram.script.add("status", code=500, times=3, method="sendMessage", body=problem)
    desk.hear("hello", PERSON)
    for pause in (0, *RETRY_AFTER[:2]):
        desk.clock.advance(timedelta(seconds=pause * 1.1))
        desk.deliver()
    assert desk.statuses() == [("queued", "server_error")]
    desk.hear("1", PERSON)
    desk.deliver()
    desk.clock.advance(timedelta(seconds=RETRY_AFTER[2] * 1.1))
    desk.deliver()
    assert desk.statuses() == [("canceled", "superseded"), ("sent", None)]
    assert [line[:4] for line in texts(telegram)] == ["This"]


def test_rights_go_before_replies_and_replies_before_broadcasts(
    desk: Desk, telegram: FakeTelegram
) -> None:
    for number in range(PERSON, PERSON + 3):
        desk.hear("hello", number)
    people = [row[0] for row in desk.ask("select contact_id from addresses order by id")]
    for person, lane in zip(people, (2, 1, 0), strict=True):
        desk.change("update messages set lane = :n where contact_id = :p", n=lane, p=person)
    desk.change("update channel_budgets set rate = 0.001, tokens = 1, burst = 1, overdraft = 0,"
                " refilled_at = clock_timestamp()")  # fmt: skip
    for expected in (PERSON + 2, PERSON + 1, PERSON):
        desk.look(1)
        seen = [n for n in range(PERSON, PERSON + 3) if texts(telegram, n)]
        assert expected in seen
        assert len(seen) == PERSON + 3 - expected
        desk.change("update channel_budgets set tokens = 1, refilled_at = clock_timestamp()")


# --- budgets ---


def budget(desk: Desk, **values: float) -> None:
    given = ", ".join(f"{name} = {value}" for name, value in values.items())
    desk.change(f"update channel_budgets set refilled_at = clock_timestamp(), {given}")


def sent(desk: Desk) -> int:
    return int(desk.scalar("select count(*) from messages where status = 'sent'"))


def test_a_channel_sends_no_more_than_its_budget(desk: Desk) -> None:
    for number in range(PERSON, PERSON + 6):
        desk.hear("hello", number)
    budget(desk, rate=0.001, burst=4, tokens=4, overdraft=0)
    desk.look()
    assert sent(desk) == 4


def test_replies_may_overdraw_and_broadcasts_may_not(desk: Desk) -> None:
    for number in range(PERSON, PERSON + 6):
        desk.hear("hello", number)
    first = "select id from messages where direction = 'out' order by id limit 3"
    desk.change(f"update messages set lane = 2 where id in ({first})")
    budget(desk, rate=0.001, burst=1, tokens=0, overdraft=10)
    desk.look()
    lanes = desk.ask("select lane, count(*) from messages where status = 'sent' group by 1")
    assert lanes == [(1, 3)]
    assert desk.scalar("select min(tokens) from channel_budgets") < 0


def test_a_paused_channel_waits_and_others_go_on(desk: Desk) -> None:
    desk.hear("hello", PERSON)
    desk.hear("hello", 5, kind="sms")
    desk.change(
        "update channel_budgets set paused_until = clock_timestamp() + interval '1 hour'"
        " where channel_id = :id",
        id=desk.views["telegram"].id,
    )
    desk.look()
    assert [status for status, _ in desk.statuses()] == ["queued", "sent"]


def test_one_chats_pace_gives_its_turn_back(desk: Desk, telegram: FakeTelegram) -> None:
    desk.change("update channels set config = '{}'")
    for said in ("hello", "1", "1", "Kenya"):
        desk.hear(said, PERSON)
    desk.look(5)
    assert len(texts(telegram)) == 3
    waiting = "select attempts, due_at > :now from messages where status = 'queued'"
    assert desk.ask(waiting, now=desk.clock.now()) == [(0, True)]


def test_pace_is_a_bucket_for_each_chat() -> None:
    pace = ChatPace(most=2)
    assert [pace.wait("a", 0.0, rate=1, burst=2) for _ in range(3)] == [0.0, 0.0, 1.0]
    assert pace.wait("b", 0.0, rate=1, burst=2) == 0.0
    assert pace.wait("a", 1.0, rate=1, burst=2) == 0.0
    for chat in "cd":
        pace.wait(chat, 1.0, rate=1, burst=2)
    assert len(pace._buckets) == 2


def test_a_window_narrows_when_sends_become_slow_and_widens_again() -> None:
    windows, channel = Windows(), new_id()
    assert windows.rooms() == {}
    windows.enter(channel)
    assert windows.rooms() == {channel: FIRST_WINDOW - 1}
    for _ in range(50):
        windows.took(channel, 0.1, 1.0)
    assert windows.rooms() == {channel: FIRST_WINDOW + 49}
    windows.took(channel, 4.0, 10.0)
    windows.took(channel, 4.0, 11.0)  # left before the halving: the same trouble, counted once
    assert windows.rooms()[channel] == (FIRST_WINDOW + 50) // 2 - 1
    for n in range(20):
        windows.took(channel, 4.0, 20.0 + 5 * n)
    assert windows.rooms()[channel] == LEAST_WINDOW - 1
    windows.leave(channel)
    assert windows.rooms()[channel] == LEAST_WINDOW


def test_a_provider_that_always_takes_two_seconds_is_not_throttled_to_nothing() -> None:
    windows, channel = Windows(), new_id()
    for n in range(3000):
        windows.took(channel, 2.0 + (n % 7) * 0.05, float(n))
    assert windows.rooms()[channel] > FIRST_WINDOW


def test_a_turn_takes_no_more_of_a_channel_than_its_window(desk: Desk) -> None:
    for number in range(PERSON, PERSON + 20):
        desk.hear("hello", number)
    claimed = _claim(desk, rooms={desk.views["telegram"].id: 3})
    assert len(claimed) == 3
    assert len(_claim(desk, room=5)) == 5
    assert len(_claim(desk)) == 12


def _claim(desk: Desk, **more: Any) -> list[Any]:
    with desk.homeline.open().delivery.connect() as connection:
        return delivery_turn(
            connection.execution_options(isolation_level="AUTOCOMMIT"), "worker-9", done=[],
            wanted=100, lease=timedelta(seconds=8), now=desk.clock.now(), **more,
        )  # fmt: skip


# --- failures ---


def test_being_asked_to_wait_is_no_attempt_and_a_long_wait_holds_the_channel(
    desk: Desk, telegram: FakeTelegram
) -> None:
    telegram.script.add("too_many", retry_after=30, times=1)
    desk.hear("hello", PERSON)
    desk.look()
    rows = desk.ask(
        "select status, attempts, extract(epoch from due_at - :now) from messages"
        " where direction = 'out'", now=desk.clock.now(),
    )  # fmt: skip
    assert rows[0][:2] == ("queued", 0)
    assert 30 <= rows[0][2] <= 33
    assert (
        desk.scalar("select count(*) from channel_budgets where paused_until > clock_timestamp()")
        == 1
    )


def test_a_fault_of_the_provider_is_tried_again_with_growing_pauses(
    desk: Desk, telegram: FakeTelegram
) -> None:
    problem = {"ok": False, "error_code": 500, "description": "Internal Server Error"}
    telegram.script.add("status", code=500, body=problem)
    desk.hear("hello", PERSON)
    waited = 0.0
    for pause in RETRY_AFTER:
        desk.look()
        assert desk.statuses() == [("queued", "server_error")]
        desk.clock.advance(timedelta(seconds=pause * 1.08))
        waited += pause
    desk.look()
    assert desk.statuses() == [("failed", "server_error")]
    assert waited > 23 * 3600
    assert waited * 1.07 < 25.1 * 3600


def test_no_connection_is_tried_again_soon(desk: Desk, telegram: FakeTelegram) -> None:
    telegram.script.add("refuse_for", ms=30, times=1)
    desk.hear("hello", PERSON)
    desk.look()
    assert desk.statuses()[0][0] in ("unknown", "queued")


def test_a_reset_after_the_provider_took_it_is_unknown_and_waits_for_its_word(
    desk: Desk, telegram: FakeTelegram
) -> None:
    telegram.script.add("reset_after_commit", times=1)
    desk.hear("hello", PERSON)
    desk.look()
    assert desk.statuses() == [("unknown", "reset")]
    left = (
        "select extract(epoch from leased_until - clock_timestamp()) from messages"
        " where status = 'unknown'"
    )
    assert 15 < desk.scalar(left) < 21


@pytest.mark.parametrize("fault", ["html_502", "truncated_body", "bad_json"])
def test_an_answer_nobody_can_read_is_unknown(
    desk: Desk, telegram: FakeTelegram, fault: str
) -> None:
    telegram.script.add(fault, times=1)
    desk.hear("hello", PERSON)
    desk.look()
    assert [status for status, _ in desk.statuses()] == ["unknown"]


def test_somebody_who_blocked_us_gets_nothing_more_until_they_write(
    desk: Desk, telegram: FakeTelegram
) -> None:
    desk.hear("hello", PERSON)
    telegram.person(PERSON).chat.blocked = True
    desk.hear("1", PERSON)
    desk.look()
    assert [status for status, _ in desk.statuses()] == ["failed", "canceled"]
    assert desk.scalar("select status from addresses") == "blocked"
    calls = telegram.counts["method:sendmessage"]
    desk.change("update messages set status = 'queued' where status = 'canceled'")
    desk.look()
    assert telegram.counts["method:sendmessage"] == calls
    telegram.person(PERSON).chat.blocked = False
    desk.hear("1", PERSON)
    desk.deliver()
    assert desk.scalar("select status from addresses") == "active"
    assert len(texts(telegram)) == 1


def test_stop_cancels_what_is_queued_and_is_confirmed(desk: Desk, telegram: FakeTelegram) -> None:
    desk.register(PERSON)
    desk.hear("STOP", PERSON)
    desk.deliver()
    assert {status for status, _ in desk.statuses()[:-1]} == {"canceled"}
    assert desk.statuses()[-1] == ("sent", None)
    assert len(texts(telegram)) == 1


def test_what_was_claimed_before_a_stop_and_comes_back_is_not_sent(
    desk: Desk, telegram: FakeTelegram
) -> None:
    """STOP between lease and send: the row returns to the queue and is looked at again."""
    desk.register(PERSON)
    assert len(_claim(desk)) == 1
    desk.hear("STOP", PERSON)
    desk.change("update messages set status = 'queued', leased_by = null where status = 'sending'")
    desk.deliver()
    assert ("canceled", "stopped") in desk.statuses()
    assert len(texts(telegram)) == 1


def test_an_sms_stop_handled_by_the_provider_closes_the_address(
    desk: Desk, twilio: FakeTwilio
) -> None:
    desk.hear("hello", 7, kind="sms")
    twilio.senders["+447700900999"].opted_out.add("+447700900007")
    try:
        desk.look()
    finally:
        twilio.senders["+447700900999"].opted_out.clear()
    assert desk.statuses() == [("failed", "21610")]
    assert desk.scalar("select status from addresses") == "opted_out"


# --- trouble of our own ---


def test_a_database_that_is_away_while_sending_costs_no_message(
    desk: Desk, telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.hear("hello", PERSON)
    directory = desk.homeline.directory
    real, faults = directory.read_channel, iter([1, 1])

    def away_at_first(*args: Any) -> Any:
        from sqlalchemy.exc import OperationalError

        if next(faults, None):
            raise OperationalError("select", {}, Exception("away"))
        return real(*args)

    # The only way to lose the database between two statements at a known moment.
    monkeypatch.setattr(directory, "read_channel", away_at_first)
    for _ in range(3):
        desk.look()
        desk.clock.advance(timedelta(seconds=1))
    assert desk.statuses() == SENT
    assert len(texts(telegram)) == 1


def test_a_row_the_database_refuses_does_not_stop_the_loop(
    desk: Desk, telegram: FakeTelegram
) -> None:
    desk.hear("hello", PERSON)

    async def run() -> None:
        loop = desk.loop()
        bad = {"org": desk.organisation_id, "id": new_id(), "status": "sent",
               "provider_id": "a\x00b", "refund": False}  # fmt: skip
        loop._done.append(bad)
        running = asyncio.create_task(loop.run())
        async with asyncio.timeout(8):
            while not await asyncio.to_thread(lambda: sent(desk)):
                await asyncio.sleep(0.01)
        loop.stop()
        await running

    asyncio.run(run())
    assert len(texts(telegram)) == 1


def test_leases_are_renewed_while_a_send_takes_long(
    desk: Desk, telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A lease and its renewal, ten times as fast.
    monkeypatch.setattr(delivery, "LEASE", timedelta(seconds=0.8))
    monkeypatch.setattr(delivery, "RENEW_EVERY", 0.2)
    telegram.script.add("slow", before_ms=1500, times=1)
    desk.hear("hello", PERSON)
    lost = (
        "select count(*) from messages where status = 'sending'"
        " and leased_until < clock_timestamp()"
    )
    seen: list[int] = []

    def done() -> bool:
        seen.append(desk.scalar(lost))
        return sent(desk) == 1

    desk.deliver(done)
    assert not any(seen)


def test_a_loop_that_is_asked_to_leave_records_what_flies_and_claims_nothing(
    desk: Desk, telegram: FakeTelegram
) -> None:
    telegram.script.add("slow", before_ms=300, times=1)
    desk.hear("hello", PERSON)
    desk.deliver(
        lambda: bool(desk.scalar("select count(*) from messages where status = 'sending'"))
    )
    assert [status for status, _ in desk.statuses()] == ["sent"]
