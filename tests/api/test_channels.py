"""Channels: added, listed, their credentials never told."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.api.stage import Caller, all_pages, problem
from tests.factories import Factory

Making = Callable[[], AbstractContextManager[Factory]]
TOKEN = "1001:made-up-token-of-a-bot"
TELEGRAM: dict[str, Any] = {
    "kind": "telegram",
    "name": "Our bot",
    "credentials": {"token": TOKEN},
}
SMS: dict[str, Any] = {
    "kind": "sms",
    "name": "Our number",
    "sender": "+15005550006",
    "credentials": {"account_sid": "AC0123", "auth_token": "made-up-auth"},
}


def test_a_bot_is_added_and_its_secret_shown_once(caller: Caller) -> None:
    made = caller.post("/channels", TELEGRAM)
    assert made.status_code == 201, made.text
    told = made.get_json()
    assert told["url"] == f"https://line.example/webhooks/telegram/{told['key']}"
    assert len(told["secret"]) >= 32
    listed = caller.get("/channels")
    (row,) = listed.get_json()["data"]
    assert row == {name: value for name, value in told.items() if name != "secret"}
    assert TOKEN not in made.text + listed.text
    assert told["secret"] not in listed.text


def test_a_number_is_added_with_its_usual_stop_reply(caller: Caller) -> None:
    told = caller.post("/channels", SMS).get_json()
    assert told["stop_reply"] == "provider"
    assert told["status_url"] == f"https://line.example/webhooks/twilio/{told['key']}/status"
    assert "secret" not in told
    whatsapp = caller.post("/channels", SMS | {"kind": "whatsapp"}).get_json()
    assert whatsapp["stop_reply"] == "ours"
    assert [row["kind"] for row in all_pages(caller, "/channels", limit=1)] == ["sms", "whatsapp"]


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"kind": "simulator"}, "kind"),
        ({"credentials": {}}, "credentials.token"),
        ({"credentials": {"token": TOKEN, "auth_token": "x"}}, "credentials.auth_token"),
        ({"credentials": {"token": TOKEN, "secret": "short"}}, "credentials.secret"),
        ({"name": ""}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"default_language": "xx"}, "default_language"),
        ({"rate": 0}, "rate"),
        ({"rate": "NaN"}, "rate"),
        ({"key": "chosen"}, "key"),
        ({"status": "stopped"}, "status"),
    ],
)
def test_what_does_not_fit_is_refused(caller: Caller, changed: Any, place: str) -> None:
    told = problem(caller.post("/channels", TELEGRAM | changed), 422)
    assert place in [fault["place"] for fault in told["errors"]]
    assert TOKEN not in str(told)


def test_twilio_needs_a_sender(caller: Caller) -> None:
    told = problem(caller.post("/channels", SMS | {"sender": ""}), 422)
    assert told["errors"][0]["place"] == "sender"


def test_the_organisation_is_told_with_its_offices(caller: Caller, making: Making) -> None:
    with making() as make:
        make.office("Consulate in Cape Town", ["ZA", "NA"])
    told = caller.get("/organisation").get_json()
    assert told["name"] == "Made-up Consulate"
    assert told["languages"][0] == told["default_language"] == "en"
    assert [(one["name"], one["countries"]) for one in told["offices"]] == [
        ("Consulate in Cape Town", ["ZA", "NA"])
    ]
