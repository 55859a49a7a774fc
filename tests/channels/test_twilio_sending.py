"""What a phone shows after we have sent through Twilio."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.channels import CHANNELS
from bot.channels.base import ChannelError, ChannelView, Delivery, SendError, StatusUpdate
from bot.channels.transport import open_client
from bot.channels.twilio_sending import fetch_status
from flows.wording import Choice, Prompt, as_lines
from tests.channels.views import ACCOUNT, AUTH_TOKEN, YES_NO, choices, delivery, view
from tests.fakes.twilio import FakeTwilio
from tests.fakes.twilio_state import StatusPlan

SMS = view("sms", "+447700900999")
WHATSAPP = view("whatsapp", "+447700900999")
PERSON = "+447700900123"


class Contents:
    """A content store in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def find(self, view: ChannelView, digest: str) -> str | None:
        return self.kept.get(digest)

    async def keep(self, view: ChannelView, digest: str, sid: str) -> None:
        self.kept[digest] = sid

    async def forget(self, view: ChannelView, digest: str, sid: str) -> None:
        if self.kept.get(digest) == sid:
            del self.kept[digest]


@pytest.fixture
def fake() -> Iterator[FakeTwilio]:
    with FakeTwilio(account_sid=ACCOUNT, auth_token=AUTH_TOKEN, speed=50) as fake:
        fake.sender("+447700900999")
        fake.sender("whatsapp:+447700900999")
        fake.sender("MG1")
        yield fake


def send(channel: ChannelView, *messages: Delivery, contents: Contents | None = None) -> list[str]:
    async def go() -> list[str]:
        async with open_client() as http:
            adapter = CHANNELS[channel.kind]
            return [await adapter.send(http, channel, one, contents) for one in messages]

    return asyncio.run(go())


def test_sms_says_the_digits(fake: FakeTwilio) -> None:
    phone = fake.phone(PERSON)
    [sid] = send(SMS, delivery(f"sms:{PERSON}", base=fake.url))
    assert phone.last.sid == sid
    assert phone.last.body == as_lines(YES_NO) == "May we store your answers?\n1 Yes\n2 No"


def test_the_callback_carries_our_id_and_asks_to_be_repeated(fake: FakeTwilio) -> None:
    message = delivery(f"sms:{PERSON}", base=fake.url, public_url="http://127.0.0.1:1/")
    send(SMS, message)
    expected = "http://127.0.0.1:1/webhooks/twilio/k1/status?m=0190-ref#rc=5&rp=ct,rt,5xx"
    assert fake.phone(PERSON).last.callback == expected


def test_a_messaging_service_sends_by_its_sid(fake: FakeTwilio) -> None:
    send(view("sms", "MG1"), delivery(f"sms:{PERSON}", base=fake.url))
    assert fake.log[-1].fields["MessagingServiceSid"] == "MG1"
    assert "From" not in fake.log[-1].fields


def test_whatsapp_shows_buttons_that_press_the_digits(fake: FakeTwilio) -> None:
    phone, contents = fake.phone(f"whatsapp:{PERSON}"), Contents()
    phone.send("hello")
    send(WHATSAPP, delivery(f"whatsapp:{PERSON}", base=fake.url), contents=contents)
    assert phone.last.body == YES_NO.text
    assert phone.last.buttons == [("Yes", "a1.q1.v1"), ("No", "a1.q1.v2")]


def test_a_shape_is_made_once_whatever_is_asked(fake: FakeTwilio) -> None:
    phone, contents = fake.phone(f"whatsapp:{PERSON}"), Contents()
    phone.send("hello")
    other = Prompt("Autre ?", choices("Oui", "Non"), "choice")
    address = f"whatsapp:{PERSON}"
    send(
        WHATSAPP, delivery(address, base=fake.url), delivery(address, other, base=fake.url),
        contents=contents,
    )  # fmt: skip
    assert len(fake.contents) == 1
    assert [text.labels for text in phone.inbox] == [["Yes", "No"], ["Oui", "Non"]]


def test_seven_answers_are_a_list(fake: FakeTwilio) -> None:
    phone = fake.phone(f"whatsapp:{PERSON}")
    phone.send("hello")
    labels = ["Work", "Study", "Family", "Looking for work", "Retired", "Care at home", "Other"]
    back = (Choice("Back", "a1.q1.back", "9"),)
    prompt = Prompt("What do you do?", choices(*labels), "choice", navigation=back)
    send(WHATSAPP, delivery(f"whatsapp:{PERSON}", prompt, base=fake.url), contents=Contents())
    assert phone.last.labels == [*labels, "Back"]


def test_a_hidden_number_is_reached_by_its_id(fake: FakeTwilio) -> None:
    phone = fake.phone("whatsapp:FR.1349")
    phone.send("hello")
    send(WHATSAPP, delivery("whatsapp-id:FR.1349", base=fake.url), contents=Contents())
    assert phone.last.labels == ["Yes", "No"]


