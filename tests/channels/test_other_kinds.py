"""What providers send beyond the vectors of the reference: read, or ignored without harm."""

from typing import Any

import pytest

from bot.channels import CHANNELS
from bot.channels.base import Arrival, moves_up
from flows.inputs import Attachment, Input, Pin, Pressed, Text
from tests.channels.views import form_request, telegram_request, view

ME = "telegram:700100200"
USER = {"id": 700100200, "is_bot": False, "first_name": "A", "language_code": "fr"}
CHAT = {"id": 700100200, "type": "private", "first_name": "A"}
CHANNEL_POST = {"message_id": 1, "chat": {"id": -100, "type": "channel"}, "date": 1, "text": "1"}


def message(**content: Any) -> dict[str, Any]:
    return {"message_id": 11, "from": USER, "chat": CHAT, "date": 1767268800} | content


def telegram(update: dict[str, Any]) -> Arrival:
    request = telegram_request({"update_id": 9} | update)
    [arrival] = CHANNELS["telegram"].parse(view("telegram", "diaspora_desk_bot"), request)
    return arrival


SAID: dict[str, tuple[dict[str, Any], Input]] = {
    "a reply": (message(text="1", reply_to_message=message(text="q")), Text("1")),
    "by way of another bot": (message(text="1", via_bot={"id": 5, "is_bot": True}), Text("1")),
    "in a topic": (message(text="1", message_thread_id=4), Text("1")),
    "a venue": (message(location={"latitude": 1.0, "longitude": 2}, venue={}), Pin(1.0, 2.0)),
    "an animation": (message(animation={}, document={}), Attachment("document")),
    "dice": (message(dice={"emoji": "\U0001f3b2", "value": 4}), Attachment("other")),
    "a poll": (message(poll={"id": "1"}), Attachment("other")),
    "a story": (message(story={"id": 1}), Attachment("other")),
    "a sticker without emoji": (message(sticker={"file_id": "x"}), Attachment("sticker")),
    "data of a web app": (message(web_app_data={"data": "{}"}), Attachment("other")),
    "a voice note": (
        message(voice={"file_id": "AwAC_-1", "duration": 3, "file_size": 9}),
        Attachment("voice", file="AwAC_-1", seconds=3, size=9),
    ),
    "a file id that is no name": (
        message(voice={"file_id": "../../etc", "duration": 3}),
        Attachment("voice", seconds=3),
    ),
    "a round video": (message(video_note={"file_id": "x"}), Attachment("voice")),
    "a place off the map": (
        message(location={"latitude": 91, "longitude": 0}),
        Attachment("other"),
    ),
    "zero bytes": (message(text="a\x00b"), Text("a\ufffdb")),
}


@pytest.mark.parametrize(("content", "given"), SAID.values(), ids=SAID)
def test_a_message_is_read(content: dict[str, Any], given: Input) -> None:
    arrival = telegram({"message": content})
    assert (arrival.kind, arrival.address, arrival.input) == ("message", ME, given)


NOTHING_SAID: dict[str, dict[str, Any]] = {
    "channel_post": {"channel_post": CHANNEL_POST},
    "edited_channel_post": {"edited_channel_post": CHANNEL_POST},
    "message_reaction": {
        "message_reaction": {
            "chat": CHAT,
            "message_id": 1,
            "user": USER,
            "date": 1,
            "old_reaction": [],
            "new_reaction": [{"type": "emoji", "emoji": "\U0001f44d"}],
        }
    },
    "business_message": {"business_message": message(text="1", business_connection_id="b")},
    "edited_business_message": {"edited_business_message": message(text="1")},
    "business_connection": {"business_connection": {"id": "b", "user": USER}},
    "inline_query": {"inline_query": {"id": "1", "from": USER, "query": "x", "offset": ""}},
    "pre_checkout_query": {"pre_checkout_query": {"id": "1", "from": USER}},
    "chat_join_request": {"chat_join_request": {"chat": {"id": -1, "type": "group"}}},
    "a game": {"callback_query": {"id": "7", "from": USER, "game_short_name": "g"}},
    "pinned": {"message": message(pinned_message=message(text="q"))},
    "timer": {"message": message(message_auto_delete_timer_changed={})},
    "allowed": {"message": message(write_access_allowed={})},
    "joined a group": {
        "my_chat_member": {
            "chat": {"id": -5, "type": "group"},
            "from": USER,
            "date": 1,
            "old_chat_member": {"status": "left"},
            "new_chat_member": {"status": "member"},
        }
    },
    "an id that is no number": {"message": message(text="1") | {"message_id": "11"}},
    "an id with a fraction": {"message": message(text="1") | {"message_id": 11.0}},
    "null": {"message": None},
    "nothing": {},
}


@pytest.mark.parametrize("update", NOTHING_SAID.values(), ids=NOTHING_SAID)
def test_what_nobody_said_to_us_is_ignored_under_a_receipt(update: dict[str, Any]) -> None:
    arrival = telegram(update)
    assert (arrival.kind, arrival.address, arrival.input) == ("ignored", "", None)
    assert arrival.receipt
    assert telegram(update).receipt == arrival.receipt


def test_a_tap_on_a_message_nobody_names_is_a_tap() -> None:
    query = {"id": "77", "from": USER, "inline_message_id": "x", "data": "a.q.1"}
    arrival = telegram({"callback_query": query})
    assert (arrival.input, arrival.callback_id) == (Pressed("a.q.1"), "77")
    assert arrival.pressed_message is None


