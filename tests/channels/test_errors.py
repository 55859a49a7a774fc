"""What a provider's refusal makes us do, held against the library and the published cases."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from telegram import Bot
from telegram.error import TelegramError

from bot.channels import CHANNELS
from bot.channels.base import ChannelView, Delivery, SendError
from bot.channels.telegram import AiohttpRequest, error_of
from bot.channels.transport import open_client
from tests.channels.views import ACCOUNT, AUTH_TOKEN, TOKEN, VECTORS, delivery, view
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio

ERRORS = {row["id"]: row for row in VECTORS["provider_errors"]}
TELEGRAM = [name for name, row in ERRORS.items() if row["provider"] == "telegram"]
TWILIO = [name for name, row in ERRORS.items() if row["provider"] == "twilio"]
NUMBER = "+447700900123"

# What the delivery loop must be told; a word stands for a true attribute of the error.
MEANINGS = {
    "tg_429": "throttled retryable",
    "tg_blocked": "blocked",
    "tg_initiate": "blocked",
    "tg_kicked": "dead",
    "tg_parse": "alert",
    "tg_query_old": "",
    "tg_too_long": "alert",
    "tg_401": "stops_channel alert",
    "tg_404": "stops_channel alert",
    "tg_500": "retryable",
    "tg_502_html": "unknown retryable",
    "tw_21211": "dead",
    "tw_21408": "alert",
    "tw_21612": "alert",
    "tw_21614": "dead",
    "tw_21611": "throttled retryable",
    "tw_20429": "throttled retryable",
    "tw_20404": "alert",
    "tw_21656": "alert",
    "tw_500": "unknown retryable",
    "tw_503_html": "unknown retryable",
    "tw_21610": "opted_out",
}
ATTRIBUTES = "unknown throttled retryable opted_out blocked dead stops_channel alert".split()


@pytest.fixture(scope="module")
def telegram() -> Iterator[FakeTelegram]:
    with FakeTelegram(limits=False) as fake:
        fake.bot(TOKEN)
        fake.person(1001).send("hello")
        yield fake


@pytest.fixture(scope="module")
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio(account_sid=ACCOUNT, auth_token=AUTH_TOKEN) as fake:
        fake.sender("+447700900999")
        yield fake


def send(channel: ChannelView, message: Delivery) -> str:
    async def go() -> str:
        async with open_client() as http:
            return await CHANNELS[channel.kind].send(http, channel, message)

    return asyncio.run(go())


def meaning(error: SendError) -> str:
    return " ".join(name for name in ATTRIBUTES if getattr(error, name))


def answers(name: str) -> dict[str, object]:
    row = ERRORS[name]
    return {"code": row["http_status"], "body": row["body"], "headers": row.get("headers", {})}


@pytest.mark.parametrize("name", [name for name in TELEGRAM if name != "tg_migrated"])
def test_telegrams_refusals_say_what_to_do(name: str, telegram: FakeTelegram) -> None:
    telegram.script.clear()
    telegram.script.add("status", method="sendmessage", times=1, **answers(name))
    with pytest.raises(SendError) as refused:
        send(view("telegram"), delivery("telegram:1001", base=telegram.url))
    assert meaning(refused.value) == MEANINGS[name]
    if name == "tg_429":
        assert refused.value.retry_after == 17


@pytest.mark.parametrize("name", TELEGRAM)
def test_the_library_sees_the_same_class_of_error(name: str, telegram: FakeTelegram) -> None:
    telegram.script.clear()
    telegram.script.add("status", method="sendmessage", times=1, **answers(name))

    async def ask() -> TelegramError:
        async with Bot(
            TOKEN, base_url=f"{telegram.url}/bot",
            request=AiohttpRequest(), get_updates_request=AiohttpRequest(),
        ) as bot:  # fmt: skip
            with pytest.raises(TelegramError) as raised:
                await bot.send_message(1001, "x")
            return raised.value

    body = ERRORS[name]["body"]
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    theirs, ours = asyncio.run(ask()), error_of(ERRORS[name]["http_status"], raw)
    assert type(ours) is type(theirs)
    assert type(theirs).__name__ == ERRORS[name]["class"]


@pytest.mark.parametrize("name", TWILIO)
def test_twilios_refusals_say_what_to_do(name: str, twilio: FakeTwilio) -> None:
    twilio.script.clear()
    twilio.script.add("status", method="messages", times=1, **answers(name))
    with pytest.raises(SendError) as refused:
        send(view("sms", "+447700900999"), delivery(f"sms:{NUMBER}", base=twilio.url))
    assert meaning(refused.value) == MEANINGS[name]
    assert refused.value.sentence


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (VECTORS["twilio_magic_numbers"]["to_invalid_21211"], "dead"),
        (VECTORS["twilio_magic_numbers"]["to_region_21408"], "alert"),
        (VECTORS["twilio_magic_numbers"]["to_optout_21610"], "opted_out"),
        (VECTORS["twilio_magic_numbers"]["to_not_mobile_21614"], "dead"),
        (VECTORS["twilio_magic_numbers"]["to_unroutable_21612"], "alert"),
    ],
)
def test_twilios_test_numbers_fail_as_published(
    number: str, expected: str, twilio: FakeTwilio
) -> None:
    with pytest.raises(SendError) as refused:
        send(view("sms", "+447700900999"), delivery(f"sms:{number}", base=twilio.url))
    assert meaning(refused.value) == expected


def test_a_group_that_moved_is_written_to_where_it_is(telegram: FakeTelegram) -> None:
    telegram.script.clear()
    group = telegram.group(-400000001)
    group.migrate(-1002000000002)
    sent = send(view("telegram"), delivery("telegram:-400000001", base=telegram.url))
    assert f"7000000001:-1002000000002:{sent}" in telegram.ledger()


def test_a_wrong_token_or_account_stops_the_channel(
    telegram: FakeTelegram, twilio: FakeTwilio
) -> None:
    with pytest.raises(SendError) as refused:
        send(view("telegram", token="1:x"), delivery("telegram:1001", base=telegram.url))
    assert refused.value.stops_channel
    twilio.script.clear()
    channel = view("sms", "+447700900999", auth_token="wrong")
    with pytest.raises(SendError) as refused:
        send(channel, delivery(f"sms:{NUMBER}", base=twilio.url))
    assert refused.value.stops_channel


def test_no_error_tells_what_it_must_not(telegram: FakeTelegram) -> None:
    with pytest.raises(SendError) as refused:
        send(view("telegram"), delivery("telegram:424242", base=telegram.url))
    assert "424242" not in str(refused.value)
    assert TOKEN not in str(refused.value)
    assert refused.value.dead
