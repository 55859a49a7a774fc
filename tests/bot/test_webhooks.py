"""The providers' doors: who is let in, what is answered, and what is kept."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.bot.conftest import NUMBER, SIGNED, Desk
from tests.fakes.twilio_signing import signature

PUBLIC = "http://127.0.0.1:1"
SECRET = "X-Telegram-Bot-Api-Secret-Token"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return create_app(homeline=desk.homeline).test_client()


def telegram_path(desk: Desk) -> str:
    return f"/webhooks/telegram/{desk.views['telegram'].key}"


def sms_path(desk: Desk, end: str = "") -> str:
    return f"/webhooks/twilio/{desk.views['sms'].key}{end}"


def update(text: str = "hello", number: int = 1) -> dict[str, Any]:
    person = {"id": 5, "is_bot": False, "first_name": "Somebody"}
    chat = {"id": 5, "type": "private"}
    message = {"message_id": number, "date": 1_700_000_000, "chat": chat, "from": person}
    return {"update_id": number, "message": message | {"text": text}}


def post_update(client: FlaskClient, desk: Desk, body: Any, secret: str = "made-up-secret") -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {SECRET: secret, "Content-Type": "application/json"}
    return client.post(telegram_path(desk), data=raw, headers=headers)


def post_form(
    client: FlaskClient, path: str, fields: dict[str, str], token: str = SIGNED["auth_token"]
) -> Any:
    pairs = list(fields.items())
    headers = {"X-Twilio-Signature": signature(token, PUBLIC + path, pairs), "Content-Type": FORM}
    return client.post(path, data=urlencode(pairs), headers=headers)


def text_message(sid: str = "SM1", body: str = "hello") -> dict[str, str]:
    return {"MessageSid": sid, "From": "+447700900123", "To": NUMBER, "Body": body}


def test_a_message_is_answered_200_when_it_is_written(client: FlaskClient, desk: Desk) -> None:
    assert post_update(client, desk, update()).status_code == 200
    answered = post_form(client, sms_path(desk), text_message())
    assert (answered.status_code, answered.mimetype) == (200, "text/xml")
    assert desk.scalar("select count(*) from messages where direction = 'in'") == 2


@pytest.mark.parametrize("secret", ["", "wrong", "made-up-secre", "made-up-secret "[:-1] + "T"])
def test_a_stranger_is_turned_away_and_leaves_no_trace(
    client: FlaskClient, desk: Desk, secret: str
) -> None:
    """A-01: a secret that is wrong or missing opens nothing and writes nothing."""
    assert post_update(client, desk, update(), secret).status_code in (401, 403)
    assert post_form(client, sms_path(desk), text_message(), secret or "x").status_code == 403
    for table in ("contacts", "receipts", "quarantine", "messages"):
        assert desk.scalar(f"select count(*) from {table}") == 0


def test_another_channels_secret_opens_nothing(
    client: FlaskClient, desk: Desk, making: Any, tmp_path: Path
) -> None:
    """A-01: nor does one that is right elsewhere."""
    with making() as make:
        other = make.channel(credentials={"token": "2:x", "secret": "the-other-secret"}).key
    assert post_update(client, desk, update(), "the-other-secret").status_code in (401, 403)
    answered = client.post(
        f"/webhooks/telegram/{other}", json=update(), headers={SECRET: "made-up-secret"}
    )
    assert answered.status_code in (401, 403)


@pytest.mark.parametrize("key", ["", "x", "a" * 500, "../etc", "%00", "\u0661"])
def test_an_unknown_door_is_404(client: FlaskClient, desk: Desk, key: str) -> None:
    assert client.post(f"/webhooks/telegram/{key}", json={}).status_code in (404, 405)


def test_a_channel_of_another_provider_is_404(client: FlaskClient, desk: Desk) -> None:
    wrong = telegram_path(desk).replace("telegram", "twilio")
    assert client.post(wrong, json=update()).status_code == 404


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 5000, b"\xff\xfe", b'{"a": 1e400000}', b"nul\x00"]
)
def test_what_is_signed_and_unreadable_is_kept_and_answered_200(
    client: FlaskClient, desk: Desk, body: bytes
) -> None:
    assert post_update(client, desk, body).status_code == 200
    assert post_update(client, desk, body).status_code == 200
    assert desk.scalar("select count(*) from contacts") == 0
    assert desk.scalar("select count(*) from quarantine") <= 1


def test_a_body_beyond_the_limit_is_413(client: FlaskClient, desk: Desk) -> None:
    big = b'{"update_id": 1, "x": "' + b"a" * 10_000_000 + b'"}'
    assert post_update(client, desk, big).status_code == 413
    assert post_form(client, sms_path(desk), text_message(body="a" * 1_000_000)).status_code in (
        403,
        413,
    )
    assert desk.scalar("select count(*) from quarantine") == 0


def test_a_database_that_is_away_is_503_with_a_time_to_come_again(
    client: FlaskClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.errors import Unavailable

    def away(*_: object) -> None:
        raise Unavailable

    # test_inbound.py shows when the intake says so; here it is what the provider gets to see.
    for name in ("take", "keep_unreadable"):
        monkeypatch.setattr(desk.homeline.intake, name, away)
    for body in (update(), b"{"):
        answered = post_update(client, desk, body)
        assert (answered.status_code, answered.headers["Retry-After"]) == (503, "1")


def test_a_status_callback_moves_its_message(client: FlaskClient, desk: Desk) -> None:
    post_form(client, sms_path(desk), text_message())
    desk.change("update messages set status = 'sending' where direction = 'out'")
    message = desk.scalar("select id from messages where direction = 'out'")
    path = f"{sms_path(desk, '/status')}?m={message}"
    fields = {"MessageSid": "SM9", "MessageStatus": "delivered"}
    assert post_form(client, path, fields, "wrong").status_code == 403
    assert desk.statuses()[0][0] == "sending"
    assert post_form(client, path, fields).status_code == 204
    assert desk.statuses()[0][0] == "delivered"


def test_a_poisoned_message_is_answered_kindly_in_the_answer_itself(
    client: FlaskClient, desk: Desk
) -> None:
    post_update(client, desk, update())
    desk.change("""update conversations set state = '{"session": {"flow": 7}, "version": "x"}'""")
    answered = post_update(client, desk, update("1", 2))
    assert answered.status_code == 200
    assert answered.get_json()["method"] == "sendMessage"
    assert desk.scalar("select count(*) from quarantine") == 1
