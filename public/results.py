"""/r/<code>: what came of an ask, for everybody; with .json, .csv or .ureport.json for programs.

Everything comes from the gate (services/asks/publications.py). No script; it works on any phone and
prints.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, current_app, json, render_template, request
from sqlalchemy.orm import Session

from composition import Homeline
from flows.countries import countries
from flows.flow import Flow
from flows.wording import LANGUAGES
from models.ask import AskStatus
from models.db import transaction
from models.walls import DoorKind, find_door
from public.codes import read_code
from public.result_shapes import Result, as_csv, as_json, as_ureport
from public.result_words import result_texts
from public.wording import day, direction
from services import organisations
from services.asks import asks, closing, publications
from services.catalogue import read_inside
from services.errors import NotFound

LONGEST_CODE: Final = 64
SECONDS_KEPT: Final = 15
SHOWN: Final = frozenset({AskStatus.OPEN, AskStatus.CLOSING, AskStatus.CLOSED})
_JSON, _CSV = "application/json", "text/csv; charset=utf-8"
SHAPES: Mapping[str, tuple[str, Callable[[Result, str], str]]] = MappingProxyType(
    {
        "json": (_JSON, lambda result, language: json.dumps(as_json(result))),
        "csv": (_CSV, as_csv),
        "ureport.json": (_JSON, lambda result, language: json.dumps(as_ureport(result, language))),
    }
)
blueprint = Blueprint("public_results", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class _Names:
    """What the values of breakdowns are called in a language."""

    flow: Flow | None
    words: Mapping[str, str]
    language: str
    askers: Mapping[str, Mapping[str, str]]

    def of(self, variable: str, value: str) -> str:
        if value in ("all_others", "unknown"):
            return self.words[value]
        if variable == "asker":
            name = self.askers.get(value, {})
            return name.get(self.language) or next(iter(name.values()), value)
        if variable == "country":
            return countries().name(value, self.language)
        question = self.flow.question(variable) if self.flow else None
        return question.label(value, self.language) if question else value


@blueprint.get("/r/<name>")
def show(name: str) -> Response:
    """Show the result of an ask, or give it as a file."""
    code, shape = read_code(name)
    organisation_id = _organisation(code)
    if organisation_id is None or (shape and shape not in SHAPES):
        return _gone(shape)
    line = _line()
    now = line.clock.now()
    with transaction(line.engine, organisation_id[0]) as db:
        result = _result(db, line, organisation_id[1], now)
        if result is None:
            return _gone(shape)
        language = _language(result.flow)
        if shape:
            kind, written = SHAPES[shape]
            mark = "\ufeff" if "bom" in request.args and shape == "csv" else ""
            return _kept(Response(mark + written(result, language), content_type=kind))
        return _page(db, result, language, now)


def _result(db: Session, line: Homeline, ask_id: UUID, now: datetime) -> Result | None:
    try:
        ask = asks.get(db, ask_id)
    except NotFound:
        return None
    if ask.status not in SHOWN:
        return None
    keys = organisations.open_keys(db, line.keyring)
    told = publications.results_of(db, keys, ask, now=now)
    owner = organisations.get(db)
    short = owner.short_name or owner.name
    return Result(ask, asks.flow_of(db, ask), owner.name, short, told)


def _page(db: Session, result: Result, language: str, now: datetime) -> Response:
    ask, words = result.ask, result_texts(language)
    registration = _registration(db) if result.told["breakdowns"] else None
    askers = {one["asker"]: one.get("name", {}) for one in result.told["askers"]}
    names = _Names(registration, words, language, askers)
    page = render_template(
        "results/result.html",
        language=language,
        direction=direction(language),
        t=words,
        ask=ask,
        asked_by=result.organisation,
        told=result.told,
        reasons={one["figure"]: one["reason"] for one in result.told["suppressed"]},
        question=lambda name: result.flow.by_id[name],
        text=lambda texts: result.said(texts, language),
        names=names.of,
        overdue=closing.is_overdue(ask, now),
        promised_on=closing.promised_on(ask),
        day=partial(day, language=language),
        moment=_moment,
    )
    return _kept(Response(page, content_type="text/html; charset=utf-8"))


def _registration(db: Session) -> Flow | None:
    published = read_inside(db).registration()
    return published.flow if published else None


def _organisation(code: str) -> tuple[UUID, UUID] | None:
    """Whose ask this is, and which; a code that is none leads nowhere."""
    if not 0 < len(code) <= LONGEST_CODE:
        return None
    with Session(_line().engine) as db:
        door = find_door(db, DoorKind.ASK, code.lower())
    return (door.organisation_id, door.target_id) if door else None


def _language(flow: Flow) -> str:
    """The language asked for, else the reader's own, else the ask's first."""
    wanted = request.args.get("lang", "")
    if wanted in LANGUAGES:
        return wanted
    own = [one for one in LANGUAGES if one in flow.languages] or list(LANGUAGES)
    return request.accept_languages.best_match(own) or own[0]


def _gone(shape: str) -> Response:
    """Nothing here: a page for people, a problem (RFC 9457) for whoever asked for a file."""
    if shape in SHAPES:
        problem = {"title": "No result stands here.", "status": 404}
        return Response(json.dumps(problem), status=404, content_type="application/problem+json")
    language = request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
    page = render_template(
        "results/gone.html",
        language=language,
        direction=direction(language),
        t=result_texts(language),
    )
    return Response(page, status=404, content_type="text/html; charset=utf-8")


def _kept(answer: Response) -> Response:
    answer.headers["Cache-Control"] = f"public, max-age={SECONDS_KEPT}"
    answer.headers["Vary"] = "Accept-Language"
    return answer


def _moment(written: str) -> str:
    return f"\u2066{datetime.fromisoformat(written):%Y-%m-%d %H:%M} UTC\u2069"


def _line() -> Homeline:
    line: Homeline = current_app.extensions["homeline"]
    return line
