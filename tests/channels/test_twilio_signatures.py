"""Twilio's signatures: the published cases as they stand, and no byte may change."""

import json
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import CHANNELS
from bot.channels.base import ChannelView, WebhookRejected, WebhookRequest
from tests.channels.views import VECTORS, view
from tests.fakes.twilio_signing import json_url, signature

TWILIO = CHANNELS["sms"]
BY_ID = {row["id"]: row for row in VECTORS["signatures"]}
TOKEN = "0123456789abcdef0123456789abcdef"
URL = "https://bot.example.org/webhooks/twilio/k1?src=%C3%A9t%C3%A9"
PAIRS = [
    ("Body", "1 été 🌍"),
    ("From", "+447700900123"),
    ("Digits", "5"),
    ("Digits", "7"),
    ("ToCity", ""),
]


def request_of(
    url: str,
    body: bytes,
    signed: str,
    *,
    kind: str = "application/x-www-form-urlencoded",
    **more: str,
) -> WebhookRequest:
    parts = urlsplit(url)
    headers = {"Content-Type": kind, "X-Twilio-Signature": signed, **more}
    return WebhookRequest(
        "POST", parts.path, parts.query, headers, body, f"{parts.scheme}://{parts.netloc}"
    )


def is_let_in(channel: ChannelView, request: WebhookRequest) -> bool:
    try:
        TWILIO.verify(channel, request)
    except WebhookRejected as refused:
        return refused.status != 403
    return True


@pytest.mark.parametrize("name", BY_ID)
def test_every_vector_is_decided_as_published(name: str) -> None:
    row = BY_ID[name]
    pairs = [tuple(pair) for pair in row.get("params_pairs", [])]
    pairs = pairs or list((row.get("params") or {}).items())
    body, kind = urlencode(pairs).encode(), "application/x-www-form-urlencoded"
    if row.get("raw_body"):
        body, kind = row["raw_body"].encode(), "application/json"
    headers = row.get("headers", {})
    channel = view("sms", auth_token=row["token"])
    if row.get("algorithm") == "HMAC_SHA256":
        channel = view("sms", shared_key=f"webhooks_sharedkey_01abc:{row['token']}")
    request = request_of(row["url"], body, row["signature"], kind=kind, **headers)
    assert is_let_in(channel, request) is row["valid"]


def test_our_own_signature_passes_with_repeats_and_empty_values() -> None:
    signed = signature(TOKEN, URL, PAIRS)
    request = request_of(URL, urlencode(PAIRS).encode(), signed)
    assert is_let_in(view("sms", auth_token=TOKEN), request)


@given(st.data())
def test_no_changed_byte_passes(data: st.DataObject) -> None:
    """One flipped byte anywhere in body, query, path or signature is refused."""
    signed, body = signature(TOKEN, URL, PAIRS), urlencode(PAIRS).encode()
    parts = urlsplit(URL)
    given_parts = [body, parts.query.encode(), parts.path.encode(), signed.encode()]
    which = data.draw(st.integers(0, 3))
    where = data.draw(st.integers(0, len(given_parts[which]) - 1))
    changed = bytearray(given_parts[which])
    changed[where] = data.draw(st.integers(33, 126).filter(lambda byte: byte != changed[where]))
    given_parts[which] = bytes(changed)
    new_body, query, path, new_signed = given_parts
    request = WebhookRequest(
        "POST", path.decode(), query.decode(),
        {"X-Twilio-Signature": new_signed.decode()},
        new_body, "https://bot.example.org",
    )  # fmt: skip
    if _same_form(new_body, body) and which == 0:
        return
    assert not is_let_in(view("sms", auth_token=TOKEN), request)


def _same_form(one: bytes, other: bytes) -> bool:
    """%c3 and %C3 are the same byte written twice, and so is a plus for a blank."""
    return sorted(set(parse_qsl(one.decode(), keep_blank_values=True))) == sorted(
        set(parse_qsl(other.decode(), keep_blank_values=True))
    )


def test_a_json_body_is_held_to_its_hash() -> None:
    body = json.dumps({"a": "b"}).encode()
    url = json_url(URL, body)
    channel, signed = view("sms", auth_token=TOKEN), signature(TOKEN, url, [])
    assert is_let_in(channel, request_of(url, body, signed, kind="application/json"))
    assert not is_let_in(channel, request_of(url, body + b" ", signed, kind="application/json"))


def test_a_body_that_is_no_form_must_be_hashed() -> None:
    signed = signature(TOKEN, URL, [])
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
        request = request_of(URL, b"{}", signed, kind=kind)
        assert not is_let_in(view("sms", auth_token=TOKEN), request)


def test_a_shared_key_counts_only_where_it_is_configured() -> None:
    signed = signature("weak", URL, PAIRS, "sha256")
    settings = {"X-Twilio-Webhooks-Signature-Settings": "key=sk_1,algorithm=HMAC_SHA256"}
    request = request_of(URL, urlencode(PAIRS).encode(), signed, **settings)
    assert is_let_in(view("sms", auth_token=TOKEN, shared_key="sk_1:weak"), request)
    assert not is_let_in(view("sms", auth_token=TOKEN, shared_key="sk_2:weak"), request)
    assert not is_let_in(view("sms", auth_token="weak"), request)


def test_an_unknown_algorithm_falls_back_to_the_auth_token_and_fails() -> None:
    signed = signature("weak", URL, PAIRS, "sha512")
    settings = {"X-Twilio-Webhooks-Signature-Settings": "key=sk_1,algorithm=NONE"}
    request = request_of(URL, urlencode(PAIRS).encode(), signed, **settings)
    assert not is_let_in(view("sms", auth_token="weak", shared_key="sk_1:weak"), request)


def test_no_signature_and_no_token_let_nobody_in() -> None:
    body = urlencode(PAIRS).encode()
    assert not is_let_in(view("sms", auth_token=TOKEN), request_of(URL, body, ""))
    empty = signature("", URL, PAIRS)
    assert not is_let_in(view("sms", auth_token=""), request_of(URL, body, empty))


def test_the_host_header_has_no_say() -> None:
    signed = signature(TOKEN, URL.replace("bot.example.org", "evil.example"), PAIRS)
    request = request_of(URL, urlencode(PAIRS).encode(), signed, Host="evil.example")
    assert not is_let_in(view("sms", auth_token=TOKEN), request)


def test_a_base_with_a_port_is_signed_with_it() -> None:
    url = "http://127.0.0.1:8000/webhooks/twilio/k1"
    request = request_of(url, urlencode(PAIRS).encode(), signature(TOKEN, url, PAIRS))
    assert is_let_in(view("sms", auth_token=TOKEN), request)


@pytest.mark.parametrize(
    "body", [b"a=%ff%fe", b"&".join([b"a=1"] * 5000), b"\x00", b"=" * 100, b"%"]
)
def test_odd_forms_are_refused_and_never_raise(body: bytes) -> None:
    assert not is_let_in(view("sms", auth_token=TOKEN), request_of(URL, body, "x" * 28))
