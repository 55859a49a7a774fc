"""Channels, requests and deliveries as the tests of the channels need them."""

import json
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

from bot.channels.base import ChannelView, Delivery, WebhookRequest
from flows.wording import Choice, Prompt

VECTORS = json.loads(
    (Path(__file__).parent.parent / "vectors" / "channels.json").read_text(encoding="utf-8")
)
SECRET = "a-secret-of-some-length"
TOKEN = "7000000001:AAtesttokentesttokentesttokentest"
ACCOUNT = "AC" + "0" * 32
AUTH_TOKEN = "t" * 32
PUBLIC = "https://bot.example.org"


def view(kind: str, sender: str = "", **credentials: str) -> ChannelView:
    """A stored channel with opened credentials."""
    known = {"token": TOKEN, "secret": SECRET} if kind == "telegram" else {}
    if kind in ("sms", "whatsapp"):
        known = {"account_sid": ACCOUNT, "auth_token": AUTH_TOKEN}
    return ChannelView(
        id=UUID(int=1), organisation_id=UUID(int=2), kind=kind, key="k1", sender=sender,
        credentials=known | credentials,
    )  # fmt: skip


def telegram_request(body: object, secret: str = SECRET) -> WebhookRequest:
    """An update as Telegram posts it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret}
    return WebhookRequest("POST", "/webhooks/telegram/k1", "", headers, raw, PUBLIC)


def form_request(
    fields: dict[str, str] | list[tuple[str, str]],
    *,
    path: str = "/webhooks/twilio/k1",
    query: str = "",
    **headers: str,
) -> WebhookRequest:
    """A form as Twilio posts it."""
    kind = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
    body = urlencode(fields).encode()
    return WebhookRequest("POST", path, query, kind | headers, body, PUBLIC)


def choices(*labels: str, question: str = "q1") -> tuple[Choice, ...]:
    """Choices with digits from 1 and payloads of the running passage."""
    return tuple(
        Choice(label, f"a1.{question}.v{number}", str(number))
        for number, label in enumerate(labels, start=1)
    )


YES_NO = Prompt("May we store your answers?", choices("Yes", "No"), "choice")


def delivery(address: str, prompt: Prompt = YES_NO, base: str = "", **more: object) -> Delivery:
    """One message on its way."""
    return Delivery(address, prompt, "0190-ref", url_base=base, **more)  # type: ignore[arg-type]
