"""/m/<token>: a member's own data, opened once with the code that came with the link.

Looking at the page (a chat company's preview does) uses nothing up; only the code, posted, does.
No script, nothing personal in an address, nothing kept by browser or proxy.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, current_app, render_template, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import LanguageAccept

from composition import Homeline
from flows.wording import LANGUAGES
from models.db import transaction
from models.walls import DoorKind, find_door
from public.wording import direction, texts
from services import organisations
from services.catalogue import read_inside
from services.errors import NotFound
from services.rights import mydata
from services.rights.mydata import LinkState
from services.rights.retelling import retell

LONGEST_TOKEN = 64
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}

blueprint = Blueprint(
    "member",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/public",
)


@blueprint.get("/m/<token>")
def show(token: str) -> Response:
    """Ask for the code, in the language of the link; nothing changes."""
    organisation_id = _organisation(token)
    if organisation_id is None:
        return _gone()
    line = _line()
    with transaction(line.engine, organisation_id) as db:
        language = mydata.language_of(db, token, now=line.clock.now())
    return _gone() if language is None else _page("code", language, left=None)


@blueprint.post("/m/<token>")
def open_it(token: str) -> Response:
    """Open the link with its code, or fetch the file the opened page offers."""
    organisation_id = _organisation(token)
    if organisation_id is None:
        return _gone()
    line = _line()
    with transaction(line.engine, organisation_id) as db:
        if "ticket" in request.form:
            return _file(db, line, token)
        return _open(db, line, token)


def _open(db: Session, line: Homeline, token: str) -> Response:
    now = line.clock.now()
    language = mydata.language_of(db, token, now=now) or _accepted()
    code = request.form.get("code", "")
    tried = mydata.open_link(db, line.keyring, token, code, now=now)
    if tried.state is LinkState.WRONG:
        return _page("code", language, status=403, left=tried.left)
    if tried.contact_id is None:
        return _gone(language)
    rows = _everything(db, line, tried.contact_id)
    mydata.note_opened(db, tried.contact_id, now=now)
    told = retell(rows, read_inside(db), language)
    raw = {name: found for name, found in rows.items() if found}
    return _page("data", language, told=told, raw=raw, ticket=tried.ticket, day=_day)


def _file(db: Session, line: Homeline, token: str) -> Response:
    try:
        contact_id = mydata.use_ticket(db, token, request.form["ticket"], now=line.clock.now())
    except NotFound:
        return _gone()
    answer = Response(
        mydata.to_json(_everything(db, line, contact_id)), content_type="application/json"
    )
    answer.headers["Content-Disposition"] = 'attachment; filename="mydata.json"'
    answer.headers.update(HEADERS)
    return answer


def _everything(db: Session, line: Homeline, contact_id: UUID) -> mydata.Rows:
    keys = organisations.open_keys(db, line.keyring)
    return mydata.everything(db, line.keyring, keys, contact_id)


def _organisation(token: str) -> UUID | None:
    """Whose link this is; a token that is none of ours leads nowhere."""
    if len(token) > LONGEST_TOKEN:
        return None
    with Session(_line().engine) as db:
        door = find_door(db, DoorKind.MEMBER_LINK, token)
    return door.organisation_id if door else None


def _gone(language: str | None = None) -> Response:
    return _page("gone", language or _accepted(), status=404)


def _page(name: str, language: str, *, status: int = 200, **values: object) -> Response:
    page = render_template(
        f"member/{name}.html",
        language=language,
        direction=direction(language),
        t=texts(language),
        **values,
    )
    answer = Response(page, status=status, content_type="text/html; charset=utf-8")
    answer.headers.update(HEADERS)
    return answer


def _accepted() -> str:
    accepted: LanguageAccept = request.accept_languages
    return accepted.best_match(LANGUAGES) or LANGUAGES[0]


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _line() -> Homeline:
    line: Homeline = current_app.extensions["homeline"]
    return line
