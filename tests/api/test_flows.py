"""Flows through the API: published, refused with places, read back, entered by codes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from flows.loader import library, read
from tests.api.stage import Api, Caller, all_pages, problem
from tests.factories import Factory

Making = Callable[[], AbstractContextManager[Factory]]
POLL: dict[str, Any] = {
    "flow": "passport-hours",
    "kind": "poll",
    "purpose": {"why": "plan opening", "owner": "consular section", "decision": "hours in March"},
    "languages": ["en", "fr"],
    "entry": {"en": ["hours"], "fr": ["horaires"]},
    "questions": [
        {
            "id": "when_open",
            "type": "choice",
            "text": {"en": "When should we be open?", "fr": "Quand ouvrir ?"},
            "options": [
                {"value": "mornings", "label": {"en": "Mornings", "fr": "Le matin"}},
                {"value": "saturday", "label": {"en": "Saturday", "fr": "Samedi"}},
            ],
        }
    ],
}


def test_a_flow_is_published_and_read_back(caller: Caller) -> None:
    answer = caller.post("/flows", POLL)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == "/api/v1/flows/passport-hours"
    assert answer.get_json() | {"version_id": ""} == {
        "id": "passport-hours",
        "version_id": "",
        "version": 1,
        "new": True,
        "warnings": [],
    }
    told = caller.get("/flows/passport-hours").get_json()
    assert told["definition"] == POLL
    assert told["versions"] == [1]
    (code,) = told["entry_codes"]
    assert code["url"] == f"https://line.example/j/{code['code']}"


def test_the_same_flow_is_not_published_twice(caller: Caller) -> None:
    caller.post("/flows", POLL)
    assert caller.post("/flows", POLL).get_json()["new"] is False
    changed = POLL | {"entry": {"en": ["opening"]}}
    assert caller.post("/flows", changed).get_json()["version"] == 2
    (row,) = caller.get("/flows").get_json()["data"]
    assert (row["id"], row["version"], row["languages"]) == ("passport-hours", 2, ["en", "fr"])


def test_a_shipped_flow_can_be_published_as_json(caller: Caller) -> None:
    shipped = dict(read(library()["registration-express"]))
    assert caller.post("/flows", shipped).status_code == 201


def test_a_flow_may_say_all_that_its_file_may(caller: Caller) -> None:
    page = (Path(__file__).parents[2] / "docs/flows.md").read_text(encoding="utf-8")
    table = page.partition("| key of the flow |")[2].partition("\n\n")[0]
    keys = {row.split("`")[1] for row in table.splitlines() if row.startswith("| `")}
    whole = POLL | {"about": {"en": "opening hours"}, "follow_ups": [{"start": "x"}]}
    assert keys == set(whole)
    assert caller.post("/flows", whole).status_code == 201


def test_a_follow_up_to_what_is_not_published_is_warned_of(caller: Caller) -> None:
    follows = POLL | {"follow_ups": [{"start": "saturdays", "after": "3 days"}]}
    [warning] = caller.post("/flows", follows).get_json()["warnings"]
    assert warning["place"] == "follow_ups[0].start"
    assert "saturdays is not published" in warning["problem"]
    back = POLL | {"flow": "saturdays", "entry": {}, "follow_ups": [{"start": POLL["flow"]}]}
    assert caller.post("/flows", back).get_json()["warnings"] == []
    assert caller.post("/flows", follows).get_json()["warnings"] == []


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"kind": "opera"}, "kind"),
        ({"languages": []}, "languages"),
        ({"questions": []}, "questions"),
        ({"purpose": {"why": "x"}}, "purpose.owner"),
        ({"questions": [{"id": "a", "type": "yes_no", "text": {"en": "A?"}}]}, "questions.a.text"),
        ({"questions": [{"id": "a", "type": "opera", "text": {"en": "A?"}}]}, "questions[0].type"),
        ({"kind": "aside"}, "kind"),
        ({"flow": ["no"]}, "flow"),
        ({"questions": 7}, "questions"),
        ({"questions": [None]}, "questions[0]"),
    ],
)
def test_faults_come_with_their_places(caller: Caller, changed: Any, place: str) -> None:
    told = problem(caller.post("/flows", POLL | changed), 422, "flow_invalid")
    assert any(fault["place"].startswith(place) for fault in told["errors"]), told
    assert caller.get("/flows").get_json()["data"] == []


def test_an_unknown_field_is_refused(caller: Caller) -> None:
    told = problem(caller.post("/flows", POLL | {"color": "red"}), 422)
    assert told["errors"] == [{"place": "color", "problem": "Unknown field."}]


def test_entry_codes_are_made_for_offices_and_askers(caller: Caller, making: Making) -> None:
    caller.post("/flows", POLL)
    with making() as make:
        office_id = str(make.office().id)
    order = {"office_id": office_id, "language": "fr", "asker": "association"}
    made = caller.post("/flows/passport-hours/entry-codes", order)
    assert made.status_code == 201, made.text
    assert made.get_json() | order == made.get_json()
    codes = caller.get("/flows/passport-hours").get_json()["entry_codes"]
    assert made.get_json() in codes
    assert len({code["code"] for code in codes}) == 2


def test_an_entry_code_needs_what_exists(caller: Caller) -> None:
    caller.post("/flows", POLL)
    path = "/flows/passport-hours/entry-codes"
    nowhere = {"office_id": "00000000-0000-7000-8000-000000000000"}
    assert problem(caller.post(path, nowhere), 422)["errors"][0]["place"] == "office_id"
    assert problem(caller.post(path, {"language": "xx"}), 422)["errors"][0]["place"] == "language"
    problem(caller.post("/flows/never-published/entry-codes", {}), 404, "not_found")
    problem(caller.get("/flows/%00"), 404, "not_found")


def test_flows_come_in_pages(caller: Caller) -> None:
    names = [f"poll-{letter}" for letter in "abcde"]
    for name in reversed(names):
        caller.post("/flows", POLL | {"flow": name})
    assert [row["id"] for row in all_pages(caller, "/flows")] == names


def test_a_key_that_reads_flows_cannot_publish(api: Api) -> None:
    reader = api.caller("flows:read")
    assert reader.get("/flows").status_code == 200
    problem(reader.post("/flows", POLL), 403, "scope_missing")
