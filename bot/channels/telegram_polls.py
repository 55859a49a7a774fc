"""Native polls in groups: posted without names, stopped, and their counts read."""

import json
from dataclasses import dataclass
from datetime import timedelta

import aiohttp

from bot.channels.base import ChannelView, PollCount, SendError
from bot.channels.telegram import classify
from bot.channels.telegram_fields import poll_count
from bot.channels.telegram_sending import call, chat_of


@dataclass(frozen=True, slots=True)
class NativePoll:
    """A poll to post: one question with options, and beneath it a button that opens a link.

    It closes by itself after `lasts`, or never. Limits: 300 and 100 characters, 12 options.
    """

    question: str
    options: tuple[str, ...]
    button: str
    link: str
    lasts: timedelta | None = None


async def post_poll(
    http: aiohttp.ClientSession, view: ChannelView, url_base: str, chat: str, poll: NativePoll
) -> tuple[str, str]:
    """Post it; return Telegram's ids of the poll and of its message. Raises SendError."""
    fields: dict[str, object] = chat_of(f"telegram:{chat}") | {
        "question": poll.question,
        "options": json.dumps([{"text": option} for option in poll.options]),
        "is_anonymous": True,
        "allows_multiple_answers": False,
    }
    if poll.link:
        button = {"text": poll.button, "url": poll.link}
        fields["reply_markup"] = {"inline_keyboard": [[button]]}
    if poll.lasts is not None:
        fields["open_period"] = int(poll.lasts.total_seconds())
    result = await call(http, _base(view, url_base), "sendPoll", fields, classify)
    message_id, told = None, None
    if isinstance(result, dict):
        message_id, told = result.get("message_id"), result.get("poll")
    counted = poll_count(told) if isinstance(told, dict) else None
    if not isinstance(message_id, int) or counted is None:
        raise SendError("bad_answer", "Telegram named no poll.", unknown=True)
    return counted.id, str(message_id)


async def stop_poll(
    http: aiohttp.ClientSession, view: ChannelView, url_base: str, chat: str, message: str
) -> PollCount | None:
    """Stop a poll and return its last counts. Raises SendError."""
    fields = chat_of(f"telegram:{chat}") | {"message_id": int(message)}
    fields.pop("message_thread_id", None)
    result = await call(http, _base(view, url_base), "stopPoll", fields, classify)
    return poll_count(result) if isinstance(result, dict) else None


def _base(view: ChannelView, url_base: str) -> str:
    return f"{url_base.rstrip('/')}/bot{view.credentials.get('token', '')}"
