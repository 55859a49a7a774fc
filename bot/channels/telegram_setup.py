"""A bot's administration: webhook, commands and descriptions, and polling for development."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.channels.base import ChannelView
from bot.channels.telegram import Bot, administration, fetch_updates, stop_spinner

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member", "poll")
POLL_SECONDS = 25


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Who Telegram says the bot is."""

    id: int
    username: str
    name: str
    reads_all_group_messages: bool


@dataclass(frozen=True, slots=True)
class WebhookState:
    """What Telegram says of the webhook; `last_error` is Telegram's sentence about our server."""

    url: str
    pending: int
    last_error: str


@dataclass(frozen=True, slots=True)
class BotFace:
    """What people see: commands by language code as (name, description), "" for all others.

    `descriptions` by language code are (short, long): 120 and 512 characters.
    """

    commands: Mapping[str, Sequence[tuple[str, str]]]
    descriptions: Mapping[str, tuple[str, str]]


async def check(view: ChannelView, api_url: str) -> tuple[BotIdentity, WebhookState]:
    """Ask who the bot is and how its webhook fares; raises ChannelError."""
    async with administration(_token(view), api_url) as bot:
        info = await bot.get_webhook_info()
        state = WebhookState(info.url, info.pending_update_count, info.last_error_message or "")
        return _identity(bot), state


async def set_up(
    view: ChannelView, api_url: str, face: BotFace, *, public_url: str, max_connections: int = 40
) -> BotIdentity:
    """Point the webhook at us with the channel's secret and dress the bot; raises ChannelError.

    Waiting updates are never dropped: they are people's answers (reference 1.1).
    """
    async with administration(_token(view), api_url) as bot:
        for language, commands in face.commands.items():
            await bot.set_my_commands(list(commands), language_code=language or None)
        for language, (short, long) in face.descriptions.items():
            await bot.set_my_short_description(short[:120], language_code=language or None)
            await bot.set_my_description(long[:512], language_code=language or None)
        await bot.set_webhook(
            f"{public_url.rstrip('/')}/webhooks/telegram/{view.key}",
            secret_token=view.credentials["secret"],
            allowed_updates=ALLOWED_UPDATES,
            max_connections=max_connections,
            drop_pending_updates=False,
        )
        return _identity(bot)


async def poll(
    view: ChannelView,
    api_url: str,
    take: Callable[[bytes], bytes],
    *,
    wait: int = POLL_SECONDS,
) -> None:
    """Fetch updates until cancelled; `take` stores one (a JSON body) and returns the answer to it.

    For development, where no webhook can reach us: removes the webhook, keeps what waits there.
    An update counts as confirmed only after `take` returned. Raises ChannelError.
    """
    async with administration(_token(view), api_url) as bot:
        await bot.delete_webhook(drop_pending_updates=False)
        offset = 0
        while True:
            updates = await fetch_updates(bot, offset, wait, ALLOWED_UPDATES)
            for update in updates:
                answer = await asyncio.to_thread(take, json.dumps(update).encode())
                await _carry_out(bot, answer)
                offset = max(offset, int(update["update_id"]) + 1)


async def _carry_out(bot: Bot, answer: bytes) -> None:
    """Do what a webhook's answer would have made Telegram do."""
    wanted = json.loads(answer or b"{}")
    if isinstance(wanted, dict) and wanted.get("method") == "answerCallbackQuery":
        await stop_spinner(bot, str(wanted["callback_query_id"]))


def _identity(bot: Bot) -> BotIdentity:
    user = bot.bot
    return BotIdentity(
        id=user.id,
        username=user.username or "",
        name=user.full_name,
        reads_all_group_messages=bool(user.can_read_all_group_messages),
    )


def _token(view: ChannelView) -> str:
    return view.credentials.get("token", "")
