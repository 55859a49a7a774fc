"""Voice notes as answers: fetched from where the provider keeps them, sealed, heard, and gone."""

import asyncio
import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from bot.recordings import Listener
from flows import loader
from flows.inputs import Attachment
from models.base import new_id
from models.db import transaction
from models.walls import system_scope
from services import flows, organisations, retention
from services.audit import Actor
from services.catalogue import read_catalogue
from services.errors import NotFound
from services.people import merging, recordings
from services.rights import mydata, rights
from tests.bot.conftest import Desk
from tests.factories import Factory
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio

SAID = b"OggS a voice note"
TO_THE_NAME = ("MENU", "2", "4", "1", "1", "1")
"""From the menu to the open question of a module: what the group is called."""
MEDIUM = "/Messages/MM1/Media/ME1"


@pytest.fixture
def voices(
    desk: Desk,
    making: Callable[[], AbstractContextManager[Factory]],
    telegram: FakeTelegram,
    twilio: FakeTwilio,
) -> Desk:
    telegram.files = {"v": SAID}
    twilio.media.kept, twilio.media.moved = {"ME1": SAID}, ""
    with making() as make:
        flows.publish(make.db, loader.load(loader.library()["module-organisations"]), now=make.now)
    return desk


def answer(desk: Desk, file: str = "v", kind: str = "telegram", **more: Any) -> None:
    """Register, come to the open question, and answer it by voice."""
    desk.register(kind=kind)
    for each in TO_THE_NAME:
        desk.hear(each, kind=kind)
    desk.change("update messages set status = 'sent' where status = 'queued'")
    desk.hear(Attachment("voice", file=file, **more), kind=kind)


def listen(desk: Desk) -> int:
    settings, line = desk.homeline.settings, desk.homeline
    urls = dict.fromkeys(("sms", "whatsapp"), settings.twilio_api_url)
    urls["telegram"] = settings.telegram_api_url
    listener = Listener(desk.engine, line.keyring, line.directory, urls, desk.clock.now)
    return asyncio.run(listener.listen())


def told(desk: Desk) -> list[str]:
    """The phrases of our messages that wait to be sent."""
    rows = desk.ask(
        "select content->'parts' from messages where direction = 'out' and status = 'queued'"
        " order by id"
    )
    return [part["say"] for (parts,) in rows for part in parts if "say" in part]


def kept(desk: Desk) -> Any:
    return desk.scalar("select count(*) from recordings")


def hear(desk: Desk) -> recordings.Heard:
    with transaction(desk.engine, desk.organisation_id) as db:
        [row] = recordings.list_recordings(db)
        return recordings.hear(
            db, desk.homeline.keyring, row.id, actor=officer(desk), reason="case", now=row.said_at
        )


def officer(desk: Desk) -> Actor:
    return Actor("api_key", new_id(desk.clock.now()))


@pytest.mark.parametrize(
    ("kind", "file"), [("telegram", "v"), ("whatsapp", MEDIUM), ("sms", MEDIUM)]
)
def test_a_voice_note_is_kept_sealed_and_can_be_heard(voices: Desk, kind: str, file: str) -> None:
    answer(voices, file, kind)
    assert told(voices) == ["voice_kept"]
    assert voices.scalar("select reason from cases") == "voice", "an officer is told"
    assert listen(voices) == 1
    assert listen(voices) == 0, "once"
    assert voices.scalar("select count(*) from due where kind = 'recording'") == 0
    sealed = voices.scalar("select sealed from recordings")
    assert SAID not in bytes(sealed)
    found = hear(voices)
    assert (found.data, found.content_type) == (SAID, "audio/ogg")
    assert voices.scalar("select count(*) from audit_events where action = 'recording.heard'") == 1
    assert voices.scalar("select skipped from answers where question = 'name'") is False


def test_the_name_of_the_file_is_nowhere_in_clear(voices: Desk) -> None:
    answer(voices, "AwACAgQAAxkBAAIB")
    rows = voices.ask("select cast(d.* as text) from due d union all select cast(m.* as text)"
                      " from messages m")  # fmt: skip
    assert not [row for (row,) in rows if "AwACAgQAAxkBAAIB" in row]


def test_twilio_keeps_no_recording_of_ours(voices: Desk, twilio: FakeTwilio) -> None:
    answer(voices, MEDIUM, "whatsapp")
    listen(voices)
    assert twilio.media.kept == {}


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://169.254.169.254/latest",
        "https://evil.example/x",
        "https://twiliocdn.com.evil.example/x",
        "https://a@mms.twiliocdn.com/x",
        "http://mms.twiliocdn.com/x",
        "//127.0.0.1/x",
        "",
    ],
)
def test_nobody_sends_us_anywhere_else(voices: Desk, twilio: FakeTwilio, elsewhere: str) -> None:
    twilio.media.moved = elsewhere or "x"
    answer(voices, MEDIUM, "whatsapp")
    listen(voices)
    assert kept(voices) == 0
    assert told(voices)[-1] == "voice_lost"


