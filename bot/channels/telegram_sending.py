"""One message to Telegram: plain text, inline buttons, edits and closed keyboards."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence

import aiohttp

from bot.channels.base import ChannelView, Delivery, SendError
from bot.channels.transport import post
from flows.wording import Choice, Prompt

TEXT_LIMIT = 4096
DATA_LIMIT = 64
LABEL_LIMIT = 64
SHORT_LABEL = 12
HALF_ROW_LABEL = 18
BUTTON_LIMIT = 100
CONTACT = "contact"
SHARE = ".share"

Button = dict[str, str]
Classify = Callable[[int, bytes], SendError | Exception | None]


class TelegramSender:
    """The calls that carry out one delivery; `classify` says what an answer means."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        view: ChannelView,
        delivery: Delivery,
        classify: Classify,
    ) -> None:
        self._http = http
        self._delivery = delivery
        self._classify = classify
        self._base = f"{delivery.url_base.rstrip('/')}/bot{view.credentials.get('token', '')}"

    async def send(self) -> str:
        """Send or edit, and meanwhile take the buttons off the message that was answered."""
        delivery = self._delivery
        closing: asyncio.Task[None] | None = None
        if delivery.closes is not None and delivery.closes != delivery.edits:
            closing = asyncio.create_task(self._close(delivery.closes))
        try:
            if delivery.edits is not None:
                return await self._edit(delivery.edits)
            return await self._send()
        finally:
            if closing is not None:
                await closing

    async def _send(self) -> str:
        chat = chat_of(self._delivery.address)
        fields = chat | self._content()
        await self._put_keyboard_away(chat, fields)
        # A preview would open links, and some of ours open only once.
        fields["link_preview_options"] = {"is_disabled": True}
        result = await self._call("sendMessage", fields)
        message_id = result.get("message_id") if isinstance(result, dict) else None
        if not isinstance(message_id, int):
            raise SendError("bad_answer", "Telegram named no message.", unknown=True)
        return str(message_id)

    async def _edit(self, message: str) -> str:
        """Ticks of a multiple choice change only the buttons, a page of a list the text too."""
        fields = chat_of(self._delivery.address) | self._content()
        fields.pop("message_thread_id", None)
        fields["message_id"] = _message_id(message)
        if self._delivery.prompt.style == "multi":
            fields.pop("text")
            method = "editMessageReplyMarkup"
        else:
            method = "editMessageText"
        try:
            await self._call(method, fields)
        except SendError as error:
            if error.code == "not_editable":
                return await self._send()
            if error.code != "not_modified":
                raise
        return message

    async def _close(self, message: str) -> None:
        """Best effort: an old keyboard left standing is harmless, its presses are refused."""
        with contextlib.suppress(SendError, TimeoutError):
            fields = chat_of(self._delivery.address)
            fields.pop("message_thread_id", None)
            fields |= {"message_id": _message_id(message), "reply_markup": {"inline_keyboard": []}}
            async with asyncio.timeout(2):
                await self._call("editMessageReplyMarkup", fields)

    async def _put_keyboard_away(self, chat: dict[str, object], fields: dict[str, object]) -> None:
        """Take away the keyboard of a contact question; with inline buttons that needs a message.

        A message has one markup only, and Telegram lets no other than an inline one be added later.
        """
        if not self._delivery.parting:
            return
        away = {"remove_keyboard": True}
        if "reply_markup" not in fields:
            fields["reply_markup"] = away
        else:
            text = self._delivery.parting
            await self._call("sendMessage", chat | {"text": text, "reply_markup": away})

    def _content(self) -> dict[str, object]:
        prompt = self._delivery.prompt
        if not 0 < len(prompt.text) <= TEXT_LIMIT:
            raise SendError("bad_length", "The text is empty or too long for Telegram.", alert=True)
        fields: dict[str, object] = {"text": prompt.text}
        if prompt.style == CONTACT:
            fields["reply_markup"] = contact_keyboard(prompt)
        elif rows := keyboard(prompt):
            fields["reply_markup"] = {"inline_keyboard": rows}
        return fields

    async def _call(self, method: str, fields: dict[str, object]) -> object:
        return await call(self._http, self._base, method, fields, self._classify)


