"""Telegram updates become arrivals; python-telegram-bot reads the same out of them."""

import json
from datetime import UTC, datetime

import pytest
from telegram import Update

from bot.channels import CHANNELS
from bot.channels.base import Arrival, Malformed, WebhookRejected
from flows.inputs import Attachment, Input, Pin, Pressed, Text
from tests.channels.views import SECRET, VECTORS, telegram_request, view

TELEGRAM = CHANNELS["telegram"]
BY_ID = {row["id"]: row["update"] for row in VECTORS["telegram_updates"]}
AMINA = "telegram:700100200"

MESSAGES: dict[str, Input] = {
    "tg_text": Text("Bonjour"),
    "tg_start_payload": Text("/start"),
    "tg_contact_other": Attachment("contact"),
    "tg_location": Pin(45.764043, 4.835659),
    "tg_photo_caption": Text("ma réponse : Lyon"),
    "tg_voice": Attachment("voice", file="AwACv", seconds=7, size=28000),
    "tg_markup_injection": Text('🔥🔥 <b>x</b> & "y" 1. _z_ [k](http://e.example)'),
    "tg_forward": Text("Yes"),
    "tg_web_app_data": Attachment("other"),
    "tg_callback": Pressed("a:7:q3:1"),
    "tg_callback_stale": Pressed("a:6:q1:2"),
}
KINDS = {
    "tg_my_chat_member_kicked": "blocked",
    "tg_my_chat_member_back": "unblocked",
    "tg_group_bot_added": "ignored",
    "tg_migrate": "ignored",
    "tg_poll_answer": "ignored",
    "tg_poll_answer_retract": "ignored",
    "tg_anonymous_admin": "group",
    "tg_unknown_type": "ignored",
}


def arrive(update: object, sender: str = "diaspora_desk_bot") -> Arrival:
    [arrival] = TELEGRAM.parse(view("telegram", sender), telegram_request(update))
    return arrival


@pytest.mark.parametrize("name", BY_ID)
def test_every_vector_is_read_as_it_should_be(name: str) -> None:
    arrival = arrive(BY_ID[name])
    if name == "tg_long":
        assert isinstance(arrival.input, Text)
        assert len(arrival.input.text) == 4096
    elif name in MESSAGES:
        assert (arrival.kind, arrival.address) == ("message", AMINA)
        assert arrival.input == MESSAGES[name]
        assert arrival.language == "fr"
    else:
        assert arrival.kind == KINDS[name]


@pytest.mark.parametrize("name", BY_ID)
def test_the_library_agrees_on_person_message_and_text(name: str) -> None:
    update, arrival = Update.de_json(BY_ID[name], None), arrive(BY_ID[name])
    if arrival.kind != "message":
        return
    assert update.effective_user is not None
    assert arrival.address == f"telegram:{update.effective_user.id}"
    if update.callback_query is not None:
        assert arrival.receipt == f"callback:{update.callback_query.id}"
        assert arrival.input == Pressed(update.callback_query.data or "")
    else:
        assert update.message is not None
        assert arrival.receipt == f"message:{update.message.chat.id}:{update.message.message_id}"
        assert arrival.sent_at == update.message.date


def test_a_deep_link_carries_its_code_and_nothing_longer() -> None:
    assert arrive(BY_ID["tg_start_payload"]).entry == "reg_Fr-2026_A1"
    assert arrive(_text("/start")).entry is None
    assert arrive(_text("/start two words")).entry is None
    assert arrive(_text("/start " + "x" * 65)).entry is None
    assert arrive(_text("/start@diaspora_desk_bot abc")).entry == "abc"


def test_a_command_loses_the_bots_name() -> None:
    assert arrive(_text("/menu@diaspora_desk_bot")).input == Text("/menu")
    assert arrive(_text("/etc/passwd@home")).input == Text("/etc/passwd@home")


