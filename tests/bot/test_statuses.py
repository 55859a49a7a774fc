"""What providers tell of our messages: statuses only move up, whatever order they come in."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from bot import statuses
from bot.channels.base import StatusUpdate
from models.base import new_id
from models.delivery_path import delivery_turn
from models.walls import system_scope
from services.errors import Unavailable
from tests.bot.conftest import Desk

REPORTED = ("sent", "delivered", "read")


def said(desk: Desk, status: str = "sending") -> UUID:
    desk.hear("hello", 3, kind="sms")
    desk.change(
        "update messages set status = :status, provider_id = :sid where direction = 'out'",
        status=status,
        sid=None if status == "sending" else "SM1",
    )
    found: UUID = desk.scalar("select id from messages where direction = 'out'")
    return found


def tell(
    desk: Desk, status: str, *, reference: UUID | str | None = None, error: str | None = None
) -> None:
    update = StatusUpdate("SM1", status, error, None if reference is None else str(reference))
    desk.homeline.statuses.record(desk.views["sms"], update)


def now_is(desk: Desk) -> str:
    return str(desk.statuses()[0][0])


@pytest.mark.parametrize("order", list(permutations(REPORTED)))
def test_the_highest_stays_in_whatever_order_they_come(desk: Desk, order: tuple[str, ...]) -> None:
    message = said(desk)
    ranks = ["sending", *REPORTED]
    highest = 0
    for status in (*order, *order):
        tell(desk, status, reference=message)
        highest = max(highest, ranks.index(status))
        assert now_is(desk) == ranks[highest]


def recorded_as_sent(desk: Desk, message: UUID) -> None:
    """Our own word of a message, which a worker writes down after a provider's callback came."""
    row = {"org": desk.organisation_id, "id": message, "status": "sent", "provider_id": "SM1",
           "at": desk.clock.now(), "refund": False}  # fmt: skip
    desk.change("update messages set leased_by = 'w' where direction = 'out'")
    with desk.homeline.open().delivery.connect() as connection:
        delivery_turn(
            connection.execution_options(isolation_level="AUTOCOMMIT"), "w", done=[row], wanted=0,
            lease=timedelta(seconds=8), now=desk.clock.now(),
        )  # fmt: skip


def test_a_callback_before_our_send_returned_finds_its_message_and_stays(desk: Desk) -> None:
    message = said(desk)
    tell(desk, "delivered", reference=message)
    recorded_as_sent(desk, message)
    assert now_is(desk) == "delivered"
    assert desk.scalar("select provider_id from messages where direction = 'out'") == "SM1"


def test_a_failure_told_before_our_send_returned_keeps_its_reason(desk: Desk) -> None:
    message = said(desk)
    tell(desk, "failed", reference=message, error="30003")
    recorded_as_sent(desk, message)
    assert desk.statuses() == [("failed", "30003")]


def test_one_without_our_reference_is_found_by_the_providers_id(desk: Desk) -> None:
    said(desk, "sent")
    tell(desk, "delivered")
    assert now_is(desk) == "delivered"


@pytest.mark.parametrize("reference", [new_id(), "not an id", "", None])
def test_one_of_an_unknown_message_is_ignored(desk: Desk, reference: UUID | str | None) -> None:
    said(desk)
    tell(desk, "delivered", reference=reference)
    assert now_is(desk) == "sending"


def test_one_over_another_channel_is_ignored(desk: Desk) -> None:
    message = said(desk)
    update = StatusUpdate("SM1", "delivered", None, str(message))
    desk.homeline.statuses.record(desk.views["whatsapp"], update)
    assert now_is(desk) == "sending"


def test_an_unknown_send_of_which_the_provider_tells_is_known_again(desk: Desk) -> None:
    message = said(desk)
    desk.change("update messages set status = 'unknown', leased_until = clock_timestamp()"
                " + interval '20 seconds' where direction = 'out'")  # fmt: skip
    tell(desk, "sent", reference=message)
    assert now_is(desk) == "sent"


