"""Garbage of every kind: no 5xx, no hang, nothing lost, and what is signed is kept."""

import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from app import create_app
from flows.inputs import Pressed
from tests.bot.conftest import NUMBER, SIGNED, Desk, desk, telegram, twilio
from tests.chaos.naughty import STRINGS
from tests.fakes.twilio_signing import signature

__all__ = ["desk", "telegram", "twilio"]  # fixtures

PUBLIC = "http://127.0.0.1:1"
LONGEST = 2.0
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
KINDS = (
    "message edited_message channel_post edited_channel_post business_message inline_query"
    " chosen_inline_result callback_query shipping_query pre_checkout_query poll poll_answer"
    " my_chat_member chat_member chat_join_request message_reaction chat_boost not_made_yet"
).split()
SHAPES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 2**80, "", "text", [], [[]], {}, {"id": None}, {"id": "x"},
    {"from": 7, "chat": "x"}, {"from": {"id": 2**70}, "chat": {"id": 1, "type": "private"}},
    {"message_id": "1", "from": {"id": 1}, "chat": {"id": 1, "type": "private"}, "text": {"a": 1}},
    {"id": "q", "from": {"id": 9}, "data": ["x"], "message": 4},
)  # fmt: skip


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return create_app(homeline=desk.homeline).test_client()


def post_raw(
    client: FlaskClient, desk: Desk, raw: bytes, kind: str | None = "application/json"
) -> int:
    headers = {"X-Telegram-Bot-Api-Secret-Token": "made-up-secret"}
    if kind is not None:
        headers["Content-Type"] = kind
    path = f"/webhooks/telegram/{desk.views['telegram'].key}"
    return timed(lambda: client.post(path, data=raw, headers=headers).status_code)


def timed(act: Any) -> int:
    began = time.monotonic()
    status: int = act()
    assert time.monotonic() - began < LONGEST
    return status


def said(text: Any, number: int, person: int = 5) -> bytes:
    who = {"id": person, "is_bot": False, "first_name": str(text)[:60], "language_code": "en"}
    message = {"message_id": number, "date": 1_700_000_000, "from": who, "text": text,
               "chat": {"id": person, "type": "private"}}  # fmt: skip
    return json.dumps({"update_id": number, "message": message}).encode()


def texted(client: FlaskClient, desk: Desk, fields: dict[str, str], kind: str = "sms") -> int:
    path = f"/webhooks/twilio/{desk.views[kind].key}"
    pairs = [(n, v.encode("utf-8", "replace").decode()) for n, v in fields.items()]
    signed = signature(SIGNED["auth_token"], PUBLIC + path, pairs)
    headers = {"X-Twilio-Signature": signed, "Content-Type": FORM}
    return timed(lambda: client.post(path, data=urlencode(pairs), headers=headers).status_code)


def test_the_list_is_long_enough() -> None:
    assert len(set(STRINGS)) >= 150


def test_whatever_is_typed_at_any_question_is_taken_in(client: FlaskClient, desk: Desk) -> None:
    """N-01: a fresh person for every few strings, so that each question meets some of them."""
    desk.change("update channel_budgets set unconsented_limit = 1000000")
    for number, text in enumerate(STRINGS, start=1):
        assert post_raw(client, desk, said(text, number, person=100 + number // 7)) == 200
    heard = desk.scalar("select count(*) from receipts")  # a refusal leaves nothing else
    assert heard == len(STRINGS)
    assert desk.scalar("select count(*) from quarantine") == 0


def test_whatever_is_texted_is_taken_in(client: FlaskClient, desk: Desk) -> None:
    """N-01: the same by SMS."""
    desk.change("update channel_budgets set unconsented_limit = 1000000")
    for number, text in enumerate(STRINGS, start=1):
        person = f"+4477009{number // 7:05}"
        fields = {"MessageSid": f"SM{number:032x}", "From": person, "To": NUMBER, "Body": text}
        assert texted(client, desk, fields) == 200
    assert desk.scalar("select count(*) from receipts") == len(STRINGS)
    assert desk.scalar("select count(*) from quarantine") == 0


def test_whatever_a_button_says_is_taken_in(desk: Desk) -> None:
    desk.change("update channel_budgets set unconsented_limit = 1000000")
    desk.hear("hello")
    for text in (*STRINGS, "1.language.en.more", "..", "1..", "1.consent.", "zzzz.x.y"):
        stored = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        desk.hear(Pressed(stored.replace("\x00", "")[:64]))
    assert desk.scalar("select count(*) from quarantine") == 0
    assert desk.scalar("select count(*) from contacts") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_of_any_kind_and_shape_is_answered_200(
    client: FlaskClient, desk: Desk, kind: str
) -> None:
    for number, shape in enumerate(SHAPES):
        assert (
            post_raw(client, desk, json.dumps({"update_id": number, kind: shape}).encode()) == 200
        )
    assert desk.scalar("select count(*) from quarantine where error_code <> 'unreadable'") == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense",
        b"[1, 2, 3]",
        b"7",
        b'"text"',
        b"null",
        b"[" * 100_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b'{"update_id": ' + b"9" * 5000 + b"}",
        b'{"update_id": 1e400000}',
        b'{"update_id": NaN, "message": Infinity}',
        b'{"a": "\\ud800", "message": {"text": "\\u0000"}}',
        b"\xff\xfe\x00",
        b"\xef\xbb\xbf{}",
        b'{"update_id": 1, "update_id": 2}',
        b"{" + b",".join(b'"k%d": 1' % n for n in range(20_000)) + b"}",
        b"\x1f\x8b" + b"\x00" * 100,
    ],
    ids=lambda raw: repr(raw[:14]),
)
def test_a_signed_body_nobody_can_read_is_answered_and_kept_once(
    client: FlaskClient, desk: Desk, raw: bytes
) -> None:
    assert post_raw(client, desk, raw) == 200
    assert post_raw(client, desk, raw) == 200
    assert desk.scalar("select count(*) from contacts") == 0
    assert desk.scalar("select count(*) from quarantine") <= 1
    assert desk.scalar("select count(*) from quarantine where next_try_at is not null") == 0


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "application/json; charset=x",
        "multipart/form-data; boundary=" + "x" * 900,
        "\u00e9",
        "application/x-www-form-urlencoded",
    ],
)
def test_a_wrong_content_type_is_no_fault_of_ours(
    client: FlaskClient, desk: Desk, kind: str | None
) -> None:
    assert post_raw(client, desk, said("hello", 1), kind) in (200, 400, 415)
    path = f"/webhooks/twilio/{desk.views['sms'].key}"
    for body in (b"Body=hello", b"", b"%%%", b"\xff" * 40, b"--x\r\n\r\n--x--"):
        headers = {"X-Twilio-Signature": "x"} | ({} if kind is None else {"Content-Type": kind})
        answered = client.post(path, data=body, headers=headers)
        assert answered.status_code in (400, 403, 413, 415)


