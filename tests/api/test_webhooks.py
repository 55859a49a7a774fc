"""Endpoints are added, tried, rotated and removed over the API; secrets are shown once."""

from datetime import timedelta
from typing import Any

import pytest

from models import ContactStatus
from services.webhooks.webhooks import ABOUT_NOBODY, EVENTS
from tests.api.stage import Api, Caller, all_pages, problem

WANTED = {"url": "https://hooks.example.org/homeline", "events": ["contact.erased"]}


@pytest.fixture
def webhook(caller: Caller) -> str:
    answer = caller.post("/webhooks", WANTED)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["id"])


def test_a_secret_is_in_one_answer_only(caller: Caller) -> None:
    added = caller.post("/webhooks", WANTED).get_json()
    assert added["secret"].startswith("whsec_")
    assert added["url"] == WANTED["url"]
    assert (added["status"], added["reason"], added["failing_since"]) == ("active", None, None)
    listed = caller.get("/webhooks").get_json()["data"]
    assert listed == [{name: value for name, value in added.items() if name != "secret"}]
    assert caller.get(f"/webhooks/{added['id']}").get_json() == listed[0]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "https://127.0.0.1:9000/",
        "https://localhost/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://user:secret@example.org/",
        "ftp://example.org/",
        "",
    ],
)
def test_what_leads_home_is_refused(caller: Caller, url: str) -> None:
    problem(caller.post("/webhooks", WANTED | {"url": url}), 422)


@pytest.mark.parametrize("events", [[], ["everything"], "contact.erased", ["webhook.test"]])
def test_events_are_of_the_list(caller: Caller, events: object) -> None:
    problem(caller.post("/webhooks", WANTED | {"events": events}), 422)


def test_in_development_an_endpoint_may_be_on_this_machine(caller: Caller) -> None:
    here = WANTED | {"url": "http://127.0.0.1:9000/"}
    assert caller.post("/webhooks", here).status_code == 201
    told = problem(caller.post("/webhooks", WANTED | {"url": "http://hooks.example.org/"}), 422)
    assert "http is for this machine alone" in told["errors"][0]["problem"]


def test_a_test_is_logged_until_it_is_told(api: Api, caller: Caller, webhook: str) -> None:
    answer = caller.post(f"/webhooks/{webhook}/test", {})
    assert answer.status_code == 202
    [logged] = caller.get(f"/webhooks/{webhook}/deliveries").get_json()["data"]
    assert logged == answer.get_json()
    assert logged["payload"]["data"] == {"webhook_id": webhook}
    assert (logged["type"], logged["status"], logged["attempts"]) == ("webhook.test", "waiting", 0)


def test_the_log_comes_newest_first_in_pages(api: Api, caller: Caller, webhook: str) -> None:
    made = []
    for _ in range(5):
        made.append(caller.post(f"/webhooks/{webhook}/test", {}).get_json()["id"])
        api.clock.advance(timedelta(seconds=1))
    listed = [row["id"] for row in all_pages(caller, f"/webhooks/{webhook}/deliveries")]
    assert listed == made[::-1]


def test_rotating_shows_a_new_secret(caller: Caller) -> None:
    added = caller.post("/webhooks", WANTED).get_json()
    rotated = caller.post(f"/webhooks/{added['id']}/rotate", {}).get_json()
    assert rotated["secret"] != added["secret"]


def test_enabling_what_is_active_changes_nothing(caller: Caller, webhook: str) -> None:
    assert caller.post(f"/webhooks/{webhook}/enable", {}).get_json()["status"] == "active"


def test_a_removed_webhook_is_gone(caller: Caller, webhook: str) -> None:
    assert caller.delete(f"/webhooks/{webhook}").status_code == 204
    problem(caller.get(f"/webhooks/{webhook}"), 404)
    actions = [row["action"] for row in all_pages(caller, "/audit")]
    assert [one for one in actions if one.startswith("webhook")] == [
        "webhook.added", "webhook.removed",
    ]  # fmt: skip


def test_reading_is_no_right_to_write(api: Api, webhook: str) -> None:
    reader = api.caller("webhooks:read")
    assert reader.get("/webhooks").status_code == 200
    problem(reader.post("/webhooks", WANTED), 403)
    problem(reader.post(f"/webhooks/{webhook}/rotate", {}), 403)


def test_events_about_people_need_the_right_to_read_people(api: Api, caller: Caller) -> None:
    writer = api.caller("webhooks:read", "webhooks:write")
    for event in EVENTS:
        answer = writer.post("/webhooks", WANTED | {"events": [event]})
        assert answer.status_code == (201 if event in ABOUT_NOBODY else 403), event
    reader = api.caller("webhooks:write", "people:read")
    assert reader.post("/webhooks", WANTED | {"events": ["poll.answered"]}).status_code == 201


def test_the_log_shows_people_to_whoever_may_read_them(
    api: Api, caller: Caller, making: Any
) -> None:
    wanted = WANTED | {"events": ["contact.stopped", "poll.opened"]}
    webhook = caller.post("/webhooks", wanted).get_json()["id"]
    with making() as make:
        make.contact(consented=True).status = ContactStatus.STOPPED
    told = {one["type"] for one in all_pages(caller, f"/webhooks/{webhook}/deliveries")}
    clerk = api.caller("webhooks:read")
    assert told == {"contact.stopped"}
    assert list(all_pages(clerk, f"/webhooks/{webhook}/deliveries")) == []
