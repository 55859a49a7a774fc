"""Exports: rows for a reason, as tables that no spreadsheet runs, and nothing kept."""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from models import Contact, IdempotencyKey
from models.flow_session import SessionStatus
from services.people.exports import as_csv, inert
from services.rights.mydata import everything
from tests.api.stage import Api, Caller, problem
from tests.conftest import another_organisation
from tests.factories import Factory

Making = Callable[[], AbstractContextManager[Factory]]
WHY = {"Homeline_Reason": "yearly-report"}
FORMULAS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u2212"
BLANKS = " \u00a0\u3000\ufeff\u200b\u200e\u2028\x0b\x0c\x85"
NUMBER = "+447700900123"
QUESTIONS = [{"id": "country"}, {"id": "phone"}, {"id": "purposes"}, {"id": "note"}]


@pytest.fixture
def people(making: Making) -> list[str]:
    """Three who registered, one of whom writes formulas."""
    with making() as make:
        old = make.flow_version(kind="registration", questions=[{"id": "shoe"}])
        version = make.flow_version(2, kind="registration", questions=QUESTIONS)
        sessions = [
            make.flow_session(make.contact(country=country), version, SessionStatus.COMPLETE)
            for country in ("ZA", "KE", "IE")
        ]
        make.answer(sessions[0], "country", "ZA")
        make.answer(sessions[0], "phone", typed=NUMBER)
        make.answer(sessions[0], "note", typed='=HYPERLINK("http://a.example";"x")\n@SUM(1)')
        make.answer(sessions[1], "purposes", ["alerts", "polls"])
        assert old.kind == "registration"
        return [str(session.id) for session in sessions]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_registrations_come_as_a_table(caller: Caller, people: list[str]) -> None:
    answer = caller.post("/exports", {"what": "registrations"}, **WHY)
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/csv")
    assert 'filename="registrations-2026-03-02.csv"' in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    first, second, third = table(answer.text)
    assert [row["id"] for row in (first, second, third)] == people
    assert first["answers.country"] == "ZA"
    assert first["answers.phone"] == f"'{NUMBER}"
    assert first["answers.note"] == '\'=HYPERLINK("http://a.example";"x")\n\'@SUM(1)'
    assert second["answers.purposes"] == "alerts, polls"
    assert third["answers.shoe"] == third["answers.more"] == ""
    assert first["started_at"] == "2026-03-02T09:00:00Z"


def test_every_field_is_quoted_and_lines_end_by_the_standard(
    caller: Caller, people: list[str]
) -> None:
    text = caller.post("/exports", {"what": "contacts"}, **WHY).data.decode()
    assert text.endswith('"\r\n')
    lines = text.removesuffix("\r\n").split("\r\n")
    assert len(lines) == 4
    assert all(line.startswith('"') and line.endswith('"') for line in lines)
    assert {line.count('","') for line in lines} == {lines[0].count('","')}


def test_contacts_come_with_what_is_known_and_without_addresses(
    caller: Caller, making: Making
) -> None:
    with making() as make:
        make.contact(
            address=f"sms:{NUMBER}", country="ZA", rest={"f.shoe": "sandal"}, consents=["a", "b"]
        )
    text = caller.post("/exports", {"what": "contacts"}, **WHY).text
    (row,) = table(text)
    assert (row["profile.country"], row["consents"]) == ("ZA", "a, b")
    assert row["profile.more"] == '{"f.shoe": "sandal"}'
    assert NUMBER not in text


def test_json_has_the_rows_of_the_list_unchanged(caller: Caller, people: list[str]) -> None:
    order = {"what": "registrations", "format": "json"}
    told = caller.post("/exports", order, **WHY).get_json()
    assert (told["what"], told["rows"], told["next_cursor"]) == ("registrations", 3, None)
    assert told["data"] == caller.get("/registrations").get_json()["data"]


def test_the_mark_for_spreadsheets_is_there_when_asked_for(
    caller: Caller, people: list[str]
) -> None:
    for bom in (True, False):
        answer = caller.post("/exports", {"what": "contacts", "bom": bom}, **WHY)
        assert answer.data.startswith(b"\xef\xbb\xbf") is bom


@pytest.mark.parametrize("form", ["csv", "json"])
def test_parts_follow_each_other_with_the_same_columns(
    caller: Caller, people: list[str], form: str
) -> None:
    seen, headers, cursor = [], set(), None
    while True:
        order = {"what": "registrations", "format": form, "limit": 1, "cursor": cursor}
        answer = caller.post("/exports", order, **WHY)
        if form == "csv":
            rows: list[dict[str, str]] = table(answer.text)
            headers.add(answer.text.partition("\r\n")[0])
            cursor = answer.headers.get("Homeline-Next-Cursor")
        else:
            rows, cursor = answer.get_json()["data"], answer.get_json()["next_cursor"]
        seen += [row["id"] for row in rows]
        if cursor is None:
            break
    assert seen == people
    assert len(headers) == (form == "csv")


def test_a_cursor_serves_one_kind_of_rows(caller: Caller, people: list[str]) -> None:
    order = {"what": "registrations", "format": "json", "limit": 1}
    cursor = caller.post("/exports", order, **WHY).get_json()["next_cursor"]
    refused = caller.post("/exports", {"what": "contacts", "cursor": cursor}, **WHY)
    assert problem(refused, 422)["errors"][0]["place"] == "cursor"