def test_a_form_of_very_many_fields_is_refused(client: FlaskClient, desk: Desk) -> None:
    fields = {f"F{n}": "x" for n in range(3000)} | {"MessageSid": "SM1", "From": "+447700900123"}
    assert texted(client, desk, fields) in (200, 400, 403, 413)


FIELDS = (
    "MessageSid From To Body ButtonPayload ListId Latitude NumMedia OptOutType ProfileName WaId"
)


@pytest.mark.parametrize("field", FIELDS.split())
def test_any_field_of_a_form_may_hold_anything(client: FlaskClient, desk: Desk, field: str) -> None:
    desk.change("update channel_budgets set unconsented_limit = 1000000")
    for number, text in enumerate(STRINGS[::4]):
        fields = {"MessageSid": f"SM{number:032x}", "From": "whatsapp:+447700900123", "Body": "hi"}
        assert texted(client, desk, fields | {field: text}, "whatsapp") == 200
    assert desk.scalar("select count(*) from quarantine where error_code <> 'unreadable'") == 0


def test_any_field_of_a_status_may_hold_anything(client: FlaskClient, desk: Desk) -> None:
    desk.hear("hello", 3, kind="sms")
    for text in STRINGS[::3]:
        for field in ("MessageSid", "MessageStatus", "ErrorCode"):
            fields = {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "30008"}
            path = f"/webhooks/twilio/{desk.views['sms'].key}/status"
            pairs = list((fields | {field: text.encode("utf-8", "replace").decode()}).items())
            headers = {
                "X-Twilio-Signature": signature(SIGNED["auth_token"], PUBLIC + path, pairs),
                "Content-Type": FORM,
            }
            answered = client.post(path, data=urlencode(pairs), headers=headers)
            assert answered.status_code in (200, 204)
    assert desk.statuses()[0][0] == "queued"


@pytest.mark.parametrize("reference", ["", "x", "\x00", "0" * 5000, "'", "%00", "\ud7ff"])
def test_any_reference_in_a_status_callback(
    client: FlaskClient, desk: Desk, reference: str
) -> None:
    path = f"/webhooks/twilio/{desk.views['sms'].key}/status?{urlencode({'m': reference})}"
    pairs = [("MessageSid", "SM1"), ("MessageStatus", "sent")]
    headers = {"X-Twilio-Signature": signature(SIGNED["auth_token"], PUBLIC + path, pairs),
               "Content-Type": FORM}  # fmt: skip
    assert client.post(path, data=urlencode(pairs), headers=headers).status_code == 204


def test_one_flipped_byte_opens_nothing(client: FlaskClient, desk: Desk) -> None:
    """A-01: every byte of a signed body counts, and nothing is written."""
    path = f"/webhooks/twilio/{desk.views['sms'].key}"
    pairs = [("MessageSid", "SM1"), ("From", "+447700900123"), ("Body", "hello")]
    body = urlencode(pairs).encode()
    headers = {"X-Twilio-Signature": signature(SIGNED["auth_token"], PUBLIC + path, pairs),
               "Content-Type": FORM}  # fmt: skip
    for place in range(len(body)):
        flipped = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        assert client.post(path, data=flipped, headers=headers).status_code == 403
    assert desk.scalar("select count(*) from receipts") == 0
