"""Templates are created, submitted and followed through the Content API."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from bot.channels.base import ChannelError, ReadyTemplate
from bot.channels.transport import open_client
from bot.channels.twilio_templates import Approval, TemplateDesk, definition
from flows.templates import templates
from tests.channels.test_twilio_sending import send
from tests.channels.views import ACCOUNT, AUTH_TOKEN, delivery, view
from tests.fakes.twilio import FakeTwilio
from tests.fakes.twilio_state import DAY

WHATSAPP = view("whatsapp", "+447700900999")
PERSON = "whatsapp:+447700900123"
REMINDER = templates()["reminder", "fr"]
NAMES = {"organisation": "Consulat"}
Found = TypeVar("Found")


@pytest.fixture
def fake() -> Iterator[FakeTwilio]:
    with FakeTwilio(account_sid=ACCOUNT, auth_token=AUTH_TOKEN, speed=50) as fake:
        fake.sender("whatsapp:+447700900999")
        yield fake


def at_the_desk(fake: FakeTwilio, work: Callable[[TemplateDesk], Awaitable[Found]]) -> Found:
    async def go() -> Found:
        async with open_client() as http:
            return await work(TemplateDesk(http, WHATSAPP, fake.url))

    return asyncio.run(go())


def approved(fake: FakeTwilio) -> str:
    sid = at_the_desk(fake, lambda desk: desk.create(REMINDER))
    at_the_desk(fake, lambda desk: desk.submit(sid, REMINDER))
    fake.review()
    return sid


def test_every_template_is_taken_and_none_refused_for_its_form(fake: FakeTwilio) -> None:
    for template in templates().values():
        sid = at_the_desk(fake, lambda desk, one=template: desk.create(one))  # type: ignore[misc]
        answer = at_the_desk(
            fake,
            lambda desk, one=template, made=sid: desk.submit(made, one),  # type: ignore[misc]
        )
        assert answer == Approval("submitted", None)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", "submitted"), ("approved", "approved"), ("rejected", "rejected"),
        ("paused", "paused"), ("disabled", "paused"), ("a new word", "submitted"),
    ],
)  # fmt: skip
def test_what_whatsapp_decides_is_read(fake: FakeTwilio, word: str, status: str) -> None:
    sid = at_the_desk(fake, lambda desk: desk.create(REMINDER))
    assert at_the_desk(fake, lambda desk: desk.fetch(sid)) == Approval("draft", None)
    at_the_desk(fake, lambda desk: desk.submit(sid, REMINDER))
    fake.review(word, "TAG_CONTENT_MISMATCH")
    assert at_the_desk(fake, lambda desk: desk.fetch(sid)) == Approval(
        status, "TAG_CONTENT_MISMATCH"
    )


def test_an_approved_template_reaches_who_has_not_written(fake: FakeTwilio) -> None:
    phone, sid = fake.phone(PERSON), approved(fake)
    ready = ReadyTemplate(sid, REMINDER.values(NAMES) or {})
    prompt = REMINDER.prompt(NAMES)
    send(WHATSAPP, delivery(PERSON, prompt, base=fake.url, template=ready))
    assert phone.last.body == prompt.text
    assert phone.last.buttons == [(one.label, one.payload) for one in prompt.choices]


def test_what_is_not_approved_comes_back_as_too_late(fake: FakeTwilio) -> None:
    phone = fake.phone(PERSON)
    sid = at_the_desk(fake, lambda desk: desk.create(REMINDER))
    ready = ReadyTemplate(sid, REMINDER.values(NAMES) or {})
    phone.send("hello")
    fake.clock.advance(DAY + 1)
    [message] = send(WHATSAPP, delivery(PERSON, base=fake.url, template=ready))
    fake.wait_until(lambda: fake.texts[message].error == 63016)
    assert phone.inbox == []


def test_faults_are_sentences(fake: FakeTwilio) -> None:
    with pytest.raises(ChannelError, match="does not know"):
        at_the_desk(fake, lambda desk: desk.fetch("HX0"))
    fake.script.add("status", method="content", code=500)
    with pytest.raises(ChannelError, match="did not take"):
        at_the_desk(fake, lambda desk: desk.create(REMINDER))
    fake.auth_token = "another"
    with pytest.raises(ChannelError, match="credentials"):
        at_the_desk(fake, lambda desk: desk.fetch("HX0"))


def test_samples_stand_in_for_every_variable() -> None:
    made = definition(templates()["invitation", "en"])
    assert made["variables"] == {"1": "Consulate", "2": "opening hours"}
