"""What somebody agreed to can be proved from what was on their screen, byte for byte (C-01)."""

import hashlib

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from models.db import transaction
from tests.bot.conftest import Desk
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio

PHONE = "+447700900001"


def screen(kind: str, telegram: FakeTelegram, twilio: FakeTwilio) -> str:
    """The last message as the provider was told to show it."""
    if kind == "telegram":
        return telegram.person(1).last.text
    return twilio.phone(PHONE if kind == "sms" else f"whatsapp:{PHONE}").last.body


@pytest.mark.parametrize("kind", ["telegram", "sms", "whatsapp"])
@pytest.mark.parametrize("language", ["1", "2", "3"])
def test_the_hash_is_of_the_bytes_that_were_shown(
    desk: Desk, telegram: FakeTelegram, twilio: FakeTwilio, kind: str, language: str
) -> None:
    """C-01: one event of one purpose; purpose, wording, language, channel, message and moment."""
    telegram.person(1).start()
    twilio.phone(f"whatsapp:{PHONE}").send("hello")  # the window is open there too
    for said in ("hello", language):
        desk.hear(said, kind=kind)
        desk.deliver()
    shown = screen(kind, telegram, twilio)
    desk.hear("1", kind=kind)
    events = desk.ask(
        "select purpose, action, flow, version, question, text_hash, channel_kind, at, language,"
        " provider_message is not null from consent_events"
    )
    assert len(events) == 1, "no other purpose is agreed to with it"
    purpose, action, flow, version, question, digest, channel, at, spoken, proved = events[0]
    assert (purpose, action, question) == ("registration", "granted", "consent")
    assert (flow, version, channel) == ("registration-express", 1, kind)
    assert (at, spoken) == (desk.clock.now(), ["en", "fr", "es"][int(language) - 1])
    assert proved
    assert bytes(digest) == hashlib.sha256(shown.encode()).digest(), shown
    assert desk.scalar("select consents from profiles") in ([], ["registration"])


@pytest.mark.parametrize(
    "change", ["update consent_events set purpose = 'polls'", "delete from consent_events"]
)
def test_whoever_serves_can_neither_change_nor_take_out_a_consent(desk: Desk, change: str) -> None:
    """C-01: append-only for the application's own role."""
    desk.register()
    before = desk.scalar("select count(*) from consent_events")
    with (
        pytest.raises(DatabaseError, match=r"append-only|permission denied"),
        transaction(desk.engine, desk.organisation_id) as db,
    ):
        db.execute(text(change))
    assert desk.scalar("select count(*) from consent_events") == before
