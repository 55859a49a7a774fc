"""The demo's phones: a small JSON webhook, and nothing to send because the page reads our table."""

import hmac
import json
import math
import re
from collections.abc import Mapping, Sequence

import aiohttp

from bot.channels.base import (
    Arrival,
    ChannelView,
    ContentStore,
    Delivery,
    Malformed,
    StatusUpdate,
    WebhookRejected,
    WebhookRequest,
    clean,
)
from flows.inputs import Attachment, Input, Pin, Pressed, Text

SECRET_HEADER = "X-Homeline-Simulator"  # noqa: S105 - the header's name
_PHONE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ATTACHMENTS = frozenset({"voice", "sticker", "photo", "document", "contact", "video"})
_EVENTS = frozenset({"message", "edited", "blocked", "unblocked"})


class Simulator:
    """A phone drawn on a page.

    Body: `{"id": "m1", "phone": "amina", "text": "hello"}`; instead of text `"press": payload`,
    `"pin": [48.85, 2.35]` or `"attachment": "voice"`; optional `language`, `entry`, `pressed`
    (the message that carried the button) and `event` (message | edited | blocked | unblocked).
    """

    def verify(self, view: ChannelView, request: WebhookRequest) -> None:
        """Compare the channel's secret, when it has one, in constant time."""
        secret = view.credentials.get("secret", "").encode()
        given = request.header(SECRET_HEADER).encode("utf-8", "replace")
        if secret and not hmac.compare_digest(secret, given):
            raise WebhookRejected(401, "secret missing or wrong")

    def parse(self, view: ChannelView, request: WebhookRequest) -> list[Arrival]:
        """The one arrival of a phone's request."""
        try:
            fields = json.loads(request.body)
        except (ValueError, RecursionError):
            raise Malformed("the body is not JSON") from None
        if not isinstance(fields, dict):
            raise Malformed("the body is not an object")
        identifier, phone = fields.get("id"), fields.get("phone")
        if not _named(identifier) or not _named(phone):
            return [Arrival(kind="ignored", receipt=f"body:{hash_of(request.body)}")]
        event = fields.get("event")
        return [
            Arrival(
                kind=event if isinstance(event, str) and event in _EVENTS else "message",
                receipt=f"sim:{phone}:{identifier}",
                address=f"sim:{phone}",
                input=_input(fields),
                language=_short(fields.get("language")),
                entry=_short(fields.get("entry")),
                provider_id=str(identifier),
                pressed_message=_short(fields.get("pressed")),
            )
        ]

    def parse_status(self, view: ChannelView, request: WebhookRequest) -> StatusUpdate | None:
        """Nothing leaves the house, so nothing is reported."""
        return None

    def acknowledge(self, arrivals: Sequence[Arrival], say: str | None = None) -> tuple[str, bytes]:
        """What is said at once, if anything; the page asks for all other messages itself."""
        return "application/json", json.dumps({"say": say} if say else {}).encode()

    async def send(
        self,
        http: aiohttp.ClientSession,
        view: ChannelView,
        delivery: Delivery,
        contents: ContentStore | None = None,
    ) -> str:
        """Nothing leaves the house: the message counts as sent under our own id."""
        return delivery.reference


def hash_of(body: bytes) -> str:
    """A short digest that makes an odd body its own receipt."""
    return hmac.new(b"simulator", body, "sha256").hexdigest()[:32]


def _input(fields: Mapping[str, object]) -> Input:
    if isinstance(payload := fields.get("press"), str):
        return Pressed(clean(payload)[:64])
    if isinstance(pin := fields.get("pin"), list) and len(pin) == 2:
        latitude, longitude = pin
        if _degrees(latitude, 90) and _degrees(longitude, 180):
            return Pin(float(latitude), float(longitude))
    attachment = fields.get("attachment")
    if isinstance(attachment, str):
        emoji = fields.get("emoji")
        return Attachment(
            attachment if attachment in _ATTACHMENTS else "other",
            emoji=clean(emoji)[:16] if isinstance(emoji, str) else None,
        )
    text = fields.get("text")
    return Text(clean(text)) if isinstance(text, str) else Attachment("other")


def _degrees(value: object, limit: int) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -limit <= value <= limit and not math.isnan(value)


def _named(value: object) -> bool:
    return isinstance(value, str) and _PHONE.fullmatch(value) is not None


def _short(value: object) -> str | None:
    return value if isinstance(value, str) and _PHONE.fullmatch(value) is not None else None