def test_filters_are_those_of_the_lists(caller: Caller, people: list[str]) -> None:
    def rows(what: str, **filters: str) -> int:
        order = {"what": what, "filters": filters, "format": "json"}
        return int(caller.post("/exports", order, **WHY).get_json()["rows"])

    assert rows("contacts", country="ZA") == 1
    assert rows("contacts", seen_after="2026-03-02T09:00:00Z") == 0
    assert rows("registrations", status="complete") == 3
    assert rows("registrations", flow="another") == 0
    for filters in ({"contry": "ZA"}, {"limit": 7}, {"cursor": "x"}, {"country": 7}):
        order = {"what": "contacts", "filters": filters}
        told = problem(caller.post("/exports", order, **WHY), 422)
        assert told["errors"][0]["place"].startswith("filters.")
    wrong: list[dict[str, object]] = [
        {"what": "messages"},
        {"limit": 5001},
        {"format": "xlsx"},
        {"filters": []},
    ]
    for changed in wrong:
        problem(caller.post("/exports", {"what": "contacts"} | changed, **WHY), 422)


def test_an_export_needs_two_scopes_and_a_reason(api: Api) -> None:
    order = {"what": "contacts"}
    problem(api.caller("people:read").post("/exports", order, **WHY), 403, "scope_missing")
    problem(api.caller("people:export").post("/exports", order, **WHY), 403, "scope_missing")
    both = api.caller("people:export", "people:read")
    problem(both.post("/exports", order), 422, "reason_missing")
    assert both.post("/exports", order, **WHY).status_code == 200


def test_each_export_is_recorded_and_its_people_can_see_it(
    caller: Caller, people: list[str], making: Making
) -> None:
    for filters in ({}, {"status": "stopped"}):
        caller.post("/exports", {"what": "registrations", "filters": filters}, **WHY)
    full, none = caller.get("/audit?action=registrations.exported").get_json()["data"]
    assert full["actor_id"] == str(caller.key_id)
    assert full["detail"] == {
        "rows": 3,
        "first": people[0],
        "last": people[2],
        "format": "csv",
        "reason": "yearly-report",
    }
    assert none["detail"] == {"rows": 0, "format": "csv", "reason": "yearly-report"}
    with making() as make:
        contact_id = make.db.scalars(select(Contact.id).order_by(Contact.id)).first()
        assert contact_id is not None
        rows = everything(make.db, make.keyring, make.keys, contact_id)
    viewed = [(one["action"], one["reason"]) for one in rows["audit_events"]]
    assert viewed == [("registrations.exported", "yearly-report")]


def test_nothing_of_an_export_is_kept(caller: Caller, people: list[str], making: Making) -> None:
    more = WHY | {"Idempotency_Key": "one"}
    first = caller.post("/exports", {"what": "contacts"}, **more)
    again = caller.post("/exports", {"what": "contacts"}, **more)
    assert first.data == again.data
    assert "Idempotency-Replayed" not in again.headers
    with making() as make:
        assert make.db.scalars(select(IdempotencyKey)).first() is None
    assert len(caller.get("/audit?action=contacts.exported").get_json()["data"]) == 2


def test_another_organisation_exports_nothing_of_ours(
    api: Api, people: list[str], keyring: object
) -> None:
    stranger = another_organisation(api.engine, keyring, api.clock.now(), "Another")  # type: ignore[arg-type]
    theirs = api.caller("*", organisation=stranger)
    for what in ("contacts", "registrations"):
        answer = theirs.post("/exports", {"what": what}, **WHY)
        assert table(answer.text) == []
        assert "answers.country" not in answer.text


# --- cells ---


@pytest.mark.parametrize("start", FORMULAS)
@pytest.mark.parametrize(
    "before", ["", " ", "\ufeff", "\u200b \u00a0", "\U00018cd6", "\ue000", '"', ' "" ']
)
def test_a_formula_becomes_text(start: str, before: str) -> None:
    assert inert(f"{before}{start}1") == f"'{before}{start}1"


@pytest.mark.parametrize("start", "\t\r\n")
def test_a_cell_never_begins_with_a_break(start: str) -> None:
    assert inert(f"{start}word") == f"'{start}word"
    assert inert(f" {start}word") == f"' {start}word"


@pytest.mark.parametrize("cell", ["", "Amal", "a=b", "x - y", "1-2", "me@a.example", "'+1", "  "])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert inert(cell) == cell


def _cells(text: str, separator: str) -> Iterator[str]:
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        yield from row


def _begins_a_formula(cell: str) -> bool:
    for letter in cell:
        if letter in FORMULAS:
            return True
        if letter not in BLANKS and not unicodedata.category(letter).startswith(("Z", "C")):
            return False
    return False


TEXT = st.text(alphabet=st.sampled_from(FORMULAS + BLANKS + "\t\r\n;,\"'|a1م")) | st.text()


@given(rows=st.lists(st.lists(TEXT, min_size=1, max_size=3), max_size=4), bom=st.booleans())
def test_no_cell_of_any_table_is_a_formula_whatever_the_reader_splits_at(
    rows: list[list[str]], bom: bool
) -> None:
    columns = ["a", "b", "c"]
    told = as_csv(columns, [dict(zip(columns, row, strict=False)) for row in rows], bom=bom)
    for separator in ",;\t":
        assert not [cell for cell in _cells(told, separator) if _begins_a_formula(cell)]
    read = list(csv.reader(io.StringIO(told.removeprefix("\ufeff"), newline=""), strict=True))
    assert len(read) == len(rows) + 1
    for row, cells in zip(rows, read[1:], strict=True):
        for given_, cell in zip([*row, "", ""], cells, strict=False):
            assert cell.replace("'", "") == given_.replace("'", "")
            assert not cell.startswith(("\t", "\r", "\n"))
