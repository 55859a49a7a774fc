"""Telegram updates read by their few fields; the library reads only the rarer kinds.

Every function is total: an update of a shape nobody foresaw becomes an ignored arrival, because an
answer other than 2xx would block that chat for a day (reference 0, fact 2).
"""

import hashlib
import re
from datetime import UTC, datetime

from bot.channels.base import Arrival, clean
from bot.channels.telegram_fields import SERVICE, Fields, fields_of, integer, poll_count, spoken
from flows.inputs import Attachment, Input, Pin, Pressed, Text

# Group Anonymous Bot, Channel Bot and Telegram's own account stand for nobody in particular.
PSEUDO_USERS = frozenset({1087968824, 136817688, 777000})
_ENTRY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?=\s|$)")
_FOR_A_POLL = frozenset({"relay", "start"})
"""/relay in a group, and what a link says that adds the bot to one."""
_KINDS = (
    ("voice", "voice"),
    ("audio", "voice"),
    ("video_note", "voice"),
    ("photo", "photo"),
    ("video", "video"),
    ("document", "document"),
)


def read_update(update: Fields, body: bytes, bot_name: str) -> Arrival | None:
    """The arrival of one update, or None for a kind that is left to the library."""
    update_id = integer(update.get("update_id"))
    receipt = f"update:{update_id}" if update_id is not None else f"body:{_digest(body)}"
    ignored = Arrival(kind="ignored", receipt=receipt)
    if isinstance(message := update.get("message"), dict):
        return _message(message, bot_name) or ignored
    if isinstance(edited := update.get("edited_message"), dict):
        return _edited(edited) or ignored
    if isinstance(query := update.get("callback_query"), dict):
        return _callback(query) or ignored
    if isinstance(member := update.get("my_chat_member"), dict):
        return _membership(member) or ignored
    if isinstance(poll := update.get("poll"), dict):
        return _poll(poll, receipt) or ignored
    return None


def ignored_update(update_id: object, body: bytes) -> Arrival:
    """The arrival of an update nobody here acts on."""
    number = integer(update_id)
    key = f"update:{number}" if number is not None else f"body:{_digest(body)}"
    return Arrival(kind="ignored", receipt=key)


def _message(message: Fields, bot_name: str) -> Arrival | None:
    chat, message_id = fields_of(message.get("chat")), integer(message.get("message_id"))
    chat_id = integer(chat.get("id"))
    if chat_id is None or message_id is None:
        return None
    receipt = f"message:{chat_id}:{message_id}"
    if chat.get("type") != "private":
        return _group(message, receipt, chat_id=chat_id, bot_name=bot_name)
    sender = fields_of(message.get("from"))
    address = _address(sender)
    if address is None or not message.keys().isdisjoint(SERVICE):
        return None
    text = message.get("text")
    return Arrival(
        kind="message",
        receipt=receipt,
        address=address,
        input=_input(message, sender),
        language=_language(sender),
        entry=_entry(text) if isinstance(text, str) else None,
        sent_at=_instant(message.get("date")),
        provider_id=str(message_id),
    )


def _edited(message: Fields) -> Arrival | None:
    chat, message_id = fields_of(message.get("chat")), integer(message.get("message_id"))
    chat_id, sender = integer(chat.get("id")), fields_of(message.get("from"))
    if chat_id is None or message_id is None or chat.get("type") != "private":
        return None
    if (address := _address(sender)) is None:
        return None
    when = integer(message.get("edit_date")) or integer(message.get("date")) or 0
    return Arrival(
        kind="edited",
        receipt=f"edited:{chat_id}:{message_id}:{when}",
        address=address,
        input=_input(message, sender),
        language=_language(sender),
        sent_at=_instant(when),
        provider_id=str(message_id),
    )


def _callback(query: Fields) -> Arrival | None:
    query_id, sender = query.get("id"), fields_of(query.get("from"))
    if not isinstance(query_id, str) or not 0 < len(query_id) <= 64 or not query_id.isascii():
        return None
    address, message = _address(sender), fields_of(query.get("message"))
    chat, receipt = fields_of(message.get("chat")), f"callback:{query_id}"
    data = query.get("data")
    if address is None or not isinstance(data, str):
        return Arrival(kind="ignored", receipt=receipt, callback_id=query_id)
    if chat and chat.get("type") != "private":
        return Arrival(
            kind="group", receipt=receipt, callback_id=query_id, chat=_group_chat(message)
        )
    # An inaccessible message has the date 0 and must not be edited.
    message_id = integer(message.get("message_id")) if message.get("date") else None
    return Arrival(
        kind="message",
        receipt=receipt,
        address=address,
        input=Pressed(clean(data)[:64]),
        language=_language(sender),
        provider_id=query_id,
        callback_id=query_id,
        pressed_message=str(message_id) if message_id is not None else None,
    )


def _membership(member: Fields) -> Arrival | None:
    chat, sender = fields_of(member.get("chat")), fields_of(member.get("from"))
    address, when = _address(sender), integer(member.get("date"))
    if chat.get("type") != "private" or address is None or when is None:
        return None
    old = fields_of(member.get("old_chat_member")).get("status")
    new = fields_of(member.get("new_chat_member")).get("status")
    if new == "kicked":
        kind = "blocked"
    elif new == "member" and old == "kicked":
        kind = "unblocked"
    else:
        return None
    return Arrival(
        kind=kind,
        receipt=f"member:{integer(chat.get('id'))}:{when}:{new}",
        address=address,
        language=_language(sender),
        sent_at=_instant(when),
    )


