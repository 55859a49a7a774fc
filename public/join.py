"""/j/<code>: the page that opens a chat with a poll; with .svg or .png its QR code, and a poster.

The poster is a PDF, or the same page made to be printed on A4 or A5. No script, nothing personal,
nothing kept.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import segno
from flask import Blueprint, Response, current_app, render_template, request
from sqlalchemy.orm import Session

from composition import Homeline
from flows.filling import filled
from flows.flow import Flow
from flows.questions.base import Question
from flows.questions.language import NAMES
from flows.wording import LANGUAGES
from models.ask import Ask, AskStatus
from models.db import transaction
from models.relay import Relay
from models.walls import Door, DoorKind, find_door
from public.codes import read_code
from public.join_words import join_texts
from public.poster_pdf import PAPERS, Poster, draw
from public.wording import day, direction
from services import organisations
from services.asks import asks
from services.errors import NotFound
from services.relays import relays
from services.relays.ways_in import WayIn, ways_in

LONGEST_CODE: Final = 64
SHAPES: Final = {"svg": "image/svg+xml", "png": "image/png"}
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
blueprint = Blueprint("join", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a code leads to; `ended` when the code itself opens nothing any more."""

    ask: Ask
    flow: Flow
    who: str
    short: str
    ways: Mapping[str, WayIn]
    takes: bool
    ended: bool = False

    @property
    def is_late(self) -> bool:
        """Whether the hour of its close is past, though nothing has closed it yet."""
        return self.ask.status is AskStatus.OPEN and not self.takes


@blueprint.get("/j/<name>")
def show(name: str) -> Response:
    """Show how to answer, or give the QR code of this page."""
    code, shape = read_code(name)
    found = _find(code) if not shape or shape in SHAPES else None
    if found is None:
        return _page("gone", _language(), status=404)
    return _qr(code, shape) if shape else _shown(code, found, "join")


@blueprint.get("/j/<code>/poster.pdf")
def poster_pdf(code: str) -> Response:
    """Give the poster as PDF: `size` is a4 or a5; the page instead where nobody can come in."""
    found = _find(code.lower())
    if found is None or not found.takes or found.ended:
        return poster(code)
    language, size = _language(found.flow), _size()
    pdf = draw(_poster(code.lower(), found, language), size)
    answer = Response(pdf, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{code.lower()}-{size}.pdf"'
    answer.headers.update(HEADERS)
    return answer


def _poster(code: str, found: _Opened, language: str) -> Poster:
    t, sms, lines = join_texts(language), found.ways.get("sms"), []
    if sms:
        lines.append(t["send"].format(code=f"JOIN {code.upper()}", number=_isolated(sms.shown)))
    lines.append(t["how"])
    if found.ask.closes_at:
        lines.append(t["until"].format(day=day(found.ask.closes_at, language)))
    asked = _words(found, _first(found), language)
    return Poster(language, t["asks"].format(who=found.who), asked, _url(code), lines)


def _isolated(text: str) -> str:
    """Numbers as they are written, in a line that runs right to left too."""
    return f"\u2066{text}\u2069"


@blueprint.get("/j/<code>/poster")
def poster(code: str) -> Response:
    """Show the page as a poster: `size` is a4 or a5."""
    found = _find(code.lower())
    if found is None:
        return _page("gone", _language(), status=404)
    return _shown(code.lower(), found, "poster")


def _shown(code: str, found: _Opened, name: str) -> Response:
    language = _language(found.flow)
    return _page(
        name,
        language,
        code=code,
        found=found,
        asked=_words(found, _first(found), language),
        languages=[(one, NAMES[one]) for one in found.flow.languages if one in NAMES],
        url=_url(code),
        qr=segno.make(_url(code), error="m").svg_data_uri(scale=6, border=4),
        size=_size(),
        until=day(found.ask.closes_at, language) if found.ask.closes_at else None,
        closed=found.ask.status in (AskStatus.CLOSING, AskStatus.CLOSED) or found.is_late,
        why_not=_why_not(found, language),
    )


def _why_not(found: _Opened, language: str) -> str:
    """Why nobody can come in by this code; empty when they can."""
    t, ask = join_texts(language), found.ask
    if ask.status is AskStatus.CANCELED:
        return t["canceled"]
    if ask.status in (AskStatus.CLOSING, AskStatus.CLOSED) or found.is_late:
        return t["closed"]
    if found.ended:
        return t["ended"].format(who=found.who)
    if found.takes:
        return ""
    if ask.opens_at and ask.opens_at.date() > _line().clock.now().date():
        return t["opens"].format(day=day(ask.opens_at, language))
    return t["not_yet"]


def _size() -> str:
    size = request.args.get("size", "a4")
    return size if size in PAPERS else "a4"


def _first(found: _Opened) -> Question:
    return next(one for one in found.flow.questions if one.waits)


def _words(found: _Opened, question: Question, language: str) -> str:
    """The question as it is asked, with who asks in place."""
    spoken = found.flow.language_for(language)
    names = (("organisation", found.short), ("office", found.who))
    return filled(question.in_language(question.text, spoken), spoken, names)


def _find(code: str) -> _Opened | None:
    """Return what a code of an ask or a relay leads to, which may be over."""
    door = _door(code)
    if door is None:
        return None
    line = _line()
    with transaction(line.engine, door.organisation_id) as db:
        try:
            relay = _relay(db, door)
            ask = asks.get(db, relay.ask_id if relay else door.target_id)
        except NotFound:
            return None
        ends = ask.closes_at is not None and ask.closes_at <= line.clock.now()
        organisation = organisations.get(db)
        names = (organisation.name, organisation.short_name or organisation.name)
        takes = ask.status is AskStatus.OPEN and not ends
        ended = relay is not None and relay.closed_at is not None
        return _Opened(ask, asks.flow_of(db, ask), *names, ways_in(db, code), takes, ended)


def _relay(db: Session, door: Door) -> Relay | None:
    if door.kind is DoorKind.ASK:
        return None
    return relays.get(db, door.target_id)


def _door(code: str) -> Door | None:
    if len(code) > LONGEST_CODE:
        return None
    with Session(_line().engine) as db:
        return find_door(db, DoorKind.ASK, code) or find_door(db, DoorKind.RELAY, code)


def _qr(code: str, shape: str) -> Response:
    drawn = io.BytesIO()
    segno.make(_url(code), error="m").save(drawn, kind=shape, scale=12, border=4)
    answer = Response(drawn.getvalue(), content_type=SHAPES[shape])
    answer.headers["Content-Disposition"] = f'inline; filename="{code}.{shape}"'
    answer.headers.update(HEADERS)
    return answer


def _page(name: str, language: str, *, status: int = 200, **values: object) -> Response:
    page = render_template(
        f"join/{name}.html",
        language=language,
        direction=direction(language),
        t=join_texts(language),
        **values,
    )
    answer = Response(page, status=status, content_type="text/html; charset=utf-8")
    answer.headers.update(HEADERS)
    return answer


def _language(flow: Flow | None = None) -> str:
    """The language asked for, else one the reader's browser prefers and the poll speaks."""
    spoken = [one for one in (flow.languages if flow else LANGUAGES) if one in LANGUAGES]
    wanted = request.args.get("lang", "")
    if wanted in spoken:
        return wanted
    return request.accept_languages.best_match(spoken) or (spoken or LANGUAGES)[0]


def _url(code: str) -> str:
    return f"{_line().settings.public_url}/j/{code}"


def _line() -> Homeline:
    line: Homeline = current_app.extensions["homeline"]
    return line
