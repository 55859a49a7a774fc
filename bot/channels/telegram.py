"""Telegram: webhook secret, updates, sending; the only file that imports python-telegram-bot.

The library gives error classes, reads the rarer updates and carries the administration calls
(`telegram_setup.py`); ordinary updates and messages go by hand, fifteen times cheaper (decision 4).
"""

import asyncio
import contextlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlencode

import aiohttp
import orjson
from telegram import Bot as Bot
from telegram import Update
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import BaseRequest, RequestData

from bot.channels.base import (
    Arrival,
    ChannelError,
    ChannelView,
    ContentStore,
    Delivery,
    Malformed,
    SendError,
    StatusUpdate,
    WebhookRejected,
    WebhookRequest,
)
from bot.channels.telegram_refusals import bad_request, forbidden
from bot.channels.telegram_sending import TelegramSender
from bot.channels.telegram_updates import ignored_update, read_update

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name


class Telegram:
    """The Bot API as a channel."""

    def verify(self, view: ChannelView, request: WebhookRequest) -> None:
        """Compare the secret token in constant time; a channel without a secret takes nothing."""
        secret = view.credentials.get("secret", "").encode()
        given = request.header(SECRET_HEADER).encode("utf-8", "replace")
        if not secret or not hmac.compare_digest(secret, given):
            raise WebhookRejected(401, "secret token missing or wrong")

    def parse(self, view: ChannelView, request: WebhookRequest) -> list[Arrival]:
        """The one arrival of an update."""
        update = _read(request.body)
        if not isinstance(update, dict):
            raise Malformed("the body is not an update")
        bot_name = view.sender or str(view.config.get("username", ""))
        arrival = read_update(update, request.body, bot_name)
        return [arrival or _rarer(update, request.body)]

    def parse_status(self, view: ChannelView, request: WebhookRequest) -> StatusUpdate | None:
        """Telegram reports no statuses."""
        return None

    def acknowledge(self, arrivals: Sequence[Arrival], say: str | None = None) -> tuple[str, bytes]:
        """Stop the button's spinner, or say something, inside the webhook's answer.

        One method fits into an answer and its result is not told; both are fine for these two.
        """
        for arrival in arrivals:
            chat = arrival.chat or arrival.address.partition(":")[2]
            if say is not None and chat:
                return "application/json", json.dumps(_said(chat, say)).encode()
            if arrival.callback_id is not None:
                answer = {"method": "answerCallbackQuery", "callback_query_id": arrival.callback_id}
                return "application/json", json.dumps(answer).encode()
        return "application/json", b"{}"

    async def send(
        self,
        http: aiohttp.ClientSession,
        view: ChannelView,
        delivery: Delivery,
        contents: ContentStore | None = None,
    ) -> str:
        """Send, edit or close; return the message id in the chat."""
        return await TelegramSender(http, view, delivery, classify).send()


def _read(body: bytes) -> object:
    """What a body says; lone surrogates and the like, which orjson refuses, are still read."""
    try:
        return orjson.loads(body)
    except ValueError:
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("the body is not JSON") from None


def _said(chat: str, text: str) -> dict[str, object]:
    group, _, topic = chat.partition("/")
    said: dict[str, object] = {"method": "sendMessage", "chat_id": int(group), "text": text}
    return said | ({"message_thread_id": int(topic)} if topic else {})


def _rarer(update: dict[str, object], body: bytes) -> Arrival:
    """Nothing acts on the rarer kinds yet; the library says who they are from, for the receipt."""
    ignored = ignored_update(update.get("update_id"), body)
    try:
        known = Update.de_json(update, None)
        sender = known.effective_user
    except Exception:  # noqa: BLE001 - the library promises nothing on shapes it does not know
        return ignored
    language = sender.language_code if sender is not None else None
    if not isinstance(language, str) or len(language) > 35 or not language.isascii():
        return ignored
    return Arrival(kind="ignored", receipt=ignored.receipt, language=language)


