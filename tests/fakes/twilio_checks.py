"""Twilio's refusals of a message, and what a content object looks like on a phone."""

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tests.fakes.server import require_loopback
from tests.fakes.twilio_state import MAGIC_FROM, MAGIC_TO, ApiError, Content, Sender

if TYPE_CHECKING:
    from tests.fakes.twilio import FakeTwilio

BODY_LIMIT = 1600
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_WHATSAPP = re.compile(r"whatsapp:(\+[1-9][0-9]{6,14}|[A-Z]{2}\.[A-Za-z0-9]{1,128})")
_MESSAGES = {
    21211: "The 'To' number is not a valid phone number.",
    21212: "The 'From' number is not a valid phone number.",
    21408: "Permission to send an SMS has not been enabled for the region.",
    21606: "The 'From' phone number is not a valid, SMS-capable inbound phone number.",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21612: "Message cannot be sent with the current combination of 'To' and/or 'From' parameters",
    21614: "'To' number is not a valid mobile number",
}

Buttons = list[tuple[str, str]]
Filler = Callable[[object], str]


def refuse(code: int) -> ApiError:
    """The refusal with this code."""
    return ApiError(429 if code == 21611 else 400, code, _MESSAGES.get(code, f"Error {code}"))


def checked_sender(fake: "FakeTwilio", given: Mapping[str, str]) -> Sender:
    """Who sends; ApiError when the account has no such sender."""
    to, name = given.get("To", ""), given.get("MessagingServiceSid") or given.get("From", "")
    if not to:
        raise ApiError(400, 21604, "A 'To' phone number is required.")
    if not name:
        raise ApiError(400, 21603, "A 'From' phone number is required.")
    if name in MAGIC_FROM:
        raise refuse(MAGIC_FROM[name])
    sender = fake.senders.get(name)
    if sender is None and name.startswith("whatsapp:"):
        raise ApiError(400, 63007, "Twilio could not find a Channel with the specified From")
    if sender is None:
        raise refuse(21606)
    if to.startswith("whatsapp:") != name.startswith("whatsapp:") and not name.startswith("MG"):
        raise refuse(21612)
    return sender


def check_recipient(sender: Sender, to: str) -> None:
    """Whether the number may be written to."""
    if to in MAGIC_TO:
        raise refuse(MAGIC_TO[to])
    pattern = _WHATSAPP if to.startswith("whatsapp:") else _NUMBER
    if not pattern.fullmatch(to):
        raise refuse(21211)
    if to in sender.opted_out:
        raise refuse(21610)


def check_callback(url: str) -> None:
    """Status callbacks go to loopback; Twilio itself objects to an underscore in the host."""
    if not url:
        return
    host = re.match(r"https?://([^/:?#]+|\[[^]]+\])", url)
    if host is None or "_" in host.group(1):
        raise ApiError(400, 21609, "The StatusCallback URL is not a valid URL.")
    try:
        require_loopback(host.group(1))
    except ValueError:
        raise ApiError(400, 21609, "The fake calls loopback only.") from None


def shown(fake: "FakeTwilio", given: Mapping[str, str]) -> tuple[str, Buttons]:
    """Body and buttons as the phone shows them."""
    if sid := given.get("ContentSid"):
        content = fake.contents.get(sid)
        if content is None:
            raise ApiError(404, 20404, "The requested resource was not found")
        return _filled(content, given.get("ContentVariables", ""))
    body = given.get("Body", "")
    if not body.strip() and not given.get("MediaUrl"):
        raise ApiError(400, 21602, "Message body is required.")
    if len(body) > BODY_LIMIT:
        raise ApiError(
            400, 21617, "The concatenated message body exceeds the 1600 character limit."
        )
    return body, []


def _filled(content: Content, given: str) -> tuple[str, Buttons]:
    values = _variables(given)

    def fill(pattern: object) -> str:
        text = re.sub(r"\{\{(\w+)\}\}", lambda m: values.get(m.group(1), ""), str(pattern))
        if not text.strip():
            raise ApiError(400, 21656, "The Content Variables parameter is invalid.")
        return text

    shape = content.shape
    body = fill(shape.get("body", ""))
    _within(body, 1024)
    if content.kind == "twilio/quick-reply":
        return body, _quick_replies(shape, fill)
    if content.kind == "twilio/list-picker":
        _within(fill(shape.get("button", "")), 20)
        return body, _list_rows(shape, fill)
    return body, []


def _quick_replies(shape: Mapping[str, object], fill: Filler) -> Buttons:
    actions = shape.get("actions")
    made = [
        (fill(action.get("title", "")), fill(action.get("id", "")))
        for action in (actions if isinstance(actions, list) else [])
    ]
    if not 1 <= len(made) <= 3:
        raise ApiError(400, 21656, "Up to three buttons in a session.")
    for title, payload in made:
        _within(title, 20)
        _within(payload, 200)
    return made


def _list_rows(shape: Mapping[str, object], fill: Filler) -> Buttons:
    items = shape.get("items")
    made: Buttons = []
    for item in items if isinstance(items, list) else []:
        title, payload = fill(item.get("item", "")), fill(item.get("id", ""))
        _within(title, 24)
        _within(payload, 200)
        _within(fill(item.get("description", "")), 72)
        made.append((title, payload))
    if not 1 <= len(made) <= 10:
        raise ApiError(400, 21656, "Up to ten rows.")
    if len({payload for _, payload in made}) != len(made):
        raise ApiError(400, 21656, "Row ids must differ.")
    return made


def _within(text: str, limit: int) -> None:
    if len(text) > limit:
        raise ApiError(400, 21656, f"The Content Variables parameter is invalid: over {limit}.")


def _variables(given: str) -> dict[str, str]:
    try:
        values = json.loads(given or "{}")
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise ApiError(400, 21656, "The Content Variables parameter is invalid.")
    return values


def checked_content(definition: object) -> Mapping[str, object]:
    """A content definition as the Content API takes it."""
    if not isinstance(definition, dict) or not isinstance(definition.get("types"), dict):
        raise ApiError(400, 20001, "types is required")
    if not definition.get("language") or len(definition["types"]) == 0:
        raise ApiError(400, 20001, "language is required")
    return definition


def submit(content: Content, asked: object) -> None:
    """Take an approval request as WhatsApp does: rules of form are checked at once."""
    fields = asked if isinstance(asked, dict) else {}
    content.name, content.category = str(fields.get("name")), str(fields.get("category"))
    if not re.fullmatch(r"[a-z0-9_]{1,512}", content.name):
        raise ApiError(400, 20001, "The name may hold small letters, digits and underscores")
    if content.category not in ("UTILITY", "MARKETING", "AUTHENTICATION"):
        raise ApiError(400, 20001, "category is required")
    body = str(content.shape.get("body", "")).strip()
    variables = r"\{\{\w+\}\}"
    badly = rf"^{variables}|{variables}$|{variables}\s*{variables}"
    content.approval, content.reason = "received", ""
    if re.search(badly, body):
        content.approval, content.reason = "rejected", "INVALID_FORMAT"