def test_a_file_larger_than_we_keep_is_told(voices: Desk, telegram: FakeTelegram) -> None:
    telegram.files["v"] = b"x" * 1_000_001
    answer(voices)
    listen(voices)
    assert kept(voices) == 0
    assert told(voices)[-1] == "voice_too_long"


def test_a_note_that_says_it_is_too_long_is_asked_again(voices: Desk) -> None:
    answer(voices, seconds=121)
    assert told(voices) == ["voice_too_long"]
    assert voices.scalar("select count(*) from answers where question = 'name'") == 0
    assert voices.scalar("select state->'session'->>'asked' from conversations") == "name"


def test_a_file_that_is_gone_is_told(voices: Desk) -> None:
    answer(voices, "unknown")
    listen(voices)
    assert told(voices)[-1] == "voice_lost"
    assert voices.scalar("select count(*) from due where kind = 'recording'") == 0


def test_a_provider_that_is_away_is_asked_again_and_at_last_given_up(
    voices: Desk, telegram: FakeTelegram
) -> None:
    answer(voices)
    directory = voices.homeline.directory
    away = dict.fromkeys(("telegram", "sms", "whatsapp"), "http://127.0.0.1:1")
    line = voices.homeline
    listener = Listener(voices.engine, line.keyring, directory, away, voices.clock.now)
    for pause in (timedelta(0), *recordings.PAUSES):
        voices.clock.advance(pause)
        assert told(voices) == ["voice_kept"]
        assert asyncio.run(listener.listen()) == 1
    assert told(voices) == ["voice_kept", "voice_lost"]


def test_it_is_shown_to_the_person_and_goes_with_them(voices: Desk) -> None:
    answer(voices)
    listen(voices)
    now, line = voices.clock.now(), voices.homeline
    contact_id = voices.scalar("select contact_id from recordings")
    with transaction(voices.engine, voices.organisation_id) as db:
        keys = organisations.open_keys(db, line.keyring)
        rows = mydata.everything(db, line.keyring, keys, contact_id)
        assert base64.b64decode(rows["recordings"][0]["sealed"]) == SAID
        rights.erase(db, contact_id, now=now)
    assert kept(voices) == 0


def test_erased_before_it_was_fetched_it_is_not_kept(voices: Desk) -> None:
    answer(voices)
    line, now = voices.homeline, voices.clock.now()
    [waiting] = recordings.claim(voices.engine, line.keyring, now=now)
    contact_id = voices.scalar("select contact_id from due where kind = 'recording'")
    with transaction(voices.engine, voices.organisation_id) as db:
        rights.erase(db, contact_id, now=now)
    assert not recordings.keep(voices.engine, line.keyring, waiting, "audio/ogg", SAID, now=now)
    assert kept(voices) == 0


def test_after_thirty_days_it_is_gone(voices: Desk) -> None:
    answer(voices)
    listen(voices)
    for step, left in ((timedelta(days=30, seconds=-1), 1), (timedelta(seconds=1), 0)):
        now = voices.clock.advance(step)
        with system_scope(voices.engine) as db:
            retention.run(db, now=now)
        assert kept(voices) == left
    with (
        transaction(voices.engine, voices.organisation_id) as db,
        pytest.raises(NotFound, match="30 days"),
    ):
        recordings.hear(
            db, voices.homeline.keyring, voices.organisation_id, actor=officer(voices),
            reason="case", now=voices.clock.now(),
        )  # fmt: skip


@pytest.mark.parametrize("fetched", [False, True])
def test_a_merger_keeps_it_and_it_can_still_be_heard(voices: Desk, fetched: bool) -> None:
    answer(voices)
    goes = voices.scalar("select contact_id from answers limit 1")
    if fetched:
        listen(voices)
    voices.change("update contacts set created_at = created_at + interval '1 day'")
    voices.hear("hello", 2, kind="sms")
    voices.change("update contacts set created_at = created_at - interval '9 days' where id <> :g",
                  g=goes)  # fmt: skip
    stays = voices.scalar("select id from contacts where id <> :goes", goes=goes)
    catalogue = read_catalogue(voices.engine, voices.organisation_id)
    with transaction(voices.engine, voices.organisation_id) as db:
        merged = merging.merge(
            db, voices.homeline.keyring, stays, goes, catalogue,
            channel_kind="sms", now=voices.clock.now(),
        )  # fmt: skip
    assert merged == stays
    if not fetched:
        listen(voices)
    assert voices.scalar("select contact_id from recordings") == stays
    assert hear(voices).data == SAID
