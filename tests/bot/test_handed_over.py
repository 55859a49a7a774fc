"""A reply is written as claimed by a worker that hears, and handed to it with the commit (ADR 22).

Whatever keeps it from that, a budget, an earlier message, a worker that is gone, it is queued.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot import doorbell
from bot.begun import Begun
from bot.delivery import DeliveryLoop
from bot.doorbell import Bell, HandedOver, Ringer, bell_folder
from models.delivery_path import LEASE, claimed_in
from tests.bot.conftest import Desk
from tests.fakes.telegram import FakeTelegram

PERSON = 72_000
COURIER = "4711-made-up"
NEW = "select status, leased_by, attempts from messages where direction = 'out' order by id desc"
QUEUED = ("queued", None, 0)
CLAIMED = ("sending", COURIER, 1)
SLOW = "rate = 0.0001, overdraft = 0, refilled_at = clock_timestamp()"


@pytest.fixture(autouse=True)
def somebody(telegram: FakeTelegram) -> None:
    """A person who has opened the bot, with an empty screen."""

    def come() -> None:
        person = telegram.person(PERSON)
        next(iter(telegram.accounts.values())).chats.setdefault(person.id, person.chat)
        person.chat.bubbles.clear()

    telegram.run(come)


@pytest.fixture
def bell(desk: Desk, tmp_path: Path) -> Iterator[Bell]:
    """The bell of a worker."""
    bell = Bell(tmp_path, COURIER)
    yield bell
    bell.close()


def latest(desk: Desk) -> tuple[str, str | None, int]:
    status, worker, attempts = desk.ask(NEW)[0]
    return status, worker, attempts


def texts(telegram: FakeTelegram) -> list[str]:
    return [bubble.text.splitlines()[0] for bubble in telegram.person(PERSON).bubbles]


# --- what is handed over ---


def test_a_reply_is_claimed_for_the_worker_that_hears_and_handed_to_it(
    desk: Desk, bell: Bell
) -> None:
    before = time.monotonic()
    desk.hear("hello", PERSON)
    rung, (handed,) = bell.heard()
    assert not rung
    assert before <= handed.began <= time.monotonic()
    (letter,) = handed.letters
    message = claimed_in(letter)
    stored = desk.ask(
        "select id, contact_id, address_id, channel_id, kind, lane, content, seq, language"
        " from messages where direction = 'out'"
    )
    assert stored == [
        (
            *(message.id, message.contact_id, message.address_id, message.channel_id),
            *(message.kind, message.lane, message.content, message.seq, message.language),
        )
    ]
    assert latest(desk) == CLAIMED
    left = desk.scalar("select leased_until - clock_timestamp() from messages where id = :id",
                       id=message.id)  # fmt: skip
    assert LEASE - timedelta(seconds=5) < left <= LEASE


def test_a_letter_holds_what_a_claim_would_give(desk: Desk, bell: Bell) -> None:
    desk.hear("hello", PERSON, kind="whatsapp")
    _, (handed,) = bell.heard()
    written = claimed_in(handed.letters[0])
    desk.change(
        "update messages set status = 'queued', attempts = 0, leased_by = null"
        " where direction = 'out'"
    )
    (claimed,) = asyncio.run(claim(desk))
    assert written == claimed
    assert written.window_until is not None


async def claim(desk: Desk) -> list[object]:
    loop = desk.loop()
    claimed = await loop._turn(10)
    loop._database.close()
    return list(claimed)


def test_all_replies_of_a_batch_are_handed_over_together(desk: Desk, bell: Bell) -> None:
    view, keyed = desk.views["telegram"], desk.intake
    knocks = [keyed._knock(view, desk.arrival("hello", PERSON + each)) for each in range(5)]
    keyed._together(knocks, desk.clock.now())
    _, (handed,) = bell.heard()
    assert len(handed.letters) == 5


def test_the_answer_to_stop_is_handed_over_too(desk: Desk, bell: Bell) -> None:
    desk.hear("STOP", PERSON)
    _, (handed,) = bell.heard()
    assert claimed_in(handed.letters[0]).kind == "rights"


def test_workers_take_turns(desk: Desk, bell: Bell, tmp_path: Path) -> None:
    other = Bell(tmp_path, "4712-made-up")
    for person in range(4):
        desk.hear("hello", PERSON + person)
    assert [len(each.heard()[1]) for each in (bell, other)] == [2, 2]
    other.close()


# --- what is queued instead ---


def test_without_a_worker_that_hears_a_reply_is_queued(desk: Desk) -> None:
    desk.hear("hello", PERSON)
    assert latest(desk) == QUEUED


def no_budget(desk: Desk) -> None:
    desk.change(f"update channel_budgets set tokens = 0, {SLOW}")


def paused(desk: Desk) -> None:
    desk.change("update channel_budgets set paused_until = now() + interval '1 minute'")


def stopped(desk: Desk) -> None:
    desk.change("update channels set status = 'stopped'")


@pytest.mark.parametrize("hindered", [no_budget, paused, stopped])
def test_what_its_channel_may_not_send_now_is_queued_and_the_bell_rings(
    desk: Desk, bell: Bell, hindered: Callable[[Desk], None]
) -> None:
    hindered(desk)
    desk.hear("hello", PERSON)
    assert latest(desk) == QUEUED
    assert bell.heard() == (True, [])


def test_a_reply_costs_its_channel_a_token(desk: Desk, bell: Bell) -> None:
    desk.change(f"update channel_budgets set tokens = 2, {SLOW}")
    for person in range(3):
        desk.hear("hello", PERSON + person)
    assert [row[0] for row in desk.ask(NEW)] == ["queued", "sending", "sending"]
    desk.change("update channel_budgets set overdraft = 1")
    desk.hear("hello", PERSON + 3)
    assert latest(desk) == CLAIMED


@pytest.mark.parametrize("status", ["sending", "queued"])
def test_a_reply_waits_behind_an_earlier_message_of_its_address(
    desk: Desk, bell: Bell, status: str
) -> None:
    desk.hear("hello", PERSON)
    desk.change("update messages set status = :status where direction = 'out'", status=status)
    desk.hear("1", PERSON)
    assert latest(desk) == QUEUED


def test_a_broadcast_that_waits_holds_no_reply_back(desk: Desk, bell: Bell) -> None:
    desk.hear("hello", PERSON)
    desk.change("update messages set status = 'queued', lane = 2 where direction = 'out'")
    desk.hear("1", PERSON)
    assert latest(desk) == CLAIMED


def test_a_worker_that_is_gone_costs_nothing(desk: Desk, tmp_path: Path) -> None:
    folder = bell_folder(tmp_path)
    folder.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(folder / f"{COURIER}.bell"))
    desk.hear("hello", PERSON)
    assert latest(desk) == QUEUED


def test_a_worker_that_does_not_listen_is_not_waited_for(
    desk: Desk, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "LONGEST_HANDED", 100)
    desk.hear("hello", PERSON)
    assert latest(desk) == QUEUED
    assert bell.heard() == (True, [])


# --- what a worker makes of it ---


Step = tuple[Callable[[DeliveryLoop], object], Callable[[], bool]]


def working(desk: Desk, bell: Bell, *steps: Step) -> None:
    """Run a worker that hears: do something, wait for something, and so on; then let it leave."""

    async def work() -> None:
        loop = desk.loop(COURIER, bell)
        running = asyncio.create_task(loop.run())
        async with asyncio.timeout(8):
            for do, holds in steps:
                await asyncio.to_thread(do, loop)
                while not await asyncio.to_thread(holds):
                    await asyncio.sleep(0.005)
        loop.stop()
        await running

    asyncio.run(work())


def say(desk: Desk, said: str) -> Callable[[DeliveryLoop], object]:
    return lambda _: desk.hear(said, PERSON)


def sent(desk: Desk, count: int = 1) -> Callable[[], bool]:
    return lambda: desk.statuses() == [("sent", None)] * count


def test_a_worker_sends_what_it_is_handed_without_a_claim(
    desk: Desk, bell: Bell, telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.ASLEEP_LOOK", 60)

    working(desk, bell, (say(desk, "hello"), sent(desk)), (say(desk, "1"), sent(desk, 2)))
    assert [line[:4] for line in texts(telegram)] == ["Your", "This"]
    assert {row[2] for row in desk.ask(NEW)} == {1}


def test_what_was_handed_over_before_a_worker_leaves_is_sent_by_it(
    desk: Desk, bell: Bell, telegram: FakeTelegram
) -> None:
    desk.hear("hello", PERSON)

    async def leave() -> None:
        loop = desk.loop(COURIER, bell)
        loop.stop()
        await loop.run()

    asyncio.run(leave())
    assert len(texts(telegram)) == 1
    assert desk.statuses() == [("sent", None)]
    desk.hear("1", PERSON)
    assert latest(desk) == QUEUED


def test_what_was_handed_over_long_ago_is_left_to_whoever_finds_its_lease_run_out(
    desk: Desk, bell: Bell, telegram: FakeTelegram
) -> None:
    desk.hear("hello", PERSON)
    _, (handed,) = bell.heard()
    late = replace(handed, began=handed.began - LEASE.total_seconds())
    working(desk, bell, (lambda loop: loop._take(late), lambda: True))
    assert texts(telegram) == []
    assert latest(desk) == CLAIMED


def test_what_a_slow_provider_has_no_room_for_waits_for_a_claim(
    desk: Desk, bell: Bell, telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.homeline.sender.windows, "room", lambda _: 0)
    working(desk, bell, (say(desk, "hello"), sent(desk)))
    assert len(texts(telegram)) == 1
    assert desk.ask(NEW) == [("sent", None, 1)]


def test_what_a_killed_worker_never_read_goes_out_at_once(
    desk: Desk, bell: Bell, telegram: FakeTelegram, tmp_path: Path
) -> None:
    note = Begun(tmp_path, COURIER)
    desk.hear("hello", PERSON)
    assert latest(desk) == CLAIMED
    note._map.close()  # as the end of its process does
    note._file.close()
    bell.close()
    desk.notes = tmp_path
    desk.deliver(sent(desk), seconds=4)
    assert len(texts(telegram)) == 1


def test_a_letter_is_told_from_a_ring(tmp_path: Path) -> None:
    bell, ringer = Bell(tmp_path, COURIER), Ringer(tmp_path)
    ringer.ring()
    assert ringer.courier() == COURIER
    assert ringer.hand_over(COURIER, ["{}", "[1]"], 12.5)
    assert bell.heard() == (True, [HandedOver((b"{}", b"[1]"), 12.5)])
    bell.close()
    assert not ringer.hand_over(COURIER, ["{}"], 12.5)
    assert ringer.courier() is None
