"""Polls through the API: drafted, translated, opened, closed and reported back on."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.stage import Api, Caller, all_pages, problem
from tests.api.test_flows import POLL
from tests.conftest import BEGINNING

UNTRANSLATED: dict[str, Any] = POLL | {
    "questions": [POLL["questions"][0] | {"text": {"en": "When should we be open?"}}]
}
WEEK = BEGINNING + timedelta(days=7)


def drafted(caller: Caller, **changed: Any) -> dict[str, Any]:
    """A draft of the made-up poll."""
    answer = caller.post("/polls", {"flow": POLL} | changed)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def opened(caller: Caller, **changed: Any) -> dict[str, Any]:
    """An open poll."""
    answer = caller.post(f"/polls/{drafted(caller, **changed)['id']}/open", {})
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def test_a_poll_is_a_draft_with_its_code_and_its_promise(caller: Caller) -> None:
    answer = caller.post("/polls", {"flow": POLL, "closes_at": WEEK.isoformat()})
    poll = answer.get_json()
    assert answer.headers["Location"] == f"/api/v1/polls/{poll['id']}"
    assert poll["status"] == "draft"
    assert poll["mode"] == "named"
    assert poll["purpose"] == POLL["purpose"]
    assert poll["definition"] == POLL
    assert poll["url"] == f"https://line.example/j/{poll['code']}"
    assert poll["result_url"] == f"https://line.example/r/{poll['code']}"
    assert poll["report_back_on"] == (WEEK + timedelta(days=28)).date().isoformat()
    assert caller.get(f"/polls/{poll['id']}").get_json() == poll


def test_a_poll_may_ask_a_published_flow(caller: Caller) -> None:
    caller.post("/flows", POLL)
    first = drafted(caller, flow="passport-hours")
    second = drafted(caller, flow="passport-hours", previous_id=first["id"])
    assert first["flow_version_id"] == second["flow_version_id"]
    assert first["code"] != second["code"]
    told = problem(caller.post("/polls", {"flow": "never-published"}), 422)
    assert told["errors"][0]["place"] == "flow"


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"flow": {"flow": "x", "kind": "opera"}}, "flow.kind"),
        ({"flow": POLL | {"kind": "module"}}, "flow.kind"),
        ({"flow": POLL | {"purpose": {"why": "x", "owner": "y"}}}, "flow.purpose.decision"),
        ({"flow": POLL | {"questions": [{"id": "a", "type": "opera"}]}}, "flow.questions[0].type"),
        ({"audience": {"shoe_size": 44}}, "audience.shoe_size"),
        ({"breakdowns": [["country", "country"]]}, "breakdowns"),
        ({"breakdowns": [["shoe_size"]]}, "breakdowns"),
        ({"askers": [{"kind": "leader", "name": {"en": "A leader"}}]}, "askers"),
        ({"flow": POLL | {"entry": {"en": ["stop"]}}}, "flow.entry.en"),
        ({"flow": POLL | {"entry": {"en": ["2"]}}}, "flow.entry.en"),
        ({"closes_at": BEGINNING.isoformat()}, "closes_at"),
        ({"closes_at": "2027-01-31T18:00:00"}, "closes_at"),
        ({"closes_at": "9999-12-31T23:59:59Z"}, "closes_at"),
        ({"opens_at": "9999-12-31T23:59:59Z"}, "opens_at"),
        ({"report_back_on": "2020-01-01"}, "report_back_on"),
        ({"office_id": "00000000-0000-7000-8000-000000000000"}, "office_id"),
        ({"previous_id": "00000000-0000-7000-8000-000000000000"}, "previous_id"),
        ({"quota": 0}, "quota"),
        ({"mode": "public"}, "mode"),
        ({"flow": 7}, "flow"),
        ({"mode": "secret", "breakdowns": [["country"]]}, "breakdowns"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_place(
    caller: Caller, changed: dict[str, Any], place: str
) -> None:
    told = problem(caller.post("/polls", {"flow": POLL} | changed), 422)
    assert [fault["place"] for fault in told["errors"]] == [place]
    assert caller.get("/polls").get_json()["data"] == []


def test_a_word_of_two_polls_is_told_when_saved_looked_at_and_opened(caller: Caller) -> None:
    first = opened(caller)
    assert first["warnings"] == []
    second = drafted(caller, flow=POLL | {"flow": "other-hours"}, audience={"all": []})
    for told in (
        second,
        caller.post(f"/polls/{second['id']}/dry-run", {}).get_json(),
        caller.post(f"/polls/{second['id']}/open", {}).get_json(),
        caller.get(f"/polls/{second['id']}").get_json(),
    ):
        assert [one["place"] for one in told["warnings"]] == ["flow.entry.en", "flow.entry.fr"]
        assert f"(code {first['code'].upper()}), open until " in told["warnings"][0]["problem"]
    elsewhere = {"entry": {"en": ["opening"], "fr": ["ouverture"]}}
    third = drafted(caller, flow=POLL | {"flow": "third"} | elsewhere)
    assert third["warnings"] == []


def test_a_poll_has_at_most_five_questions(caller: Caller) -> None:
    many = [POLL["questions"][0] | {"id": f"q{n}"} for n in range(6)]
    told = problem(caller.post("/polls", {"flow": POLL | {"questions": many}}), 422)
    assert told["errors"][0] == {
        "place": "flow.questions",
        "problem": "A poll has 1 to 5 questions; this one has 6. One is the norm.",
    }


def test_a_secret_poll_has_one_choice_and_does_not_open_without_a_ballot_box(
    caller: Caller,
) -> None:
    text = {"id": "why", "type": "text", "text": {"en": "Why?", "fr": "Pourquoi ?"}}
    two = POLL | {"questions": [*POLL["questions"], text]}
    told = problem(caller.post("/polls", {"flow": two, "mode": "secret"}), 422)
    assert told["errors"][0]["place"] == "mode"
    poll = drafted(caller, mode="secret")
    problem(caller.post(f"/polls/{poll['id']}/open", {}), 503)
    assert caller.get(f"/polls/{poll['id']}").get_json()["status"] == "draft"


def test_a_draft_can_be_changed_and_an_open_poll_cannot(caller: Caller) -> None:
    poll = drafted(caller, audience={"country": "ZA"}, quota=100)
    changed = caller.patch(f"/polls/{poll['id']}", {"quota": None, "breakdowns": [["country"]]})
    assert changed.status_code == 200, changed.text
    told = changed.get_json()
    assert (told["quota"], told["breakdowns"]) == (None, [["country"]])
    assert told["audience"] == {"country": "ZA"}
    assert told["flow_version_id"] == poll["flow_version_id"]
    caller.post(f"/polls/{poll['id']}/open", {})
    problem(caller.patch(f"/polls/{poll['id']}", {"mode": "secret"}), 409)


def test_missing_texts_are_listed_and_stop_the_opening_unless_wanted(caller: Caller) -> None:
    poll = drafted(caller, flow=UNTRANSLATED)
    missing = {one["language"]: one["places"] for one in poll["missing_languages"]}
    assert missing == {"fr": ["questions.when_open.text"], "es": [], "pt": [], "ar": []}
    told = problem(caller.post(f"/polls/{poll['id']}/open", {}), 422, "not_translated")
    assert told["errors"] == [
        {"place": "flow.questions.when_open.text.fr", "problem": "is not translated"}
    ]
    answer = caller.post(f"/polls/{poll['id']}/open", {"allow_missing_languages": True})
    assert answer.get_json()["status"] == "open"


def test_a_poll_opens_without_a_body_and_only_once(caller: Caller) -> None:
    poll = drafted(caller)
    path = f"/api/v1/polls/{poll['id']}/open"
    answer = caller.client.post(path, headers=caller.headers({}))
    assert answer.status_code == 202, answer.text
    told = answer.get_json()
    assert told["status"] == "open"
    assert told["closes_at"] == WEEK.isoformat().replace("+00:00", "Z")
    assert problem(caller.post(f"/polls/{poll['id']}/open", {}), 409)["detail"] == (
        "It is open already."
    )


def test_closing_needs_what_will_be_done_or_a_date(caller: Caller) -> None:
    poll = opened(caller)
    path = f"/polls/{poll['id']}/close"
    assert problem(caller.post(path, {}), 422)["errors"][0]["place"] == "report_back"
    wrong = {"report_back": {"fr": "Nous ouvrons."}}
    assert problem(caller.post(path, wrong), 422)["errors"][0]["place"] == "report_back"
    half = problem(caller.post(path, {"report_back": {"en": "We open."}}), 422)
    assert (half["code"], half["errors"]) == (
        "not_translated",
        [{"place": "report_back.fr", "problem": "is missing"}],
    )
    words = {"en": "From 1 March we open on Saturdays.", "fr": "Le samedi dès le 1er mars."}
    closed = caller.post(path, {"report_back": words})
    assert closed.status_code == 202, closed.text
    told = closed.get_json()
    assert (told["status"], told["report_back"], told["overdue"]) == ("closed", words, False)
    assert told["closed_at"] == told["reported_at"]
    problem(caller.post(f"/polls/{poll['id']}/report-back", {"report_back": words}), 409)


def test_a_promise_is_kept_later_or_told_to_be_overdue(api: Api) -> None:
    caller = api.caller("polls:read", "polls:write")
    poll = opened(caller)
    promised = (BEGINNING + timedelta(days=10)).date().isoformat()
    both = {"later_by": promised, "report_back": {"en": "We open on Saturdays."}}
    problem(caller.post(f"/polls/{poll['id']}/close", both), 422)
    told = caller.post(f"/polls/{poll['id']}/close", {"later_by": promised}).get_json()
    assert (told["later_by"], told["overdue"], told["reported_at"]) == (promised, False, None)
    api.clock.advance(timedelta(days=11))
    late = api.caller("polls:read", "polls:write")
    assert late.get(f"/polls/{poll['id']}").get_json()["overdue"] is True
    words = {"en": "We open on Saturdays."}
    path = f"/polls/{poll['id']}/report-back"
    assert problem(late.post(path, {"report_back": words}), 422)["code"] == "not_translated"
    done = late.post(path, {"report_back": words, "allow_missing_languages": True})
    assert done.status_code == 202, done.text
    assert (done.get_json()["overdue"], done.get_json()["report_back"]) == (False, words)


def test_a_canceled_poll_stays_canceled(caller: Caller) -> None:
    poll = opened(caller)
    assert caller.post(f"/polls/{poll['id']}/cancel", {}).get_json()["status"] == "canceled"
    for verb in ("open", "cancel", "close"):
        body = {"later_by": WEEK.date().isoformat()} if verb == "close" else {}
        problem(caller.post(f"/polls/{poll['id']}/{verb}", body), 409)


def test_polls_come_in_pages_and_by_status(caller: Caller) -> None:
    made = [drafted(caller)["id"] for _ in range(3)]
    caller.post(f"/polls/{made[1]}/open", {})
    assert [row["id"] for row in all_pages(caller, "/polls")] == made
    (row,) = caller.get("/polls?status=open").get_json()["data"]
    assert row["id"] == made[1]


def test_every_step_is_in_the_audit_chain(caller: Caller) -> None:
    poll = opened(caller)
    caller.patch(f"/polls/{poll['id']}", {"quota": 5})
    caller.post(f"/polls/{poll['id']}/close", {"later_by": WEEK.date().isoformat()})
    told = caller.get(f"/audit?subject_id={poll['id']}").get_json()["data"]
    assert [row["action"] for row in told] == [
        "ask.created",
        "ask.open",
        "ask.closing",
        "ask.closed",
    ]


def test_a_key_that_reads_polls_cannot_make_them(api: Api) -> None:
    reader = api.caller("polls:read")
    assert reader.get("/polls").status_code == 200
    problem(reader.post("/polls", {"flow": POLL}), 403, "scope_missing")


def test_a_poll_made_twice_under_one_key_is_made_once(caller: Caller) -> None:
    first = caller.post("/polls", {"flow": POLL}, Idempotency_Key="one")
    again = caller.post("/polls", {"flow": POLL}, Idempotency_Key="one")
    assert first.get_json() == again.get_json()
    assert len(caller.get("/polls").get_json()["data"]) == 1