def _poll(poll: Fields, receipt: str) -> Arrival | None:
    counted = poll_count(poll)
    return None if counted is None else Arrival(kind="poll", receipt=receipt, poll=counted)


def _group(message: Fields, receipt: str, *, chat_id: int, bot_name: str) -> Arrival:
    """In a group only somebody who speaks to the bot is answered.

    Nobody's identity is read but of who asks for a poll: that is for leaders.
    """
    moved = integer(message.get("migrate_to_chat_id"))
    if moved is not None:
        return Arrival(kind="ignored", receipt=receipt, chat=str(moved))
    text = message.get("text")
    to_us = isinstance(text, str) and _speaks_to_us(text, bot_name)
    sender = fields_of(message.get("from"))
    # A real bot is never answered: two bots would talk for ever.
    other_bot = sender.get("is_bot") is True and integer(sender.get("id")) not in PSEUDO_USERS
    if not to_us or other_bot:
        return Arrival(kind="ignored", receipt=receipt, chat=str(chat_id))
    asked = _asks_for_poll(text) if isinstance(text, str) else None
    return Arrival(
        kind="group",
        receipt=receipt,
        address=(_address(sender) or "") if asked is not None else "",
        entry=asked,
        language=_language(sender),
        sent_at=_instant(message.get("date")),
        provider_id=str(integer(message.get("message_id"))),
        chat=_group_chat(message),
    )


def _asks_for_poll(text: str) -> str | None:
    """The code a poll is asked for by, "" for /relay alone; None for anything else said here."""
    command = _COMMAND.match(text)
    if command is None or command.group(1).lower() not in _FOR_A_POLL:
        return None
    code = text[command.end() :].strip()
    if not code:
        return "" if command.group(1).lower() == "relay" else None
    return code if _ENTRY.fullmatch(code) else None


def _speaks_to_us(text: str, bot_name: str) -> bool:
    name = bot_name.lstrip("@").casefold()
    if (command := _COMMAND.match(text)) is not None:
        named = command.group(2)
        return named is None or not name or named.casefold() == name
    return bool(name) and f"@{name}" in text.casefold()


def _group_chat(message: Fields) -> str:
    chat_id = integer(fields_of(message.get("chat")).get("id"))
    topic = integer(message.get("message_thread_id"))
    if topic is not None and message.get("is_topic_message") is True:
        return f"{chat_id}/{topic}"
    return str(chat_id)


def _input(message: Fields, sender: Fields) -> Input:
    if isinstance(text := message.get("text"), str):
        return Text(clean(_without_bot_name(text)))
    if isinstance(caption := message.get("caption"), str) and caption.strip():
        return Text(clean(caption))
    if (pin := _pin(fields_of(message.get("location")))) is not None:
        return pin
    if isinstance(contact := message.get("contact"), dict):
        return Attachment("contact", number=_own_number(contact, sender))
    if isinstance(sticker := message.get("sticker"), dict):
        emoji = sticker.get("emoji")
        return Attachment("sticker", emoji=clean(emoji)[:16] if isinstance(emoji, str) else None)
    for field in ("voice", "audio"):
        if isinstance(recorded := message.get(field), dict):
            return spoken(recorded)
    return Attachment(next((kind for field, kind in _KINDS if field in message), "other"))


def _without_bot_name(text: str) -> str:
    command = _COMMAND.match(text)
    if command is None:
        return text
    if command.group(1).lower() == "start":
        return "/start"
    if command.group(2) is None:
        return text
    return f"/{command.group(1)}{text[command.end() :]}"


def _entry(text: str) -> str | None:
    """What follows /start in a deep link; never authentication by itself."""
    command = _COMMAND.match(text)
    if command is None or command.group(1).lower() != "start":
        return None
    payload = text[command.end() :].strip()
    return payload if _ENTRY.fullmatch(payload) else None


def _pin(location: Fields) -> Pin | None:
    latitude, longitude = location.get("latitude"), location.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    # NaN fails both comparisons, and a huge integer is compared without becoming a float.
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return Pin(float(latitude), float(longitude))


def _own_number(contact: Fields, sender: Fields) -> str | None:
    """The sender's own number; anybody else's card proves nothing and is not kept."""
    owner, number = integer(contact.get("user_id")), contact.get("phone_number")
    if owner is None or owner != integer(sender.get("id")) or not isinstance(number, str):
        return None
    digits = re.sub(r"[^0-9]", "", number)
    return f"+{digits}" if 5 <= len(digits) <= 15 and digits.isascii() else None


def _address(sender: Fields) -> str | None:
    number = integer(sender.get("id"))
    if number is None or number <= 0 or number in PSEUDO_USERS or sender.get("is_bot") is True:
        return None
    return f"telegram:{number}"


def _language(sender: Fields) -> str | None:
    code = sender.get("language_code")
    if isinstance(code, str) and re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}", code):
        return code
    return None


def _instant(value: object) -> datetime | None:
    seconds = integer(value)
    if seconds is None or not 0 < seconds < 253402300800:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
