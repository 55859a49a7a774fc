"""The OpenAPI document, the page made of it and docs/api.md say what the code does."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api.errors import PROBLEMS
from api.resource import PREFIX
from api.scopes import MEANINGS, SCOPES
from app import create_app
from settings import read

ROOT = Path(__file__).resolve().parents[2]
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(read({"HOMELINE_DATA": str(tmp_path_factory.mktemp("var"))}))


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get("/api/v1/openapi.json").get_json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield method.upper(), path, operation | {"shared": item.get("parameters", [])}


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def patterns(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value["pattern"]
        for inner in value.values():
            yield from patterns(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from patterns(inner)


def test_every_route_is_in_the_document(app: Flask, document: dict[str, Any]) -> None:
    told = {(method, path) for method, path, _ in operations(document)}
    served = {
        (method, re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(PREFIX) and rule.endpoint != "reference.document"
        for method in METHODS & (rule.methods or set())
    }
    listed = {(one.split()[0], PREFIX + one.split()[1]) for one in SCOPES}
    assert told == served == listed


def test_the_document_is_sound(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"]
    assert document["info"]["version"]
    for reference in references(document):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for method, path, operation in operations(document):
        given = [*operation["shared"], *operation.get("parameters", [])]
        in_path = {one["name"] for one in given if one["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path)), path
        assert all(one["required"] for one in given if one["in"] == "path")
        assert len({(one["in"], one["name"]) for one in given}) == len(given)
        assert "requestBody" not in operation or method in {"POST", "PATCH", "PUT"}
        assert operation["summary"]
        assert all("description" in answer for answer in _answers(document, operation))


def _answers(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for answer in operation["responses"].values():
        reference = answer.get("$ref", "")
        yield (
            document["components"]["responses"][reference.rsplit("/")[-1]] if reference else answer
        )


def test_scopes_and_problems_are_described(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        (needed,) = operation["security"]
        assert needed["key"] == [SCOPES[f"{method} {path.removeprefix(PREFIX)}"]]
        assert operation["responses"]["default"]["$ref"].endswith("DEFAULT_ERROR")
    for answer in document["components"]["responses"].values():
        assert list(answer["content"]) == ["application/problem+json"]


def test_forms_are_told_whole_and_as_every_reader_knows_them(document: dict[str, Any]) -> None:
    """JSON Schema searches where we match, and knows no \\Z."""
    found = set(patterns(document))
    assert found
    assert all(one.startswith("^") and one.endswith("$") for one in found)
    assert not any("\\Z" in one for one in found)


def test_a_body_is_needed_where_it_must_hold_something(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        if "requestBody" in operation:
            body = operation["requestBody"]
            name = body["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
            must = document["components"]["schemas"][name].get("required", [])
            assert body["required"] is bool(must), f"{method} {path}"


def test_answers_and_bodies_allow_no_unknown_field(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema["additionalProperties"] is False, name


class _Calls(HTMLParser):
    """What a browser would fetch, and what it could be made to run."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.fetched += [given[name] for name in ("src", "srcset") if name in given]
        if tag == "link":
            self.fetched.append(given["href"])
        elif "href" in given:
            self.links.add(given["href"])
        if "id" in given:
            self.ids.add(given["id"])
        self.inline += [name for name in given if name == "style" or name.startswith("on")]


def test_the_page_fetches_nothing_from_elsewhere_and_needs_no_script(app: Flask) -> None:
    client = app.test_client()
    answer = client.get("/api/docs")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    page = _Calls()
    page.feed(answer.text)
    assert not {"script", "style", "iframe"} & page.tags
    assert not page.inline
    assert page.fetched == ["/api/static/reference.css"]
    assert "viewport" in answer.text
    sheet = client.get(page.fetched[0])
    assert sheet.content_type.startswith("text/css")
    assert "url(" not in sheet.text
    assert "@import" not in sheet.text
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= page.ids
    assert "· None" not in answer.text, "a word of our language, not of theirs"
    assert ">poll texts<" in answer.text


def test_the_page_shows_every_operation_and_every_problem(
    app: Flask, document: dict[str, Any]
) -> None:
    answer = app.test_client().get("/api/docs")
    page = _Calls()
    page.feed(answer.text)
    assert {operation["operationId"] for _, _, operation in operations(document)} <= page.ids
    assert set(PROBLEMS) <= page.ids
    for scope in MEANINGS:
        assert scope in answer.text


def test_the_command_prints_the_document(app: Flask, document: dict[str, Any]) -> None:
    printed = app.test_cli_runner().invoke(args=["openapi"])
    assert printed.exit_code == 0
    assert json.loads(printed.output) == document


def _table(title: str) -> list[list[str]]:
    """The rows of the table under a heading of docs/api.md."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    section = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in row] for row in rows[2:]]


def test_the_scopes_of_the_documentation_are_those_of_the_code() -> None:
    told = {row[0]: row[1] for row in _table("Scopes")}
    assert told == MEANINGS


def test_the_operations_of_the_documentation_are_those_of_the_code() -> None:
    told = {row[0]: row[1] for row in _table("Operations")}
    assert told == SCOPES


def test_the_problems_of_the_documentation_are_those_of_the_code() -> None:
    told = {row[0]: int(row[1]) for row in _table("Problems")}
    assert told == {code: status for code, (status, _) in PROBLEMS.items()}