def error_of(status: int, body: bytes) -> TelegramError | None:
    """The library's error for an answer of the Bot API, or None when it is a success.

    The same classes as `BaseRequest` raises, which the tests hold it to.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        return TelegramError("unreadable") if status < 300 else _by_status(status, f"HTTP {status}")
    if status < 300 and answer.get("ok") is True:
        return None
    code = answer.get("error_code")
    if status < 300 and isinstance(code, int):
        status = code
    parameters = answer.get("parameters")
    if isinstance(parameters, dict):
        if isinstance(moved := parameters.get("migrate_to_chat_id"), int):
            return ChatMigrated(moved)
        if isinstance(seconds := parameters.get("retry_after"), int | float) and seconds > 0:
            return RetryAfter(int(seconds))
    return _by_status(status, str(answer.get("description") or f"HTTP {status}"))


def _by_status(status: int, message: str) -> TelegramError:
    if status == 403:
        return Forbidden(message)
    if status in (401, 404):
        return InvalidToken(message)
    if status == 400:
        return BadRequest(message)
    if status == 409:
        return Conflict(message)
    if status == 429:
        return RetryAfter(1)
    return NetworkError(message)


def classify(status: int, body: bytes) -> SendError | ChatMigrated | None:
    """What an answer means for the message: None sent, ChatMigrated resend there, else the error.

    Matched on status and beginnings, never on whole texts (reference 1.6).
    """
    error = error_of(status, body)
    if error is None or isinstance(error, ChatMigrated):
        return error
    if isinstance(error, RetryAfter):
        wait = _retry_after(body)
        return SendError(
            "rate_limited", "Telegram asks us to wait.", throttled=True, retryable=True,
            retry_after=wait,
        )  # fmt: skip
    if isinstance(error, InvalidToken):
        return SendError("token_refused", "Telegram refuses the bot's token.", stops_channel=True)
    if isinstance(error, Forbidden):
        return forbidden(error.message.casefold())
    if isinstance(error, BadRequest):
        return bad_request(error.message.casefold())
    if isinstance(error, Conflict):
        return SendError("conflict", "Another program uses this bot's token.", alert=True)
    if body.lstrip()[:1] == b"{" and status >= 500:
        return SendError("server_error", "Telegram has a fault of its own.", retryable=True)
    return SendError(
        "bad_gateway", "The answer is not Telegram's.", unknown=True, retryable=True
    )  # fmt: skip


def _retry_after(body: bytes) -> float:
    try:
        return float(json.loads(body)["parameters"]["retry_after"])
    except (ValueError, KeyError, TypeError):
        return 1.0


class AiohttpRequest(BaseRequest):
    """The library's network on aiohttp: its own takes 2 ms of processor a call (decision 4)."""

    def __init__(self, timeout: float = 5) -> None:
        self._timeout = timeout
        self._http: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds the library may add to for long polling."""
        return self._timeout

    async def initialize(self) -> None:
        """Open the client; a second call changes nothing."""
        if self._http is None:
            self._http = aiohttp.ClientSession()

    async def shutdown(self) -> None:
        """Close the client."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = None,
        write_timeout: object = None,
        connect_timeout: object = None,
        pool_timeout: object = None,
    ) -> tuple[int, bytes]:
        """One call; transport faults become the library's TimedOut and NetworkError."""
        await self.initialize()
        assert self._http is not None
        total = float(read_timeout) if isinstance(read_timeout, int | float) else self._timeout
        form = request_data.json_parameters if request_data is not None else None
        try:
            async with self._http.request(
                method, url, data=form, timeout=aiohttp.ClientTimeout(total=total)
            ) as response:
                return response.status, await response.read()
        except TimeoutError as fault:
            raise TimedOut from fault
        except (aiohttp.ClientError, OSError) as fault:
            raise NetworkError(f"HTTP: {type(fault).__name__}") from fault


@contextlib.asynccontextmanager
async def administration(token: str, api_url: str) -> AsyncIterator[Bot]:
    """The library's Bot over our network, its identity read; faults become ChannelError.

    The library's own messages quote the token, so none of them is passed on.
    """
    try:
        bot = Bot(
            token,
            base_url=f"{api_url.rstrip('/')}/bot",
            request=AiohttpRequest(),
            get_updates_request=AiohttpRequest(),
        )
        async with bot:
            yield bot
    except InvalidToken:
        raise ChannelError("Telegram refuses the bot's token.") from None
    except Conflict:
        raise ChannelError("Another program or a webhook takes this bot's updates.") from None
    except TelegramError as error:
        raise ChannelError(
            f"Telegram did not answer as it should: {type(error).__name__}"
        ) from None


async def fetch_updates(
    bot: Bot, offset: int, wait: int, kinds: Sequence[str]
) -> list[dict[str, int]]:
    """The next waiting updates, raw as a webhook brings them; none after a passing fault."""
    asked = {"offset": offset, "timeout": wait, "allowed_updates": json.dumps(list(kinds))}
    url = f"{bot.base_url}/getUpdates?{urlencode(asked)}"
    try:
        updates: object = await bot.request.post(url, read_timeout=wait + 5.0)
    except (BadRequest, InvalidToken, Conflict):
        raise
    except TelegramError:
        await asyncio.sleep(1)
        return []
    return updates if isinstance(updates, list) else []


async def stop_spinner(bot: Bot, callback_id: str) -> None:
    """Answer a button press; failing leaves a spinner on the phone and nothing else."""
    with contextlib.suppress(TelegramError):
        await bot.answer_callback_query(callback_id)
