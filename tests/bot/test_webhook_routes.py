"""The short way past the framework answers as the framework does, and leaves it the unusual."""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from app import create_app
from bot.webhook_routes import ShortWay
from tests.bot.conftest import SIGNED, Desk
from tests.fakes.twilio_signing import signature

PUBLIC = "http://127.0.0.1:1"
SECRET = {"HTTP_X_TELEGRAM_BOT_API_SECRET_TOKEN": "made-up-secret"}
FORM = "application/x-www-form-urlencoded"
UPDATE = {
    "update_id": 1,
    "message": {
        "message_id": 1,
        "date": 1_700_000_000,
        "chat": {"id": 5, "type": "private"},
        "from": {"id": 5, "is_bot": False, "first_name": "Somebody"},
        "text": "hello",
    },
}


@pytest.fixture
def app(desk: Desk) -> Flask:
    return create_app(homeline=desk.homeline)


def environ(path: str, body: bytes, **others: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.url_scheme": "http",
        **others,
    }


def answer(wsgi: Any, request: Mapping[str, Any]) -> tuple[str, dict[str, str], bytes]:
    begun: list[Any] = []
    body = b"".join(wsgi(dict(request), lambda status, headers: begun.append((status, headers))))
    status, headers = begun[0]
    return status, dict(headers), body


def framework_refuses(_: object, __: object) -> list[bytes]:
    raise AssertionError("the framework was asked")


def ordinary(desk: Desk) -> dict[str, tuple[str, bytes, dict[str, str]]]:
    telegram = f"/webhooks/telegram/{desk.views['telegram'].key}"
    sms = f"/webhooks/twilio/{desk.views['sms'].key}"
    status, update = f"{sms}/status", json.dumps(UPDATE).encode()
    said = b"MessageSid=SM1&From=%2B447700900123&Body=hello"
    pairs = [("MessageSid", "SM1"), ("From", "+447700900123"), ("Body", "hello")]
    signed = signature(SIGNED["auth_token"], PUBLIC + sms, pairs)
    told = signature(SIGNED["auth_token"], PUBLIC + status, pairs)
    return {
        "message": (telegram, update, SECRET),
        "stranger": (telegram, update, {}),
        "unreadable": (telegram, b"{", SECRET),
        "sms": (sms, said, {"CONTENT_TYPE": FORM, "HTTP_X_TWILIO_SIGNATURE": signed}),
        "sms by a stranger": (sms, said, {"CONTENT_TYPE": FORM, "HTTP_X_TWILIO_SIGNATURE": "x"}),
        "status": (status, said, {"CONTENT_TYPE": FORM, "HTTP_X_TWILIO_SIGNATURE": told}),
    }


@pytest.mark.parametrize(
    "name", ["message", "stranger", "unreadable", "sms", "sms by a stranger", "status"]
)
def test_an_ordinary_webhook_is_answered_without_the_framework_as_with_it(
    app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    short = app.wsgi_app
    assert isinstance(short, ShortWay)
    path, body, headers = ordinary(desk)[name]
    status, given, said = answer(short._framework, environ(path, body, **headers))
    monkeypatch.setattr(short, "_framework", framework_refuses)
    # The repeat of a delivery is answered like the delivery.
    briefly = answer(short, environ(path, body, **headers))
    assert briefly[0].split()[0] == status.split()[0]
    assert briefly[2] == said
    if said:
        assert briefly[1]["Content-Type"] == given["Content-Type"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"REQUEST_METHOD": "GET"}, "405"),
        ({"PATH_INFO": "/webhooks/telegram/nobody"}, "404"),
        ({"PATH_INFO": "/webhooks/telegram/nobody/status"}, "404"),
        ({"PATH_INFO": "/healthz", "REQUEST_METHOD": "GET"}, "200"),
        ({"CONTENT_LENGTH": "100000"}, "400"),
        ({"CONTENT_LENGTH": "300000"}, "413"),
        ({"CONTENT_LENGTH": "\u0661"}, "200"),
        ({"CONTENT_LENGTH": ""}, "200"),
    ],
)
def test_anything_else_is_left_to_the_framework(
    app: Flask, desk: Desk, change: dict[str, str], status: str
) -> None:
    path, body, headers = ordinary(desk)["message"]
    assert answer(app.wsgi_app, environ(path, body, **headers) | change)[0].startswith(status)


def test_a_fault_of_ours_is_answered_with_an_incident(
    app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(desk.homeline.intake, "take", broken)
    path, body, headers = ordinary(desk)["message"]
    status, _, said = answer(app.wsgi_app, environ(path, body, **headers))
    assert status.startswith("500")
    assert b"Please name" in said
