"""The demo's phones: what a press, a pin or an attachment becomes, and a send that stays home."""

import asyncio

import aiohttp
import pytest

from bot.channels import CHANNELS
from bot.channels.base import Arrival, Malformed, WebhookRejected
from bot.channels.simulator import SECRET_HEADER
from flows.inputs import Attachment, Input, Pin, Pressed, Text
from tests.channels.views import delivery, telegram_request, view

SIMULATOR = CHANNELS["simulator"]
PHONE = {"id": "m1", "phone": "amina"}


def arrive(**fields: object) -> Arrival:
    [arrival] = SIMULATOR.parse(view("simulator"), telegram_request(PHONE | fields))
    return arrival


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"text": "hello"}, Text("hello")),
        ({"press": "a1.q1.yes"}, Pressed("a1.q1.yes")),
        ({"pin": [48.85, 2.35]}, Pin(48.85, 2.35)),
        ({"pin": [480, 2.35]}, Attachment("other")),
        ({"attachment": "voice"}, Attachment("voice")),
        ({"attachment": "sticker", "emoji": "👍"}, Attachment("sticker", emoji="👍")),
        ({"attachment": "rocket"}, Attachment("other")),
        ({}, Attachment("other")),
    ],
)
def test_what_a_phone_does_arrives(fields: dict[str, object], expected: Input) -> None:
    arrival = arrive(**fields)
    assert (arrival.kind, arrival.address, arrival.receipt) == (
        "message", "sim:amina", "sim:amina:m1",
    )  # fmt: skip
    assert arrival.input == expected


def test_language_entry_and_the_pressed_message_come_along() -> None:
    arrival = arrive(press="p", language="ar", entry="ZA-1", pressed="0190")
    assert (arrival.language, arrival.entry, arrival.pressed_message) == ("ar", "ZA-1", "0190")


def test_a_phone_may_block_and_edit() -> None:
    assert arrive(event="blocked").kind == "blocked"
    assert arrive(event="edited", text="x").kind == "edited"
    assert arrive(event="exploded", text="x").kind == "message"


@pytest.mark.parametrize("fields", [{"phone": ""}, {"phone": "a b"}, {"id": 7}, {"id": None}])
def test_a_phone_without_a_name_is_ignored(fields: dict[str, object]) -> None:
    assert arrive(**fields).kind == "ignored"


def test_what_is_no_object_is_malformed() -> None:
    with pytest.raises(Malformed):
        SIMULATOR.parse(view("simulator"), telegram_request([1]))


def test_a_secret_is_held_to_where_there_is_one() -> None:
    request = telegram_request(PHONE)
    SIMULATOR.verify(view("simulator"), request)
    with pytest.raises(WebhookRejected):
        SIMULATOR.verify(view("simulator", secret="s"), request)
    assert request.header(SECRET_HEADER.upper()) == ""


def test_sending_leaves_nothing_and_counts_as_sent() -> None:
    async def go() -> str:
        async with aiohttp.ClientSession() as http:
            return await SIMULATOR.send(http, view("simulator"), delivery("sim:amina"))

    assert asyncio.run(go()) == "0190-ref"
