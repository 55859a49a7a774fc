"""The fake Twilio signs, retries, opts out and calls back as the real one does."""

from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest

from bot.channels import CHANNELS
from bot.channels.base import ChannelView, WebhookRejected, moves_up
from bot.channels.twilio import Twilio
from flows.inputs import Pin, Pressed, Text
from flows.wording import Prompt
from tests.channels.receiver import Receiver
from tests.channels.test_twilio_sending import Contents, send
from tests.channels.views import ACCOUNT, AUTH_TOKEN, delivery, view
from tests.fakes.twilio import FakeTwilio
from tests.fakes.twilio_state import StatusPlan

OURS, PERSON = "+447700900999", "+447700900123"
SMS, WHATSAPP = view("sms", OURS), view("whatsapp", OURS)


@pytest.fixture
def app() -> Iterator[Receiver]:
    with Receiver() as app:
        app.plan.body, app.plan.content_type = b"<Response/>", "text/xml"
        yield app


@pytest.fixture
def fake(app: Receiver) -> Iterator[FakeTwilio]:
    with FakeTwilio(account_sid=ACCOUNT, auth_token=AUTH_TOKEN, speed=100) as fake:
        fake.sender(OURS, f"{app.url}/webhooks/twilio/k1#rc=3&rp=ct,rt,5xx")
        fake.sender(f"whatsapp:{OURS}", f"{app.url}/webhooks/twilio/k2")
        yield fake


def inputs(app: Receiver, channel: ChannelView = SMS) -> list[object]:
    found: list[object] = []
    for request in app.requests:
        CHANNELS["sms"].verify(channel, request)
        found += [arrival.input for arrival in CHANNELS["sms"].parse(channel, request)]
    return found


def test_what_people_text_is_signed_and_arrives(fake: FakeTwilio, app: Receiver) -> None:
    fake.phone(PERSON).send("1 été 🌍 &=+")
    app.wait_for(1)
    assert inputs(app) == [Text("1 été 🌍 &=+")]


def test_a_shared_key_signs_instead_of_the_token(app: Receiver) -> None:
    key = "sk_1:shared-secret"
    with FakeTwilio(account_sid=ACCOUNT, auth_token=AUTH_TOKEN, shared_key=key) as fake:
        fake.sender(OURS, f"{app.url}/webhooks/twilio/k1")
        fake.phone(PERSON).send("hello")
        app.wait_for(1)
    assert inputs(app, view("sms", OURS, shared_key=key)) == [Text("hello")]
    with pytest.raises(WebhookRejected):
        inputs(app)


def test_taps_lists_and_places_come_as_twilio_sends_them(fake: FakeTwilio, app: Receiver) -> None:
    phone = fake.phone(f"whatsapp:{PERSON}")
    phone.send("hello")
    app.wait_for(1)
    send(WHATSAPP, delivery(f"whatsapp:{PERSON}", base=fake.url), contents=Contents())
    phone.tap("No")
    app.wait_for(2)
    phone.location(45.76, 4.83)
    app.wait_for(3)
    assert inputs(app) == [Text("hello"), Pressed("a1.q1.v2"), Pin(45.76, 4.83)]


def test_a_message_is_tried_again_only_as_the_fragment_says(
    fake: FakeTwilio, app: Receiver
) -> None:
    app.plan.statuses = [500, 500, 200]
    fake.phone(PERSON).send("hello")
    app.wait_for(3)
    tokens = {request.header("I-Twilio-Idempotency-Token") for request in app.requests}
    assert len(tokens) == 1
    app.plan.statuses = [500]
    fake.phone(f"whatsapp:{PERSON}").send("lost")
    fake.wait_until(lambda: bool(fake.inbound.lost))
    assert len(fake.inbound.deliveries) == 4


def test_the_provider_answers_stop_itself(fake: FakeTwilio, app: Receiver) -> None:
    fake.senders[OURS].advanced_opt_out = True
    phone = fake.phone(PERSON)
    phone.send("Stop")
    app.wait_for(1)
    [arrival] = CHANNELS["sms"].parse(SMS, app.requests[0])
    assert arrival.kind == "opted_out"
    assert phone.last.direction == "provider"
    phone.send("START")
    app.wait_for(2)
    send(SMS, delivery(f"sms:{PERSON}", base=fake.url))
    assert phone.last.direction == "outbound-api"


def callbacks(fake: FakeTwilio, app: Receiver, plan: StatusPlan, count: int) -> list[str]:
    fake.statuses.plan = plan
    send(SMS, delivery(f"sms:{PERSON}", base=fake.url, public_url=app.url))
    app.wait_for(count)
    for request in app.requests:
        assert parse_qs(request.query) == {"m": ["0190-ref"]}
        Twilio().verify(SMS, request)
    return [parse_qs(request.body.decode())["MessageStatus"][0] for request in app.requests]


def test_statuses_are_called_back_signed_with_our_id(fake: FakeTwilio, app: Receiver) -> None:
    assert callbacks(fake, app, StatusPlan(step=2), 3) == ["sending", "sent", "delivered"]


def test_a_callback_that_was_not_taken_comes_again(fake: FakeTwilio, app: Receiver) -> None:
    app.plan.statuses = [503, 204]
    called = callbacks(fake, app, StatusPlan(step=50), 4)
    assert called[0] == called[1] == "sending"
    assert called[2:] == ["sent", "delivered"]


def test_disorder_and_repeats_end_in_the_same_state(fake: FakeTwilio, app: Receiver) -> None:
    callbacks(fake, app, StatusPlan(step=2, reorder=1.0, duplicate=1.0), 6)
    state = "sending"
    for request in app.requests:
        update = Twilio().parse_status(SMS, request)
        assert update is not None
        state = update.status if moves_up(state, update.status) else state
    assert state == "delivered"


def test_the_first_callback_may_come_before_the_answer(fake: FakeTwilio, app: Receiver) -> None:
    fake.statuses.plan = StatusPlan(step=1, before_response=True)
    send(SMS, delivery(f"sms:{PERSON}", base=fake.url, public_url=app.url))
    assert len(app.requests) >= 1


def test_outside_the_window_whatsapp_fails_afterwards(fake: FakeTwilio, app: Receiver) -> None:
    phone = fake.phone(f"whatsapp:{PERSON}")
    phone.send("hello")
    app.wait_for(1)
    fake.clock.advance(25 * 3600)
    message = delivery(f"whatsapp:{PERSON}", Prompt("Hi."), fake.url, public_url=app.url)
    send(WHATSAPP, message)
    app.wait_for(2)
    update = Twilio().parse_status(WHATSAPP, app.requests[-1])
    assert update is not None
    assert (update.status, update.error_code) == ("failed", "63016")
    assert phone.inbox == []


def test_a_message_is_counted_in_parts(fake: FakeTwilio) -> None:
    send(SMS, delivery(f"sms:{PERSON}", Prompt("ê" * 71), base=fake.url))
    assert fake.phone(PERSON).last.segments == 2
