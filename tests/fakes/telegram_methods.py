"""The Bot API's methods as far as a bot like ours may use them."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.fakes.server import require_loopback
from tests.fakes.telegram_checks import (
    check_rates,
    check_reach,
    checked_rows,
    checked_text,
    new_keyboard,
)
from tests.fakes.telegram_state import (
    DEFAULT_KINDS,
    TAP_LIFE,
    Account,
    ApiError,
    Bubble,
    Chat,
    Fields,
    NativePoll,
    Webhook,
)

if TYPE_CHECKING:
    from tests.fakes.telegram import FakeTelegram

Given = Mapping[str, object]
Method = Callable[["FakeTelegram", Account, Given], object]
# Refused inside a webhook's answer, silently (reference 1.2).
NOT_IN_ANSWERS = frozenset({"setwebhook", "deletewebhook", "close", "logout"})


def get_me(fake: "FakeTelegram", account: Account, given: Given) -> object:
    return account.user


def set_webhook(fake: "FakeTelegram", account: Account, given: Given) -> object:
    url = str(given.get("url", ""))
    if not url:
        return delete_webhook(fake, account, given)
    try:
        require_loopback(urlsplit(url).hostname or "")
    except ValueError:
        raise ApiError(400, "Bad Request: bad webhook: the fake calls loopback only") from None
    secret = str(given.get("secret_token", ""))
    if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
        raise ApiError(400, "Bad Request: secret token contains unallowed characters")
    connections = int(str(given.get("max_connections", 40)))
    if not 1 <= connections <= 100:
        raise ApiError(400, "Bad Request: max_connections must be between 1 and 100")
    if "allowed_updates" in given:
        wanted = fake.listed(given["allowed_updates"])
        account.kinds = frozenset(map(str, wanted)) or DEFAULT_KINDS
    if given.get("drop_pending_updates") in (True, "true", "True"):
        account.waiting.clear()
        account.queues.clear()
    account.webhook = Webhook(url, secret, connections)
    fake.widen(account, connections)
    fake.courier.wake(account)
    return True


def delete_webhook(fake: "FakeTelegram", account: Account, given: Given) -> object:
    account.webhook = None
    if given.get("drop_pending_updates") in (True, "true", "True"):
        account.waiting.clear()
        account.queues.clear()
    return True


def get_webhook_info(fake: "FakeTelegram", account: Account, given: Given) -> object:
    info: Fields = {
        "url": account.webhook.url if account.webhook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(account.waiting),
        "allowed_updates": sorted(account.kinds),
    }
    if account.webhook is not None:
        info["max_connections"] = account.webhook.max_connections
    if account.last_error:
        info["last_error_message"] = account.last_error
        info["last_error_date"] = account.last_error_date
    return info


def send_message(fake: "FakeTelegram", account: Account, given: Given) -> object:
    chat = _chat(account, given)
    text, rows = checked_text(given), checked_rows(given)
    keys = new_keyboard(given, chat)
    check_reach(chat)
    _check_rates(fake, account, chat)
    if keys is not None:
        chat.keyboard = keys
    return fake.commit(account, chat, text, rows).as_api(account.user, chat.fields)


def send_other(kind: str) -> Method:
    def send(fake: "FakeTelegram", account: Account, given: Given) -> object:
        chat = _chat(account, given)
        rows = checked_rows(given)
        check_reach(chat)
        _check_rates(fake, account, chat)
        text = str(given.get("caption") or given.get("question") or "")
        return fake.commit(account, chat, text, rows, kind).as_api(account.user, chat.fields)

    return send


def send_poll(fake: "FakeTelegram", account: Account, given: Given) -> object:
    options = fake.listed(given.get("options", []))
    if not 1 <= len(options) <= 12:
        raise ApiError(400, "Bad Request: poll must have from 1 to 12 options")
    words = [str(o.get("text", "")) if isinstance(o, dict) else str(o) for o in options]
    if any(not 1 <= len(word) <= 100 for word in words):
        raise ApiError(400, "Bad Request: poll options length must not exceed 100")
    if not 1 <= len(str(given.get("question", ""))) <= 300:
        raise ApiError(400, "Bad Request: poll question must be from 1 to 300 characters")
    period = given.get("open_period")
    if period is not None and not 5 <= int(str(period)) <= 2_628_000:
        raise ApiError(400, "Bad Request: poll open period must be between 5 and 2628000")
    chat, rows = _chat(account, given), checked_rows(given)
    check_reach(chat)
    _check_rates(fake, account, chat)
    bubble = fake.commit(account, chat, str(given["question"]), rows, "poll")
    bubble.poll = NativePoll(
        str(5_200_000_000_000_000_000 + bubble.id),
        bubble.text,
        words,
        given.get("is_anonymous", True) in (True, "true", "True"),
        fake.clock.elapsed() + int(str(period)) if period is not None else None,
    )
    return bubble.as_api(account.user, chat.fields)


def stop_poll(fake: "FakeTelegram", account: Account, given: Given) -> object:
    _, bubble = _bubble(account, given)
    if bubble.poll is None:
        raise ApiError(400, "Bad Request: message with poll to stop not found")
    if bubble.poll.closed:
        raise ApiError(400, "Bad Request: poll has already been closed")
    fake.end_poll(account, bubble.poll)
    return bubble.poll.as_api()


def edit_text(fake: "FakeTelegram", account: Account, given: Given) -> object:
    chat, bubble = _bubble(account, given)
    text, rows = checked_text(given), checked_rows(given)
    return _change(fake, account, chat, bubble, (text, rows))


def edit_markup(fake: "FakeTelegram", account: Account, given: Given) -> object:
    chat, bubble = _bubble(account, given)
    return _change(fake, account, chat, bubble, (bubble.text, checked_rows(given)))


def _change(
    fake: "FakeTelegram",
    account: Account,
    chat: Chat,
    bubble: Bubble,
    wanted: tuple[str, list[list[dict[str, str]]]],
) -> object:
    if (bubble.text, bubble.rows) == wanted:
        raise ApiError(
            400,
            "Bad Request: message is not modified: specified new message content and reply markup "
            "are exactly the same as a current content and reply markup of the message",
        )
    bubble.text, bubble.rows = wanted
    bubble.edits += 1
    if bubble.rows:
        fake.notice(account, chat, bubble)
    fake.changed()
    return bubble.as_api(account.user, chat.fields)


def delete_message(fake: "FakeTelegram", account: Account, given: Given) -> object:
    chat, bubble = _bubble(account, given)
    del chat.bubbles[bubble.id]
    return True


def answer_callback(fake: "FakeTelegram", account: Account, given: Given) -> object:
    query = str(given.get("callback_query_id", ""))
    if len(str(given.get("text", ""))) > 200:
        raise ApiError(400, "Bad Request: MESSAGE_TOO_LONG")
    tapped = account.taps.get(query)
    if tapped is None or fake.clock.elapsed() - tapped[0] > TAP_LIFE:
        raise ApiError(
            400,
            "Bad Request: query is too old and response timeout expired or query ID is invalid",
        )
    account.taps[query] = (tapped[0], True)
    fake.changed()
    return True


def dress(fake: "FakeTelegram", account: Account, given: Given) -> object:
    language = str(given.get("language_code") or "")
    for name in ("commands", "description", "short_description", "name"):
        if name in given:
            value = given[name]
            if name == "commands":
                value = fake.listed(value)
                _check_commands(value)
            account.dressed[f"{name}:{language}"] = value
    return True


def _check_commands(commands: list[object]) -> None:
    for command in commands:
        name = str(command.get("command", "")) if isinstance(command, dict) else ""
        if not re.fullmatch(r"[a-z0-9_]{1,32}", name):
            raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")


def get_commands(fake: "FakeTelegram", account: Account, given: Given) -> object:
    return account.dressed.get(f"commands:{given.get('language_code') or ''}", [])


def get_chat(fake: "FakeTelegram", account: Account, given: Given) -> object:
    return _chat(account, given).fields | {"accent_color_id": 0, "max_reaction_count": 11}


def nothing(fake: "FakeTelegram", account: Account, given: Given) -> object:
    check_reach(_chat(account, given))
    return True


def _chat(account: Account, given: Given) -> Chat:
    chat_id = str(given.get("chat_id", ""))
    if not re.fullmatch(r"-?[0-9]{1,20}", chat_id):
        raise ApiError(400, "Bad Request: chat_id is empty")
    return account.chat(int(chat_id))


def _bubble(account: Account, given: Given) -> tuple[Chat, Bubble]:
    chat = _chat(account, given)
    check_reach(chat)
    message_id = str(given.get("message_id", ""))
    bubble = chat.bubbles.get(int(message_id)) if message_id.isdecimal() else None
    if bubble is None:
        raise ApiError(400, "Bad Request: message to edit not found")
    return chat, bubble


def get_file(fake: "FakeTelegram", account: Account, given: Given) -> object:
    file_id = str(given.get("file_id", ""))
    if file_id not in fake.files:
        raise ApiError(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
    return {
        "file_id": file_id,
        "file_unique_id": file_id,
        "file_size": len(fake.files[file_id]),
        "file_path": f"voice/{file_id}.oga",
    }


def _check_rates(fake: "FakeTelegram", account: Account, chat: Chat) -> None:
    if fake.limits:
        check_rates(account, chat, fake.clock.elapsed())


METHODS: dict[str, Method] = {
    "getme": get_me,
    "setwebhook": set_webhook,
    "deletewebhook": delete_webhook,
    "getwebhookinfo": get_webhook_info,
    "sendmessage": send_message,
    "sendpoll": send_poll,
    "stoppoll": stop_poll,
    "sendlocation": send_other("location"),
    "senddocument": send_other("document"),
    "sendphoto": send_other("photo"),
    "editmessagetext": edit_text,
    "editmessagereplymarkup": edit_markup,
    "deletemessage": delete_message,
    "answercallbackquery": answer_callback,
    "sendchataction": nothing,
    "setmycommands": dress,
    "getmycommands": get_commands,
    "setmydescription": dress,
    "setmyshortdescription": dress,
    "setmyname": dress,
    "getchat": get_chat,
    "getfile": get_file,
}
