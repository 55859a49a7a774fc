"""Whatever is posted, a channel answers with arrivals, with Malformed, or with a refusal."""

import json
from dataclasses import replace
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import CHANNELS
from bot.channels.base import Arrival, ChannelView, Malformed, WebhookRejected, WebhookRequest
from bot.channels.twilio import Twilio
from flows.inputs import Attachment, Pressed, Text
from tests.channels.views import VECTORS, form_request, telegram_request, view

NAUGHTY = [
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\U0001f469\u200d\U0001f467", "\u202e",
    "' OR 1=1 --", "<script>alert(1)</script>", "${jndi:ldap://x}", "{{1}}", "../../etc/passwd",
    "1e999", "NaN", "\r\nSet-Cookie: a=b", "﷽" * 50, "%00", "x" * 100_000, "\ufeff", "null",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
UPDATES = [row["update"] for row in VECTORS["telegram_updates"]]
FORMS = [row["params"] for row in VECTORS["twilio_inbound"]]


def parse(channel: ChannelView, request: WebhookRequest) -> list[Arrival]:
    try:
        arrivals = CHANNELS[channel.kind].parse(channel, request)
    except Malformed:
        return []
    assert len(arrivals) == 1
    for arrival in arrivals:
        assert storable(repr_of(arrival)), arrival
        assert 0 < len(arrival.receipt) < 200
        assert arrival.kind == "ignored" or arrival.address or arrival.kind == "group"
    return arrivals


def repr_of(arrival: Arrival) -> str:
    match arrival.input:
        case Text(said):
            words = said
        case Pressed(payload):
            words = payload
        case Attachment(_, emoji, number):
            words = f"{emoji}{number}"
        case _:
            words = ""
    return "".join([words, arrival.address, arrival.receipt, arrival.provider_id,
                    arrival.entry or "", arrival.language or "", arrival.chat or ""])  # fmt: skip


def storable(text: str) -> bool:
    """As PostgreSQL takes it."""
    return "\x00" not in text and text == text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize("text", NAUGHTY)
def test_naughty_words_arrive_inert(text: str) -> None:
    update = json.loads(json.dumps(UPDATES[0]))
    update["message"]["text"] = text
    [arrival] = parse(view("telegram"), telegram_request(update))
    assert isinstance(arrival.input, Text)
    body = quote_plus(text.encode("utf-8", "surrogatepass"))
    request = replace(
        form_request({}), body=f"MessageSid=SM1&From=%2B447700900123&Body={body}".encode()
    )
    [arrival] = parse(view("sms"), request)
    assert isinstance(arrival.input, Text)
    phone = {"id": "m1", "phone": "amina", "text": text}
    [arrival] = parse(view("simulator"), telegram_request(phone))
    assert isinstance(arrival.input, Text)


@given(st.sampled_from(UPDATES), st.data())
def test_an_update_with_anything_anywhere_is_read(update: object, data: st.DataObject) -> None:
    """Replace one leaf or branch of a real update by any JSON."""
    changed = json.loads(json.dumps(update))
    here, key = changed, "update_id"
    while True:
        key = data.draw(st.sampled_from(sorted(here)))
        if not isinstance(here[key], dict) or not here[key] or data.draw(st.booleans()):
            break
        here = here[key]
    here[key] = data.draw(JSON)
    parse(view("telegram", "bot"), telegram_request(changed))


@given(JSON)
def test_any_json_is_read(anything: object) -> None:
    for kind in ("telegram", "simulator", "sms"):
        parse(view(kind), telegram_request(anything))


@given(st.sampled_from(FORMS), st.data())
def test_a_form_with_anything_in_a_field_is_read(
    fields: dict[str, str], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([*fields, "ListId", "ButtonPayload", "OptOutType"]))
    changed = fields | {name: data.draw(st.text())}
    parse(view("whatsapp"), form_request(changed))
    Twilio().parse_status(view("sms"), form_request(changed, query=data.draw(st.text())))


@given(st.binary(max_size=200), st.sampled_from(
    ["", "application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/x"]
))  # fmt: skip
def test_any_bytes_of_any_kind_are_read_or_refused(body: bytes, kind: str) -> None:
    request = replace(form_request({}), body=body, headers={"Content-Type": kind})
    for name in CHANNELS:
        parse(view(name), request)
    for name in ("telegram", "sms", "whatsapp"):
        with pytest.raises(WebhookRejected):
            CHANNELS[name].verify(view(name), request)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * 50_000, b"[" * 200_000, b'{"update_id":' + b"9" * 5000 + b"}",
        b'{"update_id": 1e999}', b'{"message": NaN}', b"\x00" * 1000, b"\xef\xbb\xbf{}",
    ],
)  # fmt: skip
def test_hostile_json_neither_hangs_nor_raises(body: bytes) -> None:
    for kind in ("telegram", "simulator"):
        parse(view(kind), telegram_request(body))


def test_a_header_of_any_kind_is_only_wrong() -> None:
    for value in NAUGHTY:
        request = replace(form_request({}), headers={"X-Twilio-Signature": value})
        with pytest.raises(WebhookRejected):
            CHANNELS["sms"].verify(view("sms"), request)
        with pytest.raises(WebhookRejected):
            CHANNELS["telegram"].verify(view("telegram"), telegram_request({}, value))