def test_lines_go_out_when_twilio_makes_no_content(fake: FakeTwilio) -> None:
    fake.script.add("status", method="content", code=500)
    phone = fake.phone(f"whatsapp:{PERSON}")
    phone.send("hello")
    send(WHATSAPP, delivery(f"whatsapp:{PERSON}", base=fake.url), contents=Contents())
    assert (phone.last.body, phone.last.buttons) == (as_lines(YES_NO), [])


def test_a_content_that_is_gone_is_made_anew(fake: FakeTwilio) -> None:
    phone, contents = fake.phone(f"whatsapp:{PERSON}"), Contents()
    phone.send("hello")
    message = delivery(f"whatsapp:{PERSON}", base=fake.url)
    send(WHATSAPP, message, contents=contents)
    [gone] = contents.kept.values()
    fake.contents.clear()
    send(WHATSAPP, message, contents=contents)
    [made] = contents.kept.values()
    assert made != gone
    assert phone.last.labels == ["Yes", "No"]


def test_lines_go_out_when_it_cannot_be_made_anew(fake: FakeTwilio) -> None:
    phone, contents = fake.phone(f"whatsapp:{PERSON}"), Contents()
    phone.send("hello")
    message = delivery(f"whatsapp:{PERSON}", base=fake.url)
    send(WHATSAPP, message, contents=contents)
    fake.contents.clear()
    fake.script.add("status", method="content", code=500)
    send(WHATSAPP, message, contents=contents)
    assert phone.last.body == as_lines(YES_NO)
    assert not contents.kept


def test_without_buttons_wanted_or_a_store_lines_go_out(fake: FakeTwilio) -> None:
    phone = fake.phone(f"whatsapp:{PERSON}")
    phone.send("hello")
    address = f"whatsapp:{PERSON}"
    send(WHATSAPP, delivery(address, base=fake.url, buttons=False), contents=Contents())
    send(WHATSAPP, delivery(address, base=fake.url))
    assert [text.body for text in phone.inbox] == [as_lines(YES_NO)] * 2


@pytest.mark.parametrize("text", ["", "x" * 1601])
def test_an_impossible_text_never_leaves(fake: FakeTwilio, text: str) -> None:
    with pytest.raises(SendError) as refused:
        send(SMS, delivery(f"sms:{PERSON}", Prompt(text), base=fake.url))
    assert refused.value.alert
    assert not fake.log


def test_an_address_of_another_channel_is_refused(fake: FakeTwilio) -> None:
    with pytest.raises(SendError) as refused:
        send(SMS, delivery("telegram:1001", base=fake.url))
    assert refused.value.dead


def test_who_opted_out_at_twilio_is_not_written_to(fake: FakeTwilio) -> None:
    fake.phone(PERSON).send("STOP")
    with pytest.raises(SendError) as refused:
        send(SMS, delivery(f"sms:{PERSON}", base=fake.url))
    assert refused.value.opted_out


# --- what became of a message ---


def fetched(channel: ChannelView, sid: str, base: str) -> StatusUpdate | None:
    async def go() -> StatusUpdate | None:
        async with open_client() as http:
            return await fetch_status(http, channel, base, sid)

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("status", "error", "ours"),
    [
        ("queued", None, "sent"),
        ("sent", None, "sent"),
        ("delivered", None, "delivered"),
        ("read", None, "read"),
        ("undelivered", 30006, "failed"),
        ("failed", 63016, "failed"),
    ],
)
def test_a_message_is_fetched_by_its_sid(
    fake: FakeTwilio, status: str, error: int | None, ours: str
) -> None:
    fake.statuses.plan = StatusPlan(step=10_000)
    [sid] = send(SMS, delivery(f"sms:{PERSON}", base=fake.url))
    fake.run(lambda: fake.texts.update({sid: replace(fake.texts[sid], status=status, error=error)}))
    code = str(error) if error else None
    assert fetched(SMS, sid, fake.url) == StatusUpdate(sid, ours, code, None)
    assert fake.log[-1].method == "fetch"


def test_a_message_twilio_does_not_know_says_nothing(fake: FakeTwilio) -> None:
    assert fetched(SMS, "SM" + "0" * 32, fake.url) is None
    assert fetched(SMS, "../../Accounts", fake.url) is None


@pytest.mark.parametrize(
    ("kind", "more"), [("status", {"code": 500}), ("bad_json", {}), ("reset_before", {})]
)
def test_an_answer_that_is_none_is_told_from_a_message_that_is_none(
    fake: FakeTwilio, kind: str, more: dict[str, int]
) -> None:
    [sid] = send(SMS, delivery(f"sms:{PERSON}", base=fake.url))
    fake.script.add(kind, method="fetch", **more)
    with pytest.raises(ChannelError):
        fetched(SMS, sid, fake.url)


def test_another_accounts_token_may_not_ask(fake: FakeTwilio) -> None:
    [sid] = send(SMS, delivery(f"sms:{PERSON}", base=fake.url))
    stranger = replace(SMS, credentials={"account_sid": ACCOUNT, "auth_token": "x"})
    with pytest.raises(ChannelError):
        fetched(stranger, sid, fake.url)