def test_a_place_that_moves_is_an_edit() -> None:
    moved = message(location={"latitude": 1.0, "longitude": 2.0, "live_period": 60}, edit_date=5)
    assert telegram({"edited_message": moved}).kind == "edited"


SMS = {
    "MessageSid": "SM1",
    "AccountSid": "AC1",
    "From": "+447700900123",
    "To": "+447700900900",
    "Body": "Hi",
    "NumMedia": "0",
}
WHATSAPP = SMS | {"From": "whatsapp:+33639980123", "To": "whatsapp:+447700900901"}
PLACE = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME2"


def twilio(fields: dict[str, str] | list[tuple[str, str]]) -> Arrival:
    [arrival] = CHANNELS["whatsapp"].parse(view("whatsapp"), form_request(fields))
    return arrival


FORMS: dict[str, tuple[dict[str, str], str, Input]] = {
    "an empty text": (SMS | {"Body": ""}, "message", Text("")),
    "with a service": (SMS | {"MessagingServiceSid": "MG1"}, "message", Text("Hi")),
    "on the fallback address": (SMS | {"ErrorCode": "11200"}, "message", Text("Hi")),
    "fields of tomorrow": (SMS | {"Tomorrow": "x"}, "message", Text("Hi")),
    "a picture with words": (
        SMS | {"Body": "2", "NumMedia": "1", "MediaContentType0": "image/jpeg"},
        "message",
        Text("2"),
    ),
    "a voice note among pictures": (
        SMS
        | {"Body": "", "NumMedia": "2", "MediaContentType0": "image/jpeg"}
        | {"MediaContentType1": "audio/amr", "MediaUrl1": PLACE},
        "message",
        Attachment("voice", file="/Messages/MM1/Media/ME2"),
    ),
    "many of what": (SMS | {"Body": "", "NumMedia": "many"}, "message", Attachment("other")),
    "a button": (
        WHATSAPP | {"Body": "Yes", "ButtonPayload": "a.q.1", "ButtonText": "Yes"},
        "message",
        Pressed("a.q.1"),
    ),
    "a button without payload": (
        WHATSAPP | {"Body": "", "ButtonText": "Yes"},
        "message",
        Text("Yes"),
    ),
    "a row of a list": (
        WHATSAPP | {"Body": "", "ListId": "a.q.2", "ListTitle": "No"},
        "message",
        Pressed("a.q.2"),
    ),
    "a place that is none": (
        WHATSAPP | {"Body": "", "Latitude": "nan", "Longitude": "2"},
        "message",
        Text(""),
    ),
    "a card": (
        WHATSAPP | {"Body": "", "NumMedia": "1", "MediaContentType0": "text/x-vcard"},
        "message",
        Attachment("contact"),
    ),
    "what Twilio cannot show": (
        WHATSAPP | {"Body": "", "MessageType": "unsupported"},
        "message",
        Text(""),
    ),
    "STOP": (WHATSAPP | {"Body": "STOP", "OptOutType": "STOP"}, "opted_out", Text("STOP")),
    "START": (SMS | {"Body": "UNSTOP", "OptOutType": "start"}, "opted_in", Text("UNSTOP")),
    "HELP": (SMS | {"Body": "info", "OptOutType": "HELP"}, "help_answered", Text("info")),
    "an opt-out of tomorrow": (SMS | {"OptOutType": "PAUSE"}, "message", Text("Hi")),
}


@pytest.mark.parametrize(("fields", "kind", "given"), FORMS.values(), ids=FORMS)
def test_a_form_is_read(fields: dict[str, str], kind: str, given: Input) -> None:
    arrival = twilio(fields)
    assert (arrival.kind, arrival.input, arrival.receipt) == (kind, given, "SM1")
    assert arrival.number == fields["From"].removeprefix("whatsapp:")


@pytest.mark.parametrize("given", ["whatsapp:FR.1349", "FR.1349"])
def test_an_id_beside_the_number_is_an_alias_with_or_without_its_scheme(given: str) -> None:
    assert twilio(WHATSAPP | {"ExternalUserId": given}).aliases == ("whatsapp-id:FR.1349",)


def test_of_a_repeated_parameter_the_first_counts() -> None:
    assert twilio([*SMS.items(), ("Body", "again")]).input == Text("Hi")


@pytest.mark.parametrize("sender", ["anonymous", "Unknown", "+266696687", "", "rcs:x", "😀"])
def test_whoever_withholds_their_number_is_nobody(sender: str) -> None:
    arrival = twilio(SMS | {"From": sender})
    assert (arrival.kind, arrival.address, arrival.receipt) == ("ignored", "", "SM1")


@pytest.mark.parametrize(
    "reported",
    [
        ("sent", "queued", "delivered", "sent"),
        ("delivered", "sent", "queued"),
        ("queued", "delivered", "failed", "sent"),
        ("delivered", "delivered", "canceled"),
    ],
)
def test_statuses_out_of_order_end_delivered(reported: tuple[str, ...]) -> None:
    status = "sending"
    for one in reported:
        status = one if moves_up(status, one) else status
    assert status == "delivered"


def test_what_failed_stays_failed_and_what_was_delivered_may_be_read() -> None:
    assert not moves_up("failed", "delivered")
    assert not moves_up("failed", "read")
    assert moves_up("delivered", "read")
    assert not moves_up("read", "delivered")
    assert not moves_up("sent", "received")