def test_a_tap_names_the_message_it_was_on_unless_that_is_out_of_reach() -> None:
    tap, stale = arrive(BY_ID["tg_callback"]), arrive(BY_ID["tg_callback_stale"])
    assert (tap.callback_id, tap.pressed_message) == ("3006930000000000001", "21")
    assert (stale.callback_id, stale.pressed_message) == ("3006930000000000002", None)


def test_the_webhooks_answer_stops_the_spinner() -> None:
    kind, body = TELEGRAM.acknowledge([arrive(BY_ID["tg_callback"])])
    assert kind == "application/json"
    assert json.loads(body) == {
        "method": "answerCallbackQuery",
        "callback_query_id": "3006930000000000001",
    }
    assert TELEGRAM.acknowledge([arrive(BY_ID["tg_text"])]) == ("application/json", b"{}")


def test_an_own_contact_card_carries_the_number_with_a_plus() -> None:
    card = {"phone_number": "447700900123", "first_name": "A", "user_id": 700100200}
    assert arrive(_message(contact=card)).input == Attachment("contact", number="+447700900123")


def test_a_sticker_is_its_emoji() -> None:
    assert arrive(_message(sticker={"emoji": "👍"})).input == Attachment("sticker", emoji="👍")


def test_an_edit_is_its_own_delivery_and_never_a_message() -> None:
    message = _message(text="later")["message"] | {"edit_date": 1767268999}
    arrival = arrive({"update_id": 1, "edited_message": message})
    assert (arrival.kind, arrival.receipt) == ("edited", "edited:700100200:11:1767268999")
    assert arrival.sent_at == datetime.fromtimestamp(1767268999, UTC)


def test_redelivery_has_the_same_receipt_whatever_the_update_is_called() -> None:
    first = _text("x")
    assert arrive(first).receipt == arrive(first | {"update_id": 5}).receipt


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("good morning all", "ignored"),
        ("/register", "group"),
        ("/register@diaspora_desk_bot", "group"),
        ("/register@other_bot", "ignored"),
        ("ask @diaspora_desk_bot please", "group"),
    ],
)
def test_in_a_group_only_who_speaks_to_the_bot_is_answered(text: str, kind: str) -> None:
    arrival = arrive(_in_group(text))
    assert arrival.kind == kind
    assert (arrival.address, arrival.input) == ("", None)


def test_a_topic_is_answered_in_the_topic() -> None:
    update = _in_group("/register")
    update["message"] |= {"message_thread_id": 45, "is_topic_message": True}
    assert arrive(update).chat == "-100200/45"
    assert arrive(_in_group("/register")).chat == "-100200"


def test_a_pseudo_user_is_nobody() -> None:
    update = _text("hi")
    update["message"]["from"]["id"] = 777000
    assert arrive(update).kind == "ignored"


@pytest.mark.parametrize("secret", ["", "wrong", SECRET + "x", SECRET[:-1], "\u00e9"])
def test_a_wrong_secret_is_refused(secret: str) -> None:
    with pytest.raises(WebhookRejected) as refused:
        TELEGRAM.verify(view("telegram"), telegram_request({}, secret))
    assert refused.value.status == 401


def test_the_right_secret_is_let_in_and_no_secret_lets_nobody_in() -> None:
    TELEGRAM.verify(view("telegram"), telegram_request({}))
    with pytest.raises(WebhookRejected):
        TELEGRAM.verify(view("telegram", secret=""), telegram_request({}, ""))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'"x"', b"1e999"])
def test_what_is_no_update_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        TELEGRAM.parse(view("telegram"), telegram_request(body))


def _message(**content: object) -> dict[str, dict[str, object]]:
    sender = {"id": 700100200, "is_bot": False, "first_name": "A", "language_code": "fr"}
    chat = {"id": 700100200, "type": "private"}
    return {"message": {"message_id": 11, "date": 1, "from": sender, "chat": chat, **content}}


def _text(text: str) -> dict:  # type: ignore[type-arg]
    return _message(text=text)


def _in_group(text: str) -> dict:  # type: ignore[type-arg]
    update = _text(text)
    update["message"]["chat"] = {"id": -100200, "type": "supergroup", "title": "G"}
    return update