async def call(
    http: aiohttp.ClientSession,
    base: str,
    method: str,
    fields: dict[str, object],
    classify: Classify,
) -> object:
    """Call a method and return its result; a group that has moved is followed once."""
    body = json.dumps(fields).encode()
    answer = await post(http, f"{base}/{method}", body, "application/json")
    verdict = classify(answer.status, answer.body)
    moved = getattr(verdict, "new_chat_id", None)
    if isinstance(moved, int) and fields.get("chat_id") != moved:
        return await call(http, base, method, fields | {"chat_id": moved}, classify)
    if isinstance(verdict, SendError):
        raise verdict
    if verdict is not None:
        raise SendError("moved", "The group moved twice.", dead=True)
    result: object = json.loads(answer.body).get("result")
    return result


def contact_keyboard(prompt: Prompt) -> dict[str, object]:
    """The keyboard that can send the person's own number; every other key sends its word."""
    keys: list[dict[str, object]] = [
        {"text": one.label, "request_contact": True}
        if one.payload.endswith(SHARE)
        else {"text": one.label}
        for one in prompt.navigation
    ]
    return {"keyboard": [[key] for key in keys], "resize_keyboard": True, "one_time_keyboard": True}


def keyboard(prompt: Prompt) -> list[list[Button]]:
    """Rows of inline buttons (reference 6): navigation always in rows of its own at the end."""
    buttons = [_button(choice, _tick(choice, prompt)) for choice in prompt.choices]
    rows = _rows(buttons)
    beside = [_button(choice, "") for choice in prompt.navigation]
    rows += [beside[start : start + 3] for start in range(0, len(beside), 3)]
    if sum(len(row) for row in rows) > BUTTON_LIMIT:
        raise SendError("too_many_buttons", "More buttons than Telegram takes.", alert=True)
    return rows


def _rows(buttons: Sequence[Button]) -> list[list[Button]]:
    longest = max((len(button["text"]) for button in buttons), default=0)
    if 2 <= len(buttons) <= 3 and longest <= SHORT_LABEL:
        return [list(buttons)]
    width = 2 if len(buttons) > 3 and longest <= HALF_ROW_LABEL else 1
    return [list(buttons[start : start + width]) for start in range(0, len(buttons), width)]


def _tick(choice: Choice, prompt: Prompt) -> str:
    if prompt.style != "multi":
        return ""
    return "\u2611 " if choice.payload in prompt.picked else "\u2610 "


def _button(choice: Choice, tick: str) -> Button:
    label = f"{tick}{choice.label}"
    if not choice.label or len(choice.payload.encode()) > DATA_LIMIT:
        raise SendError("bad_button", "A button is empty or its payload too long.", alert=True)
    if len(label) > LABEL_LIMIT:
        label = f"{label[: LABEL_LIMIT - 1]}\u2026"
    return {"text": label, "callback_data": choice.payload}


def chat_of(address: str) -> dict[str, object]:
    """The fields that name a chat and its topic; SendError for what is no Telegram address."""
    scheme, _, path = address.partition(":")
    chat, _, topic = path.partition("/")
    if scheme != "telegram" or not chat.lstrip("-").isdecimal():
        raise SendError("bad_address", "This is no Telegram address.", dead=True)
    fields: dict[str, object] = {"chat_id": int(chat)}
    if topic.isdecimal():
        fields["message_thread_id"] = int(topic)
    return fields


def _message_id(message: str) -> int:
    if not message.isdecimal():
        raise SendError("not_editable", "The message to change is not Telegram's.")
    return int(message)
