"""When the wire breaks: not sent where that is certain, unknown everywhere else."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.channels import CHANNELS, transport
from bot.channels.base import ChannelView, Delivery, SendError
from bot.channels.transport import form_of, open_client
from tests.channels.views import ACCOUNT, AUTH_TOKEN, TOKEN, delivery, view
from tests.fakes.server import FakeServer
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio

Line = tuple[FakeServer, ChannelView, str]


@pytest.fixture(params=["telegram", "sms"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    """A fake, a channel that speaks to it, and somebody's address on it."""
    if request.param == "telegram":
        with FakeTelegram(limits=False) as telegram:
            telegram.bot(TOKEN)
            telegram.person(1001).send("hello")
            yield telegram, view("telegram"), "telegram:1001"
    else:
        with FakeTwilio(account_sid=ACCOUNT, auth_token=AUTH_TOKEN) as twilio:
            twilio.sender("+447700900999")
            yield twilio, view("sms", "+447700900999"), "sms:+447700900123"


def fail(channel: ChannelView, message: Delivery) -> SendError:
    async def go() -> None:
        async with open_client() as http:
            await CHANNELS[channel.kind].send(http, channel, message)

    with pytest.raises(SendError) as failed:
        asyncio.run(go())
    return failed.value


@pytest.mark.parametrize("fault", ["reset_after_commit", "truncated_body", "bad_json"])
def test_a_break_after_the_message_was_taken_is_unknown(line: Line, fault: str) -> None:
    fake, channel, address = line
    fake.script.add(fault)
    assert fail(channel, delivery(address, base=fake.url)).unknown
    assert len(fake.ledger()) == 1


@pytest.mark.parametrize("fault", ["reset_before", "html_502"])
def test_a_break_before_it_was_taken_looks_the_same(line: Line, fault: str) -> None:
    fake, channel, address = line
    fake.script.add(fault)
    assert fail(channel, delivery(address, base=fake.url)).unknown
    assert len(fake.ledger()) == 0


def test_an_answer_that_comes_too_late_is_unknown(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Patched because nobody should wait five seconds for a test.
    short = aiohttp.ClientTimeout(total=0.2, connect=0.1)
    monkeypatch.setattr(transport, "SEND_TIMEOUT", short)
    fake, channel, address = line
    fake.script.add("slow", after_ms=600)
    error = fail(channel, delivery(address, base=fake.url))
    assert (error.code, error.unknown) == ("timeout", True)
    assert len(fake.ledger()) == 1


def test_a_closed_port_means_not_sent(line: Line) -> None:
    _, channel, address = line
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = fail(channel, delivery(address, base=f"http://127.0.0.1:{port}"))
    assert (error.code, error.unknown, error.retryable) == ("refused", False, True)


def test_no_free_connection_means_not_sent(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        transport, "SEND_TIMEOUT", aiohttp.ClientTimeout(total=5, connect=0.1)
    )  # nobody should wait
    fake, channel, address = line
    fake.script.add("slow", before_ms=400, times=1)

    async def go() -> list[str | BaseException]:
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(connector=connector) as http:
            message = delivery(address, base=fake.url)
            both = [CHANNELS[channel.kind].send(http, channel, message) for _ in range(2)]
            return await asyncio.gather(*both, return_exceptions=True)

    results = asyncio.run(go())
    [error] = [result for result in results if isinstance(result, SendError)]
    assert (error.code, error.unknown, error.retryable) == ("no_connection", False, True)
    assert len(fake.ledger()) == 1


def test_a_slow_line_still_delivers(line: Line) -> None:
    fake, channel, address = line
    fake.script.add("bandwidth", bytes_per_second=20_000)

    async def go() -> str:
        async with open_client() as http:
            return await CHANNELS[channel.kind].send(
                http, channel, delivery(address, base=fake.url)
            )

    assert asyncio.run(go())


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"Body": ""},
        [("To", "+44 7700"), ("To", "a&b=c;d")],
        {"Body": "¿Sí? 100 % ~ _-. أهلا 🎉\n"},
    ],
)
def test_a_form_is_written_as_the_library_writes_it(fields: Any) -> None:
    assert form_of(fields).decode() == urlencode(fields)
