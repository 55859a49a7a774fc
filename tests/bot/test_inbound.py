"""Taking messages in: once each, in one transaction, and nobody is hurt by another's trouble."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import QueuePool, make_url, text

from bot.inbound import Intake
from bot.knocks import Taken
from bot.patience import Patience
from flows.inputs import Pressed
from models.db import make_engine
from services import quarantine
from services.errors import Unavailable
from tests.bot.conftest import Desk
from tests.conftest import Urls

BROKEN = """update conversations set state = '{"session": {"flow": 7}, "version": "x"}'"""


def test_a_first_message_leaves_all_its_rows_at_once(desk: Desk) -> None:
    taken = desk.hear("hello")
    assert taken == Taken(answered=True)
    counts = {
        table: desk.scalar(f"select count(*) from {table}")
        for table in ("contacts", "addresses", "profiles", "conversations", "receipts")
    }
    assert set(counts.values()) == {1}
    assert desk.ask("select direction, status from messages order by id") == [
        ("in", "received"),
        ("out", "queued"),
    ]


def test_a_repeat_has_no_effect(desk: Desk) -> None:
    arrival = desk.arrival("hello")
    view = desk.views["telegram"]
    assert not desk.intake.take(view, arrival).repeated
    assert desk.intake.take(view, arrival).repeated
    assert desk.another_intake().take(view, arrival).repeated
    assert desk.scalar("select count(*) from messages") == 2
    assert desk.scalar("select seq from conversations") == 1


def test_the_same_delivery_many_times_at_once_has_one_effect(desk: Desk) -> None:
    view, intakes = desk.views["telegram"], [desk.intake, desk.another_intake()]
    arrivals = [desk.arrival("hello", person) for person in range(1, 21)]
    ready = threading.Barrier(40)

    def bring(number: int) -> None:
        ready.wait(10)
        for arrival in arrivals if number % 2 else reversed(arrivals):
            intakes[number % 2].take(view, arrival)

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(bring, range(40)))
    assert desk.scalar("select count(*) from contacts") == 20
    assert desk.ask("select distinct seq from conversations") == [(1,)]
    assert desk.scalar("select count(*) from messages where direction = 'out'") == 20


def test_a_new_person_who_says_two_things_at_one_instant_is_one_person(desk: Desk) -> None:
    """Two web processes see a stranger each; the second finds out when it writes."""
    view, intakes = desk.views["telegram"], [desk.intake, desk.another_intake()]
    for person in range(1, 16):
        both = [desk.arrival("hello", person), desk.arrival("anybody there?", person)]
        with ThreadPoolExecutor(2) as pool:
            jobs = [
                pool.submit(one.take, view, said) for one, said in zip(intakes, both, strict=True)
            ]
            assert not any(job.result(10).repeated for job in jobs)
    assert desk.scalar("select count(*) from contacts") == 15
    assert desk.ask("select distinct seq from conversations") == [(2,)]
    assert desk.scalar("select count(*) from messages where direction = 'in'") == 30


def test_one_conversation_through_two_processes_takes_every_answer_once(desk: Desk) -> None:
    view, intakes = desk.views["telegram"], [desk.intake, desk.another_intake()]
    desk.hear("hello")
    said = [desk.arrival("hm?") for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda n: intakes[n % 2].take(view, said[n]), range(12)))
    assert desk.scalar("select seq from conversations") == 13
    assert desk.scalar("select count(*) from messages where direction = 'in'") == 13


def test_a_text_and_a_tap_at_one_instant_give_one_answer_each_its_own(desk: Desk) -> None:
    desk.hear("hello")
    state = desk.scalar("select state->'session' from conversations")
    tap = desk.arrival(Pressed(f"{state['tag']}.{state['asked']}.fr"))
    said, view = desk.arrival("1"), desk.views["telegram"]
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(desk.intake.take, view, one) for one in (tap, said)]
        for job in jobs:
            job.result(10)
    answers = dict(desk.ask("select question, value from answers"))
    assert answers["language"] in ("fr", "en")
    assert set(answers) <= {"language", "consent"}


def test_a_poisoned_message_hurts_itself_only_and_is_taken_later(desk: Desk) -> None:
    for person in (1, 2, 3):
        desk.hear("hello", person)
    sick = desk.scalar("select contact_id from addresses order by id limit 1")
    desk.change(f"{BROKEN} where contact_id = :sick", sick=sick)
    knocks = [desk.intake._knock(desk.views["telegram"], desk.arrival("1", n)) for n in (1, 2, 3)]
    taken = desk.intake._work(knocks)
    assert [getattr(one, "say", one) is None for one in taken] == [False, True, True]
    assert "again" in str(taken[0].say) or taken[0].say  # type: ignore[union-attr]
    assert desk.scalar("select count(*) from answers") == 2
    assert desk.ask(
        "select attempts, next_try_at > :now from quarantine", now=desk.clock.now()
    ) == [(0, True)]
    # The provider's repeat ends at the receipt.
    assert desk.intake.take(desk.views["telegram"], knocks[0].arrival).repeated
    desk.change("update conversations set state = null where contact_id = :sick", sick=sick)
    desk.clock.advance(quarantine.PAUSES[0])

    def again(kept: quarantine.Kept) -> bool:
        return desk.intake.take_again(desk.views["telegram"], kept)

    line = desk.homeline
    assert quarantine.retry(line.engine, line.keys, again, now=desk.clock.now()) == 1
    assert desk.scalar("select count(*) from quarantine") == 0
    assert desk.scalar("select count(*) from messages where direction = 'in'") == 6


def test_a_lost_connection_is_made_again(desk: Desk) -> None:
    desk.hear("hello")
    before = (
        desk.intake._statements._connection.get()
        .exec_driver_sql("select pg_backend_pid()")
        .scalar()
    )
    with desk.engine.connect() as other:
        other.execute(text("select pg_terminate_backend(:pid)"), {"pid": before})
    assert desk.hear("1").answered
    assert desk.scalar("select count(*) from answers") == 1


def test_who_closes_leaves_no_connection_taken_out(desk: Desk) -> None:
    desk.hear("hello")
    pool = desk.homeline.message_path.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 1
    desk.homeline.close()
    assert pool.checkedout() == 0


def test_an_absent_database_is_waited_for_a_moment_and_then_said_so(desk: Desk, urls: Urls) -> None:
    nowhere = make_engine(make_url(urls.app).set(database="nobody_made_this"))
    line = desk.homeline
    absent = Intake(
        line.engine, nowhere, line.keyring, line.keys, desk.clock, line.ringer, line.ballots
    )
    began = time.monotonic()
    with pytest.raises(Unavailable):
        absent.take(desk.views["sms"], desk.arrival("hello"))
    assert 2 < time.monotonic() - began < 4
    assert desk.scalar("select count(*) from receipts") == 0


def test_telegram_comes_again_for_a_day_and_takes_no_place_among_those_who_wait(
    desk: Desk, urls: Urls
) -> None:
    nowhere = make_engine(make_url(urls.app).set(database="nobody_made_this"))
    line = desk.homeline
    absent = Intake(
        line.engine, nowhere, line.keyring, line.keys, desk.clock, line.ringer, line.ballots
    )
    began = time.monotonic()
    with pytest.raises(Unavailable):
        absent.take(desk.views["telegram"], desk.arrival("hello"))
    assert time.monotonic() - began < 1


def test_an_absence_that_ends_in_time_is_not_noticed() -> None:
    patience, tries = Patience(seconds=5), iter([1, 1])

    def work() -> str:
        if next(tries, None):
            raise Unavailable
        return "taken"

    assert patience.run(work) == "taken"


def test_only_so_many_wait_and_the_others_are_told_at_once() -> None:
    patience, inside, out = Patience(most=1), threading.Event(), threading.Event()
    tries = iter([1, 1])

    def work() -> str:
        if next(tries, None):
            inside.set()
            raise Unavailable
        out.wait(10)
        return "taken"

    def away() -> None:
        raise Unavailable

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(patience.run, work)
        assert inside.wait(10)
        while patience._places._value:
            out.wait(0.001)
        began = time.monotonic()
        with pytest.raises(Unavailable):
            patience.run(away)
        assert time.monotonic() - began < 0.5
        out.set()
        assert waiting.result(10) == "taken"


def test_a_contact_known_before_they_ever_wrote_gets_a_conversation(desk: Desk) -> None:
    desk.hear("hello")
    desk.change("delete from conversations")
    assert desk.hear("hello again").answered
    assert desk.scalar("select seq from conversations") == 1


def test_delete_leaves_a_receipt_of_the_erasure_and_nothing_else(desk: Desk) -> None:
    desk.register()
    desk.hear("DELETE")
    arrival = replace(desk.arrival("1"), receipt="message:1:erase")
    taken = desk.intake.take(desk.views["telegram"], arrival)
    assert taken.say
    tables = ("contacts", "addresses", "profiles", "conversations", "answers", "messages",
              "consent_events", "flow_sessions", "due")  # fmt: skip
    assert {desk.scalar(f"select count(*) from {table}") for table in tables} == {0}
    assert desk.scalar("select count(*) from tombstones") == 1
    assert desk.intake.take(desk.views["telegram"], arrival).repeated


def test_one_that_needs_more_than_the_batch_does_not_slow_down_the_others(desk: Desk) -> None:
    """DELETE goes alone, a repeat seen too late is read again; the others stay together."""
    view = desk.views["telegram"]
    for person in range(1, 7):
        desk.hear("hello", person)
    desk.hear("DELETE", 1)
    desk.another_intake().take(view, late := desk.arrival("1", 2))
    said = [desk.arrival("1", 1), late, *(desk.arrival("1", person) for person in range(3, 7))]
    taken = desk.intake._work([desk.intake._knock(view, one) for one in said])
    assert [getattr(one, "repeated", None) for one in taken] == [False, True, *[False] * 4]
    assert desk.scalar("select count(*) from contacts") == 5
    assert desk.scalar("select count(*) from answers") == 5
    assert len(desk.ask("select distinct xmin::text from answers")) == 2
