"""What could not be handled is kept sealed, tried again with growing pauses, and never lost."""

from datetime import timedelta

import pytest

from bot import kept
from bot.channels.base import Arrival
from flows.inputs import Attachment, Input, Pin, Pressed, Text
from services import quarantine
from services.quarantine import PAUSES, Failed, Kept
from tests.bot.conftest import Desk


def keep(desk: Desk, receipt: bytes = b"r1", payload: bytes = b"{}", *, again: bool = True) -> None:
    line = desk.homeline
    failed = Failed(
        desk.organisation_id, desk.views["telegram"].id, receipt, None, payload, "Sick", again
    )
    quarantine.keep(line.engine, line.keys, failed, now=desk.clock.now())


def retry(desk: Desk, *, works: bool) -> list[bytes]:
    line, seen = desk.homeline, []

    def take(waiting: Kept) -> bool:
        seen.append(waiting.payload)
        return works

    quarantine.retry(line.engine, line.keys, take, now=desk.clock.now())
    return seen


def test_the_same_delivery_is_kept_once_and_its_repeat_ends_at_the_receipt(desk: Desk) -> None:
    keep(desk)
    keep(desk)
    assert desk.scalar("select count(*) from quarantine") == 1
    assert desk.scalar("select count(*) from receipts") == 1


def test_it_is_sealed(desk: Desk) -> None:
    keep(desk, payload=b"somebody's very own words")
    assert b"words" not in bytes(desk.scalar("select sealed from quarantine"))


def test_it_is_tried_after_each_pause_and_then_waits_for_an_officer(desk: Desk) -> None:
    keep(desk, payload=b"words")
    assert retry(desk, works=False) == []
    for pause in PAUSES:
        desk.clock.advance(pause - timedelta(seconds=1))
        assert retry(desk, works=False) == []
        desk.clock.advance(timedelta(seconds=1))
        assert retry(desk, works=False) == [b"words"]
    desk.clock.advance(timedelta(days=2))
    assert retry(desk, works=False) == []
    assert desk.ask("select attempts, next_try_at from quarantine") == [(5, None)]


def test_one_that_works_is_gone(desk: Desk) -> None:
    keep(desk)
    desk.clock.advance(PAUSES[0])
    assert len(retry(desk, works=True)) == 1
    assert desk.scalar("select count(*) from quarantine") == 0


def test_what_nobody_can_read_is_not_tried(desk: Desk) -> None:
    keep(desk, again=False)
    desk.clock.advance(timedelta(days=1))
    assert retry(desk, works=True) == []


def test_one_that_cannot_be_opened_does_not_hold_up_those_behind_it(desk: Desk) -> None:
    keep(desk, b"first")
    desk.change("update quarantine set sealed = :junk", junk=b"\x01 not sealed by anybody's key")
    desk.clock.advance(timedelta(seconds=1))
    keep(desk, b"second", b"words")
    desk.clock.advance(PAUSES[0])
    assert retry(desk, works=True) == [b"words"]
    assert desk.ask("select attempts from quarantine") == [(1,)]


@pytest.mark.parametrize(
    "given",
    [Text("na\u00efve \U0001f600 \ud800"), Pressed("1.consent.yes"), Pin(-1.29, 36.82),
     Attachment("contact", number="+254700000001"), None],
)  # fmt: skip
def test_an_arrival_comes_back_as_it_was(desk: Desk, given: Input | None) -> None:
    arrival = Arrival(
        kind="message", receipt="message:1:2", address="telegram:1", input=given, language="en",
        sent_at=desk.clock.now(), provider_id="2", aliases=("whatsapp-id:US.1",),
    )  # fmt: skip
    assert kept.from_bytes(kept.to_bytes(arrival)) == arrival


@pytest.mark.parametrize("junk", [b"", b"[]", b"{}", b"7", b'{"input": {"type": "Bomb"}}'])
def test_what_is_no_arrival_is_refused(junk: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        kept.from_bytes(junk)
