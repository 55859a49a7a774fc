"""An organisation set up by API alone; a person writes by webhook; the API tells what they said."""

from typing import Any

from flows.loader import library, read
from tests.api.stage import Api, Caller
from tests.api.test_channels import TELEGRAM

SECRET = "made-up-secret-of-the-webhook"


def _say(api: Api, url: str, number: int, words: str) -> None:
    """One message of one person, as Telegram delivers it."""
    person = {"id": 4242, "is_bot": False, "first_name": "Amal", "language_code": "fr"}
    update: dict[str, Any] = {
        "update_id": number,
        "message": {
            "message_id": number,
            "date": int(api.clock.now().timestamp()),
            "chat": {"id": 4242, "type": "private", "first_name": "Amal"},
            "from": person,
            "text": words,
        },
    }
    answer = api.app.test_client().post(
        url.removeprefix("https://line.example"),
        json=update,
        headers={"X-Telegram-Bot-Api-Secret-Token": SECRET},
    )
    assert answer.status_code == 200, answer.text


def test_a_person_registers_and_the_api_tells_it(api: Api, caller: Caller) -> None:
    flow = dict(read(library()["registration-express"]))
    assert caller.post("/flows", flow).status_code == 201
    order = TELEGRAM | {"credentials": TELEGRAM["credentials"] | {"secret": SECRET}}
    url = caller.post("/channels", order).get_json()["url"]
    for number, words in enumerate(["/start", "Français", "oui", "Afrique du Sud"], start=1):
        _say(api, url, number, words)
    _say(api, url, 4, "Afrique du Sud")
    (row,) = caller.get("/registrations").get_json()["data"]
    assert (row["flow"], row["status"], row["channel"]) == (flow["flow"], "partial", "telegram")
    assert row["language"] == "fr"
    assert row["answers"]["country"] == "ZA"
    (consent,) = caller.get("/consents").get_json()["data"]
    assert (consent["purpose"], consent["action"]) == ("registration", "granted")
    assert len(consent["text_sha256"]) == 64
    messages = caller.get(f"/messages?contact_id={row['contact_id']}").get_json()["data"]
    assert [one["text"] for one in messages if one["direction"] == "in"] == [
        "/start",
        "Français",
        "oui",
        "Afrique du Sud",
    ]
    spoken = [one["text"] for one in messages if one["direction"] == "out"]
    assert len(spoken) == 4
    assert "Dans quel pays" in spoken[2]
    (contact,) = caller.get("/contacts").get_json()["data"]
    assert contact["profile"]["country"] == "ZA"
    assert contact["consents"] == ["registration"]