@pytest.mark.parametrize(("code", "state"), [("21610", "opted_out"), ("63014", "blocked"),
                                             ("30006", "dead"), ("30008", "active")])  # fmt: skip
def test_a_failure_is_final_and_tells_of_the_address(desk: Desk, code: str, state: str) -> None:
    message = said(desk, "sent")
    tell(desk, "failed", reference=message, error=code)
    assert desk.statuses() == [("failed", code)]
    assert desk.scalar("select status from addresses") == state
    tell(desk, "delivered", reference=message)
    assert now_is(desk) == "failed"


def test_a_closed_address_gets_nothing_that_is_queued(desk: Desk) -> None:
    message = said(desk, "sent")
    desk.hear("1", 3, kind="sms")
    tell(desk, "failed", reference=message, error="21610")
    assert desk.statuses()[1] == ("canceled", "opted_out")


def test_a_failure_is_recorded_with_what_follows_or_not_at_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded by itself it would be no news any more when the provider tells it again."""
    message = said(desk, "sent")

    def away(*_: object) -> None:
        raise OperationalError("", None, Exception())

    with monkeypatch.context() as patch:  # the database goes away between the two
        patch.setattr(statuses, "close_address", away)
        with pytest.raises(Unavailable):
            tell(desk, "failed", reference=message, error="30006")
    assert now_is(desk) == "sent"
    tell(desk, "failed", reference=message, error="30006")
    assert now_is(desk) == "failed"
    assert desk.scalar("select status from addresses") == "dead"


def many(desk: Desk, people: int) -> list[UUID]:
    for person in range(people):
        desk.hear("hello", person, kind="sms")
    desk.change("update messages set status = 'sent' where direction = 'out'")
    return [row[0] for row in desk.ask("select id from messages where direction = 'out'")]


def tell_of(desk: Desk, message: UUID, status: str) -> None:
    update = StatusUpdate(f"SM{message.hex}", status, None, str(message))
    desk.homeline.statuses.record(desk.views["sms"], update)


def test_what_is_told_of_many_at_the_same_moment_all_stands(desk: Desk) -> None:
    messages = many(desk, 24)
    news = [(message, status) for status in REPORTED for message in messages]
    news += [(message, "failed") for message in messages[:3]]
    with ThreadPoolExecutor(32) as threads:
        told = [threads.submit(tell_of, desk, *one) for one in news]
    assert [one.exception() for one in told] == [None] * len(news)
    ended = desk.ask("select id, status, provider_id from messages where direction = 'out'")
    assert {row[2] for row in ended} == {f"SM{message.hex}" for message in messages}
    assert {row[1] for row in ended if row[0] not in messages[:3]} == {"read"}
    assert {row[1] for row in ended if row[0] in messages[:3]} <= {"delivered", "read", "failed"}


def test_those_of_a_batch_that_fails_are_recorded_one_by_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = said(desk)

    def fails(*_: object) -> None:
        raise ProgrammingError("", None, Exception())

    monkeypatch.setattr(statuses, "record_statuses", fails)  # a fault nobody has thought of
    tell(desk, "delivered", reference=message)
    assert now_is(desk) == "delivered"


def status_of(desk: Desk, message: UUID) -> str:
    return str(desk.scalar("select status from messages where id = :id", id=message))


@contextmanager
def held(desk: Desk, message: UUID) -> Iterator[None]:
    """Somebody works on a message meanwhile."""
    with system_scope(desk.engine) as db:
        db.execute(text("select 1 from messages where id = :id for update"), {"id": message})
        yield


def test_a_message_that_somebody_holds_is_waited_for_and_holds_up_no_other(desk: Desk) -> None:
    one, other = many(desk, 2)
    with ThreadPoolExecutor(1) as threads:
        with held(desk, one):
            waiting: Future[None] = threads.submit(tell_of, desk, one, "delivered")
            tell_of(desk, other, "delivered")
            assert status_of(desk, other) == "delivered"
            assert not waiting.done()
        waiting.result(5)
    assert status_of(desk, one) == "delivered"
