"""Twilio's forms read into arrivals and statuses: SMS and WhatsApp share one set of fields."""

import hashlib
import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from bot.channels.base import (
    Arrival,
    Malformed,
    StatusUpdate,
    WebhookRequest,
    clean,
)
from flows.inputs import Attachment, Input, Pin, Pressed, Text

_NUMBER = re.compile(r"\+[0-9]{5,15}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_SENDER_NAME = re.compile(r"[A-Za-z0-9 ._-]{1,16}")
# Whoever withholds their number is nobody in particular: all of them would be one person.
_WITHHELD = frozenset(
    "anonymous restricted blocked unknown unavailable private withheld +266696687 +7378742833"
    " +2562533 +8566696 +86282452253".split()
)
_SCOPED_ID = re.compile(r"[A-Za-z]{2}\.[A-Za-z0-9]{1,128}")
_SID = re.compile(r"[A-Za-z0-9]{1,64}")
_MEDIUM = re.compile(
    r"/2010-04-01/Accounts/[A-Za-z0-9]{1,64}(/Messages/[A-Za-z0-9]{1,64}/Media/[A-Za-z0-9]{1,64})"
)

MOST_MEDIA = 10

_OPT_OUT = {"STOP": "opted_out", "START": "opted_in", "HELP": "help_answered"}
_MEDIA = {"audio": "voice", "image": "photo", "video": "video"}
_STATUS = {
    "accepted": "sent",
    "scheduled": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "partially_delivered": "sent",
    "delivered": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "canceled",
    "read": "read",
}


def read_fields(request: WebhookRequest) -> list[tuple[str, str]]:
    """The form's fields in order, repeats and empty values kept; raises Malformed.

    A GET carries them in the query; a JSON body counts when it is one flat object.
    """
    if request.method == "GET" or is_form(request):
        return request.form
    try:
        fields = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Malformed("the body is neither a form nor JSON") from None
    if not isinstance(fields, dict):
        raise Malformed("the body is not an object")
    return [(name, str(value)) for name, value in fields.items() if isinstance(value, str | int)]


def is_form(request: WebhookRequest) -> bool:
    """Whether the body is a form; a missing content type counts as one."""
    kind = request.header("Content-Type").partition(";")[0].strip().lower()
    return kind in ("", "application/x-www-form-urlencoded")


def read_message(fields: Mapping[str, str], body: bytes) -> Arrival:
    """The arrival of an inbound message; odd ones are ignored under their own receipt."""
    sid = fields.get("MessageSid") or fields.get("SmsMessageSid") or fields.get("SmsSid") or ""
    if not _SID.fullmatch(sid):
        return Arrival(kind="ignored", receipt=f"body:{hashlib.sha256(body).hexdigest()[:32]}")
    address, number = read_address(fields.get("From", ""))
    if not address or "MessageStatus" in fields:
        return Arrival(kind="ignored", receipt=sid)
    other = _other_address(fields.get("ExternalUserId", ""))
    return Arrival(
        kind=_OPT_OUT.get(fields.get("OptOutType", "").upper(), "message"),
        receipt=sid,
        address=address,
        number=number,
        input=_input(fields),
        provider_id=sid,
        pressed_message=fields.get("OriginalRepliedMessageSid") or None,
        aliases=(other,) if other and other != address else (),
    )


def _other_address(given: str) -> str:
    """The id by which WhatsApp knows a person beside their number, with or without its scheme."""
    bare = given.strip()
    other, _ = read_address(f"whatsapp:{bare}" if _SCOPED_ID.fullmatch(bare) else bare)
    return other


def read_address(sender: str) -> tuple[str, str | None]:
    """Our address and the bare E.164 number: ("sms:+44…", "+44…"); ("", None) when unreadable.

    WhatsApp users may hide their number behind an id such as US.1349… (reference 4), which is kept
    verbatim.
    """
    if sender.lower().startswith("whatsapp:"):
        path = sender[len("whatsapp:") :].strip()
        if _NUMBER.fullmatch(path):
            return f"whatsapp:{path}", path
        return (f"whatsapp-id:{path}", None) if _SCOPED_ID.fullmatch(path) else ("", None)
    path = sender.strip()
    if path.lower() in _WITHHELD:
        return "", None
    if _NUMBER.fullmatch(path):
        return f"sms:{path}", path
    if _SHORT_CODE.fullmatch(path) or _SENDER_NAME.fullmatch(path):
        return f"sms:{path}", None
    return "", None


def _input(fields: Mapping[str, str]) -> Input:
    payload = fields.get("ButtonPayload") or fields.get("ListId")
    if payload:
        return Pressed(clean(payload)[:200])
    body = fields.get("Body", "")
    if (pin := _pin(fields)) is not None:
        return pin
    if fields.get("NumMedia", "0") not in ("", "0") and not body.strip():
        return _media(fields)
    if not body.strip() and fields.get("MessageType") in ("contacts", "contact"):
        return Attachment("contact")
    return Text(clean(body or fields.get("ButtonText") or fields.get("ListTitle") or ""))


def _pin(fields: Mapping[str, str]) -> Pin | None:
    try:
        latitude, longitude = float(fields["Latitude"]), float(fields["Longitude"])
    except (KeyError, ValueError):
        return None
    # NaN fails the comparisons.
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return Pin(latitude, longitude)


def _media(fields: Mapping[str, str]) -> Attachment:
    """What of several media somebody sent counts: a voice note, else the first."""
    kinds = [_media_kind(fields.get(f"MediaContentType{n}", "")) for n in range(MOST_MEDIA)]
    if "voice" not in kinds:
        return Attachment(kinds[0])
    return Attachment("voice", file=_medium(fields.get(f"MediaUrl{kinds.index('voice')}", "")))


def _medium(url: str) -> str | None:
    """Where below the account a recording lies; whose host was named is never asked."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    found = _MEDIUM.fullmatch(path)
    return found[1] if found else None


def _media_kind(content_type: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "image/webp":
        return "sticker"
    if "vcard" in kind:
        return "contact"
    family = kind.partition("/")[0]
    return _MEDIA.get(family, "document" if family in ("application", "text") else "other")


def read_status(fields: Mapping[str, str], query: str) -> StatusUpdate | None:
    """The status in our words; None for words that say nothing about an outgoing message.

    Every step until the carrier took over is `sent` for us: Twilio has the message. `m` in the
    query is our message id, which settles messages whose sending ended unknown.
    """
    sid = fields.get("MessageSid") or fields.get("SmsSid") or ""
    word = fields.get("MessageStatus") or fields.get("SmsStatus") or ""
    status = _STATUS.get(word.lower())
    if status is None or not _SID.fullmatch(sid):
        return None
    code = fields.get("ErrorCode", "")
    try:
        reference = parse_qs(query, max_num_fields=20).get("m", [""])[0]
    except ValueError:
        reference = ""
    return StatusUpdate(
        provider_id=sid,
        status=status,
        error_code=code if code.isascii() and code.isdecimal() and code != "0" else None,
        reference=reference if re.fullmatch(r"[A-Za-z0-9-]{1,64}", reference) else None,
    )
