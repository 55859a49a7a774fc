"""A bot is dressed, pointed at us and polled through the library over our own network."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from bot.channels import CHANNELS
from bot.channels.base import ChannelError
from bot.channels.telegram_face import face
from bot.channels.telegram_setup import ALLOWED_UPDATES, BotFace, check, poll, set_up
from flows.inputs import Pressed, Text
from flows.keywords import recognise
from flows.wording import LANGUAGES
from tests.channels.views import SECRET, TOKEN, telegram_request, view
from tests.fakes.telegram import FakeTelegram

CHANNEL = view("telegram")
FACE = BotFace(
    commands={"": [("menu", "Show the menu")], "fr": [("menu", "Voir le menu")]},
    descriptions={"": ("A line home.", "Register by chat."), "fr": ("Une ligne.", "Par chat.")},
)


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram() as fake:
        fake.bot(TOKEN, "desk_bot")
        yield fake


def test_setting_up_points_the_webhook_and_dresses_the_bot(fake: FakeTelegram) -> None:
    bot = fake.bot(TOKEN)
    identity = asyncio.run(set_up(CHANNEL, fake.url, FACE, public_url="http://127.0.0.1:1/"))
    assert identity.username == "desk_bot"
    assert bot.webhook is not None
    assert (bot.webhook.url, bot.webhook.secret) == (
        "http://127.0.0.1:1/webhooks/telegram/k1", SECRET,
    )  # fmt: skip
    assert bot.kinds == frozenset(ALLOWED_UPDATES)
    assert bot.dressed["description:fr"] == "Par chat."
    assert bot.dressed["commands:fr"] == [{"command": "menu", "description": "Voir le menu"}]
    assert all(
        str(entry.fields.get("drop_pending_updates", "false")).lower() == "false"
        for entry in fake.log
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_shown_is_understood_and_said_in_each_language(language: str) -> None:
    shown = face("Examplia", LANGUAGES)
    assert shown.commands[""] == shown.commands["en"]
    for name, description in shown.commands[language]:
        heard = recognise(f"/{name}", [language])
        assert heard is not None
        assert heard.word.value == name
        assert 3 <= len(description) <= 256
    short, long = shown.descriptions[language]
    assert "Examplia" in short
    assert "Examplia" in long
    assert len(short) <= 120
    assert len(long) <= 512


def test_checking_tells_what_waits_and_what_went_wrong(fake: FakeTelegram) -> None:
    fake.person().send("hello")
    identity, state = asyncio.run(check(CHANNEL, fake.url))
    assert (identity.id, state.url, state.pending) == (7000000001, "", 1)


def test_a_wrong_token_is_told_without_quoting_it(fake: FakeTelegram) -> None:
    with pytest.raises(ChannelError) as refused:
        asyncio.run(check(view("telegram", token="1:wrong"), fake.url))
    assert "1:wrong" not in str(refused.value)


def test_polling_takes_each_update_once_and_stops_spinners(fake: FakeTelegram) -> None:
    person = fake.person()
    person.send("hello")
    taken: list[object] = []

    async def go() -> None:
        running = asyncio.current_task()
        loop = asyncio.get_running_loop()

        def take(body: bytes) -> bytes:
            arrivals = CHANNELS["telegram"].parse(CHANNEL, telegram_request(json.loads(body)))
            taken.extend(arrival.input for arrival in arrivals)
            if len(taken) == 1:
                bubble = fake.run(lambda: fake.commit(
                    fake.bot(TOKEN), person.chat, "?", [[{"text": "Yes", "callback_data": "p"}]]
                ))  # fmt: skip
                person.tap("Yes", bubble)
            elif running is not None:
                loop.call_later(0.2, running.cancel)
            return CHANNELS["telegram"].acknowledge(arrivals)[1]

        await poll(CHANNEL, fake.url, take, wait=1)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(go())
    assert taken == [Text("hello"), Pressed("p")]
    assert [answered for _, answered in fake.bot(TOKEN).taps.values()] == [True]


def test_two_programs_on_one_token_are_told_apart(fake: FakeTelegram) -> None:
    async def go() -> None:
        fake.bot(TOKEN).polling = True
        await poll(CHANNEL, fake.url, lambda body: b"", wait=0)

    with pytest.raises(ChannelError, match="Another program"):
        asyncio.run(go())
