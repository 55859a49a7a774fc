"""The Bot API's refusals: limits of texts, buttons and rates."""

import json
from collections.abc import Mapping
from html.parser import HTMLParser

from tests.fakes.telegram_state import Account, ApiError, Chat

TEXT_LIMIT = 4096
BURST = 3.0
GROUP_RATE = 20 / 60
OVERALL = 30.0
TAGS = frozenset("b strong i em u ins s strike del a code pre blockquote tg-spoiler span".split())

Rows = list[list[dict[str, str]]]


def checked_text(fields: Mapping[str, object]) -> str:
    """The text to send, parsed when a parse mode is named."""
    text = str(fields.get("text", ""))
    if not text.strip():
        raise ApiError(400, "Bad Request: message text is empty")
    if str(fields.get("parse_mode", "")).upper() == "HTML":
        text = _plain(text)
    if len(text) > TEXT_LIMIT:
        raise ApiError(400, "Bad Request: message is too long")
    return text


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            raise ApiError(
                400,
                f"Bad Request: can't parse entities: Unsupported start tag {json.dumps(tag)} "
                f"at byte offset {self.getpos()[1]}",
            )

    def handle_data(self, data: str) -> None:
        self.text += data


def _plain(text: str) -> str:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.text


def checked_rows(fields: Mapping[str, object]) -> Rows:
    """The inline keyboard; none for other kinds of markup."""
    markup = fields.get("reply_markup")
    if isinstance(markup, str):
        try:
            markup = json.loads(markup)
        except ValueError:
            raise ApiError(
                400, "Bad Request: can't parse reply keyboard markup JSON object"
            ) from None
    if not isinstance(markup, dict):
        return []
    rows = markup.get("inline_keyboard", [])
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ApiError(400, 'Bad Request: field "inline_keyboard" must be of type Array')
    buttons = [button for row in rows for button in row]
    if len(buttons) > 100 or any(len(row) > 8 for row in rows):
        raise ApiError(400, "Bad Request: reply markup is too long")
    for button in buttons:
        _check_button(button)
    return [row for row in rows if row]


def new_keyboard(fields: Mapping[str, object], chat: Chat) -> list[dict[str, object]] | None:
    """The keys that stand in place of the phone's own from now on; None leaves them as they are."""
    markup = fields.get("reply_markup")
    if not isinstance(markup, dict):
        return None
    if markup.get("remove_keyboard") is True:
        return []
    if "keyboard" not in markup:
        return None
    keys = [key for row in markup["keyboard"] for key in row]
    if any(not str(key.get("text", "")).strip() for key in keys):
        raise ApiError(400, "Bad Request: keyboard button text must be non-empty")
    if not chat.private and any(key.get("request_contact") for key in keys):
        raise ApiError(400, "Bad Request: phone number can be requested in private chats only")
    return keys


def _check_button(button: object) -> None:
    if not isinstance(button, dict) or not str(button.get("text", "")).strip():
        raise ApiError(400, "Bad Request: text buttons are unallowed in the inline keyboard")
    if "callback_data" in button:
        size = len(str(button["callback_data"]).encode("utf-8", "surrogatepass"))
        if not 1 <= size <= 64:
            raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")


def check_rates(account: Account, chat: Chat, now: float) -> None:
    """One message a second in a chat (three at once), thirty in all, twenty a minute in a group."""
    rate = 1.0 if chat.private else GROUP_RATE
    chat.tokens = min(BURST, chat.tokens + (now - chat.refilled_at) * rate)
    chat.refilled_at = now
    account.tokens = min(OVERALL, account.tokens + (now - account.refilled_at) * OVERALL)
    account.refilled_at = now
    if chat.tokens < 1:
        wait = max(1, round((1 - chat.tokens) / rate))
        raise ApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
    if account.tokens < 1:
        raise ApiError(429, "Too Many Requests: retry after 1", retry_after=1)
    chat.tokens -= 1
    account.tokens -= 1


def check_reach(chat: Chat) -> None:
    """Whether the bot may write here."""
    if chat.moved_to is not None:
        raise ApiError(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            migrate_to_chat_id=chat.moved_to,
        )
    if chat.deactivated:
        raise ApiError(403, "Forbidden: user is deactivated")
    if chat.blocked:
        what = "blocked by the user" if chat.private else "kicked from the group chat"
        raise ApiError(403, f"Forbidden: bot was {what}")
