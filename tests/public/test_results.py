"""/r/<code>: what came of an ask, told to everybody on any phone; nobody stands out."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from flows.wording import LANGUAGES
from models import AskMode, AskStatus
from models.walls import DoorKind, open_door
from public.result_words import _TEXTS
from tests.answered import NEEDS, WHY, answer, split, version
from tests.asks import ask
from tests.conftest import MovedByHand, Urls
from tests.factories import Factory
from tests.web import served

Making = Callable[..., AbstractContextManager[Factory]]
WEEK = timedelta(days=7)


@pytest.fixture
def client(urls: Urls, engine: Engine, clock: MovedByHand, tmp_path: Path) -> Iterator[FlaskClient]:
    with served(urls, tmp_path, clock) as app:
        yield app.test_client()


def answered(making: Making, counts: Mapping[str, int], *more: Any, **changed: Any) -> str:
    """An ask with so many answers from South Africa and from Ireland; the path of its result."""
    with making() as make:
        given = {"closed_at": make.now, "closes_at": make.now + WEEK} | changed
        asked = ask(make, version=version(make, *more), **given)
        open_door(make.db, DoorKind.ASK, asked.code, make.organisation_id, asked.id)
        for country in ("ZA", "IE"):
            answer(make, asked, split(**counts), country=country)
        return f"/r/{asked.code}"


CLEAR = {"mornings": 40, "saturday": 25, "evenings": 15}


def closed(making: Making, **changed: Any) -> str:
    return answered(making, CLEAR, status=AskStatus.CLOSED, **changed)


def test_the_page_tells_the_question_its_shares_and_their_numbers(
    client: FlaskClient, making: Making
) -> None:
    page = client.get(closed(making))
    assert page.status_code == 200
    for told in ("When should we be open?", "160 answers", "50%", "<small>80</small>", "Mornings"):
        assert told in page.text, told
    assert "script" not in page.text
    assert page.headers["Cache-Control"] == "public, max-age=15"


def test_questions_name_the_organisation_as_in_the_chat(
    client: FlaskClient, making: Making
) -> None:
    needs = {**NEEDS, "text": {"en": "What do you need of {organisation}?"}}
    path = answered(making, CLEAR, needs, status=AskStatus.CLOSED)
    told = client.get(f"{path}.json").get_json()["texts"]["needs"]["en"]
    assert told.startswith("What do you need of ")
    assert told in client.get(path).text
    assert "{" not in told


def test_before_ten_answers_there_is_a_kind_word(client: FlaskClient, making: Making) -> None:
    page = client.get(answered(making, {"mornings": 4}))
    assert "Not yet 10 answers." in page.text
    assert "0%" not in page.text


def test_while_it_runs_the_page_says_of_when_it_is(client: FlaskClient, making: Making) -> None:
    page = client.get(answered(making, CLEAR))
    assert "Open until \u20689 March 2026\u2069" in page.text
    assert "the newest are not yet" in page.text


def test_a_hidden_option_is_named_without_a_number(client: FlaskClient, making: Making) -> None:
    counts = {"mornings": 40, "saturday": 25, "evenings": 2}
    page = client.get(answered(making, counts, status=AskStatus.CLOSED))
    assert page.text.count("not shown") == 2
    assert "Evenings" in page.text


def test_a_secret_poll_is_shown_at_its_end(client: FlaskClient, making: Making) -> None:
    page = client.get(answered(making, CLEAR, mode=AskMode.SECRET))
    assert "Shown when the poll is closed." in page.text
    assert "%" not in page.text.partition("</h1>")[2].partition("</section>")[0]


def test_a_question_asked_of_some_waits_for_the_end(client: FlaskClient, making: Making) -> None:
    page = client.get(answered(making, CLEAR, WHY))
    assert "Why Saturday?" in page.text
    assert "Shown when the poll is closed." in page.text


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"report_back": {"en": "We open on Saturdays from May."}}, "We open on Saturdays"),
        ({"later_by": date(2026, 6, 1)}, "We will say it here by \u20681 June 2026\u2069."),
        (
            {"report_back_on": date(2026, 2, 1)},
            "Overdue. We promised to say it by \u20681 February 2026",
        ),
    ],
)
def test_what_will_be_done_is_said_promised_or_overdue(
    client: FlaskClient, making: Making, changed: Mapping[str, Any], told: str
) -> None:
    assert told in client.get(closed(making, **changed)).text


def test_breakdowns_have_the_names_members_know(client: FlaskClient, making: Making) -> None:
    page = client.get(closed(making, breakdowns=[["country"]]))
    assert "By country" in page.text
    assert "South Africa" in page.text
    assert "80 answers" in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_the_readers_language(
    client: FlaskClient, making: Making, language: str
) -> None:
    page = client.get(closed(making) + f"?lang={language}").text
    assert f'lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in page
    assert _TEXTS["next"][LANGUAGES.index(language)] in page


def test_without_a_choice_the_page_speaks_what_the_browser_does(
    client: FlaskClient, making: Making
) -> None:
    page = client.get(closed(making), headers={"Accept-Language": "ar, en;q=0.5"})
    assert "متى نفتح؟" in page.text
    assert page.headers["Vary"] == "Accept-Language"


def test_every_sentence_is_in_every_language() -> None:
    for name, texts in _TEXTS.items():
        assert len(texts) == len(LANGUAGES), name
        assert all(texts), name


def test_the_result_as_json(client: FlaskClient, making: Making) -> None:
    told = client.get(closed(making) + ".json").get_json()
    assert told["questions"][0]["options"][0] == {"value": "mornings", "count": 80, "share": 50}
    assert told["texts"]["when_open"]["fr"] == "Quand ouvrir ?"
    assert "askers" not in told


def test_the_result_as_a_table(client: FlaskClient, making: Making) -> None:
    answer = client.get(closed(making, breakdowns=[["country"]]) + ".csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert (rows[0]["option"], rows[0]["label"], rows[0]["count"]) == ("mornings", "Mornings", "80")
    countries = [row for row in rows if row["by"] == "country" and row["row"] == "ZA"]
    assert [row["count"] for row in countries] == ["40", "25", "15"]


def test_the_table_begins_with_the_mark_spreadsheets_know_utf_8_by(
    client: FlaskClient, making: Making
) -> None:
    path = closed(making)
    page = client.get(path + "?lang=fr").text
    assert 'csv?lang=fr&amp;bom"' in page, "as the page links it, in the language read"
    french = client.get(path + ".csv?lang=fr&bom").get_data()
    assert french.startswith(b'\xef\xbb\xbf"question"')
    labels = client.get(path + ".json").get_json()["labels"]
    assert labels["when_open"]["mornings"]["en"] == "Mornings"


def test_the_result_as_ureport_gives_polls(client: FlaskClient, making: Making) -> None:
    told = client.get(closed(making) + ".ureport.json").get_json()
    results = told["questions"][0]["results"]
    assert (told["questions"][0]["title"], results["set"]) == ("When should we be open?", 160)
    assert results["categories"][0] == {"label": "Mornings", "count": 80}


@pytest.mark.parametrize("path", ["/r/nothing", "/r/hours7.exe", "/r/" + "x" * 300])
def test_what_is_no_result_is_told_kindly(client: FlaskClient, making: Making, path: str) -> None:
    closed(making)
    answer = client.get(path)
    assert (answer.status_code, "There is no such result." in answer.text) == (404, True)


@pytest.mark.parametrize("ending", ["json", "csv", "ureport.json"])
def test_a_file_that_is_not_there_is_a_problem(client: FlaskClient, ending: str) -> None:
    answer = client.get(f"/r/nothing.{ending}")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.get_json(force=True)["title"] == "No result stands here."


def test_a_draft_has_no_result(client: FlaskClient, making: Making) -> None:
    assert client.get(answered(making, CLEAR, status=AskStatus.DRAFT)).status_code == 404


def test_labels_cannot_run_in_a_spreadsheet(client: FlaskClient, making: Making) -> None:
    question = {
        "id": "odd",
        "type": "choice",
        "text": {"en": "<b>Odd</b>"},
        "options": [
            {"value": "a", "label": {"en": "=1+1"}},
            {"value": "b", "label": {"en": "<script>"}},
        ],
    }
    path = answered(making, CLEAR, question, status=AskStatus.CLOSED)
    assert '"\'=1+1"' in client.get(path + ".csv").text
    page = client.get(path).text
    assert "<script" not in page
    assert "&lt;b&gt;Odd" in page
