"""Twilio's forms become arrivals and statuses."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from bot.channels import CHANNELS
from bot.channels.base import Arrival, moves_up
from bot.channels.twilio import Twilio
from bot.channels.twilio_errors import error_for
from flows.inputs import Attachment, Input, Pin, Pressed, Text
from tests.channels.views import VECTORS, form_request, view

TWILIO = CHANNELS["whatsapp"]
BY_ID = {row["id"]: row for row in VECTORS["twilio_inbound"]}
EXPECTED: dict[str, tuple[str, Input]] = {
    "sms_text": ("message", Text("Hello")),
    "sms_digit_noise": ("message", Text(" 2). \n")),
    "sms_arabic_digits": ("message", Text("٢٥")),
    "sms_stop_service": ("opted_out", Text("Stop")),
    "sms_start_service": ("opted_in", Text("START")),
    "sms_help": ("help_answered", Text("HELP")),
    "sms_mms": ("message", Attachment("photo")),
    "sms_base64_mms": ("message", Text("UsOpcG9uc2UgbG9uZ3Vl4oCm")),
    "wa_text": ("message", Text("Bonjour")),
    "wa_button_template": ("message", Pressed("a:7:q3:1")),
    "wa_list": ("message", Pressed("a:7:q5:9")),
    "wa_location": ("message", Pin(45.764043, 4.835659)),
    "wa_referral": ("message", Text("Je veux m'inscrire")),
    "wa_click_to_chat": ("message", Text("JOIN FR-2026-A1")),
    "wa_bsuid_only": ("message", Text("Hi")),
    "wa_stop": ("message", Text("STOP")),
    "wa_forwarded": ("message", Text("Fwd text")),
}


def arrive(fields: dict[str, str], kind: str = "sms") -> Arrival:
    [arrival] = TWILIO.parse(view(kind), form_request(fields))
    return arrival


@pytest.mark.parametrize("name", BY_ID)
def test_every_vector_is_read_as_it_should_be(name: str) -> None:
    row = BY_ID[name]
    arrival = arrive(row["params"], row["channel"])
    if name in EXPECTED:
        assert (arrival.kind, arrival.input) == EXPECTED[name]
    assert arrival.receipt == row["params"]["MessageSid"]
    assert arrival.address.startswith(("sms:+", "whatsapp:+", "whatsapp-id:"))


def test_numbers_are_bare_and_hidden_numbers_are_none() -> None:
    assert arrive(BY_ID["sms_text"]["params"]).number == "+447700900123"
    assert arrive(BY_ID["wa_text"]["params"]).address == "whatsapp:+33639980123"
    assert arrive(BY_ID["wa_text"]["params"]).number == "+33639980123"
    hidden = arrive(BY_ID["wa_bsuid_only"]["params"])
    assert (hidden.address, hidden.number) == ("whatsapp-id:FR.13491208655302741918", None)


def test_a_number_with_an_id_beside_it_has_the_id_as_alias() -> None:
    fields = BY_ID["wa_text"]["params"] | {"ExternalUserId": "whatsapp:FR.1349"}
    assert arrive(fields).aliases == ("whatsapp-id:FR.1349",)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("audio/ogg", "voice"), ("image/webp", "sticker"), ("text/vcard", "contact"),
        ("video/mp4", "video"), ("application/pdf", "document"), ("", "other"),
    ],
)  # fmt: skip
def test_media_are_told_apart(content_type: str, kind: str) -> None:
    fields = BY_ID["sms_mms"]["params"] | {"MediaContentType0": content_type}
    found = arrive(fields).input
    assert isinstance(found, Attachment)
    assert found.kind == kind
    assert (found.file or "").startswith("/Messages/") == (kind == "voice")


@pytest.mark.parametrize(
    "url",
    [
        "", "not a url", "http://[", "https://evil.example/Media/ME1",
        "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/../../../x",
        "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1/..",
        "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1%2f..",
    ],
)  # fmt: skip
def test_a_recording_that_lies_nowhere_is_not_fetched(url: str) -> None:
    fields = BY_ID["sms_mms"]["params"] | {"MediaContentType0": "audio/ogg", "MediaUrl0": url}
    assert arrive(fields).input == Attachment("voice")


def test_of_a_foreign_host_only_the_name_of_the_recording_is_taken() -> None:
    place = "/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"
    url = f"https://evil.example{place}"
    fields = BY_ID["sms_mms"]["params"] | {"MediaContentType0": "audio/ogg", "MediaUrl0": url}
    assert arrive(fields).input == Attachment("voice", file="/Messages/MM1/Media/ME1")


def test_a_picture_with_words_counts_as_its_words() -> None:
    assert arrive(BY_ID["sms_mms"]["params"] | {"Body": "Lyon"}).input == Text("Lyon")


@pytest.mark.parametrize(
    "sender", ["", "whatsapp:", "whatsapp:nobody", "+", "+44 77", "\x00", "a" * 40]
)
def test_an_unreadable_sender_is_ignored_under_the_messages_receipt(sender: str) -> None:
    arrival = arrive(BY_ID["sms_text"]["params"] | {"From": sender})
    assert (arrival.kind, arrival.address) == ("ignored", "")
    assert arrival.receipt == BY_ID["sms_text"]["params"]["MessageSid"]


@pytest.mark.parametrize("latitude", ["nan", "inf", "91", "x", ""])
def test_an_impossible_place_is_no_pin(latitude: str) -> None:
    fields = BY_ID["wa_location"]["params"] | {"Latitude": latitude}
    assert not isinstance(arrive(fields).input, Pin)


def test_a_get_is_read_from_the_query() -> None:
    request = form_request({}, query=urlencode(BY_ID["sms_text"]["params"]))
    [arrival] = TWILIO.parse(view("sms"), replace(request, method="GET"))
    assert arrival.input == Text("Hello")


def test_the_answer_is_empty_twiml() -> None:
    kind, body = TWILIO.acknowledge([])
    assert kind == "text/xml"
    assert body.endswith(b"<Response/>")


STATUSES = {row["id"]: row for row in VECTORS["status_callbacks"]}
OURS = {"undelivered": "failed", "failed (retryable)": "failed"}


@pytest.mark.parametrize("name", STATUSES)
def test_every_sequence_of_callbacks_ends_where_it_should(name: str) -> None:
    row, state = STATUSES[name], "sending"
    for fields in row["callbacks"]:
        update = Twilio().parse_status(view("sms"), form_request(fields, query="m=0190-ref"))
        assert update is not None
        assert update.reference == "0190-ref"
        if moves_up(state, update.status):
            state = update.status
    if row["final_state"] is not None:
        assert state == OURS.get(row["final_state"], row["final_state"])


@pytest.mark.parametrize("name", STATUSES)
def test_the_order_of_callbacks_does_not_matter_except_which_end_came_first(name: str) -> None:
    rows = STATUSES[name]["callbacks"]
    words = [row["MessageStatus"] for row in rows]
    if len({"delivered", "undelivered", "failed"} & set(words)) > 1:
        return
    updates = [Twilio().parse_status(view("sms"), form_request(row)) for row in reversed(rows)]
    state = "unknown"
    for update in updates:
        assert update is not None
        state = update.status if moves_up(state, update.status) else state
    if STATUSES[name]["final_state"] is not None:
        assert state == OURS.get(STATUSES[name]["final_state"], STATUSES[name]["final_state"])


def test_an_error_code_comes_with_its_action() -> None:
    row = STATUSES["undelivered_unreachable"]["callbacks"][-1]
    update = Twilio().parse_status(view("sms"), form_request(row))
    assert update is not None
    assert update.error_code == "30003"
    error = error_for(30003)
    assert error.retryable
    assert error.retry_after == 900


@pytest.mark.parametrize(
    "fields", [{}, {"MessageSid": "SM1"}, {"MessageSid": "SM1", "MessageStatus": "received"},
               {"MessageStatus": "sent"}, {"MessageSid": "\x00", "MessageStatus": "sent"}],
)  # fmt: skip
def test_a_callback_that_says_nothing_is_none(fields: dict[str, str]) -> None:
    assert Twilio().parse_status(view("sms"), form_request(fields)) is None


def test_statuses_only_move_up() -> None:
    assert moves_up("queued", "sent")
    assert moves_up("unknown", "sent")
    assert moves_up("sent", "delivered")
    assert moves_up("delivered", "read")
    assert not moves_up("delivered", "failed")
    assert not moves_up("failed", "delivered")
    assert not moves_up("failed", "read")
    assert not moves_up("read", "delivered")
    assert not moves_up("sent", "sent")
    assert not moves_up("sent", "nonsense")
