"""`/sim`: three phones of one made-up person, and the clock that can be moved. Development only."""

import json
import re
import secrets
import time
from datetime import timedelta
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from bot.sim_phones import ACTS, KINDS, PEOPLE, Line, Phones, PhonesAway, address, with_effects
from models.clock import MovableClock
from models.db import transaction
from services.conversation import effects
from services.demo import seeding

blueprint = Blueprint(
    "sim", __name__, url_prefix="/sim", template_folder="templates", static_folder="static"
)
LANGUAGES = {"en": "English", "fr": "Français", "ar": "العربية", "es": "Español", "pt": "Português"}
STEPS = ("1 hour", "20 hours", "6 days")
UNITS = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_NUMBER = re.compile(r"[0-9]{1,9}")
_STEP = re.compile(r"(\d{1,6}) (minute|hour|day|week)s?")
ANSWER_SECONDS = 1.5


@blueprint.before_request
def refuse_strangers() -> None:
    """A page of another site may not press buttons here."""
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site") == "cross-site":
        abort(403)


@blueprint.get("")
def page() -> str:
    """Show the three phones."""
    person, language = _person(), _language()
    session["sim_person"] = person
    return render_template(
        "sim.html",
        person=person,
        language=language,
        languages=LANGUAGES,
        kinds=KINDS,
        chosen=_kind(default="telegram"),
        screens=_screens(person),
        addresses={kind: address(kind, person) for kind in KINDS},
        now=_clock().now(),
        steps=STEPS,
        organisation=seeding.SHORT_NAME,
        code=_code(),
    )


@blueprint.get("/screens")
def screens() -> ResponseReturnValue:
    """Give what stands on the phones now, for the page's script."""
    person, code = _person(), _code()
    shown = {
        kind: render_template("sim_screen.html", kind=kind, lines=lines, code=code)
        for kind, lines in _screens(person).items()
    }
    return {"screens": shown, "now": f"{_clock().now():%a %d %b %Y, %H:%M} UTC"}


@blueprint.post("/act")
def act() -> ResponseReturnValue:
    """Let the person do something on one phone."""
    person, kind = _person(), _kind(default="")
    given = {name: request.form.get(name, "") for name in ("do", "text", "message", "payload")}
    given["do"] = given["do"] or "send"
    if "press" in request.form:
        given |= _pressed(request.form["press"])
    if not kind or given["do"] not in ACTS or (given["do"] == "send" and not given["text"].strip()):
        abort(400)
    try:
        before = _came(kind, person)
        _phones().act(kind, person, given | {"language": _language()})
        if not _by_script():
            _wait_for_answer(kind, person, before)
    except PhonesAway:
        abort(503)
    return Response(status=204) if _by_script() else _back(person, kind)


def _pressed(value: str) -> dict[str, str]:
    """What a button of a message says of itself; 400 for anything else."""
    try:
        fields = json.loads(value)
        return {"do": "press"} | {name: str(fields[name]) for name in _PRESSED}
    except (ValueError, TypeError, KeyError, RecursionError):
        abort(400)


_PRESSED = ("message", "payload", "text")


@blueprint.post("/person")
def new_person() -> ResponseReturnValue:
    """Begin as somebody whom nobody knows yet."""
    return _back(secrets.randbelow(PEOPLE), "telegram")


@blueprint.post("/clock")
def move_clock() -> ResponseReturnValue:
    """Move everybody's clock ahead: `{"advance": "6 days"}`."""
    posted: Any = request.get_json(silent=True) if request.is_json else request.form
    wanted = posted.get("advance") if hasattr(posted, "get") else None
    found = _STEP.fullmatch(wanted.strip()) if isinstance(wanted, str) else None
    if found is None:
        return _problem('"advance" is a number of minutes, hours, days or weeks: "6 days".')
    try:
        now = _clock().advance(timedelta(seconds=int(found[1]) * UNITS[found[2]]))
    except ValueError:
        return _problem("The clock goes ten years ahead at most.")
    if request.is_json or _by_script():
        return {"now": now.isoformat().replace("+00:00", "Z"), "advanced": found[0]}
    return _back(_person(), _kind(default="telegram"))


def _screens(person: int) -> dict[str, list[Line] | None]:
    """What stands on each phone; None for one that cannot be reached."""
    return {kind: _screen(kind, person) for kind in KINDS}


def _screen(kind: str, person: int) -> list[Line] | None:
    now = _clock().now()
    try:
        lines = _phones().screen(kind, person, now)
    except PhonesAway:
        return None
    organisation_id = seeding.find(_homeline().engine)
    if organisation_id is None:
        return lines
    keys = _homeline().keys.open(organisation_id)
    with transaction(_homeline().engine, organisation_id) as db:
        return with_effects(lines, effects.list_effects(db, keys, address(kind, person)))


def _came(kind: str, person: int) -> int:
    lines = _phones().screen(kind, person, _clock().now())
    return sum(line.who != "person" for line in lines)


def _wait_for_answer(kind: str, person: int, before: int) -> None:
    """Without script the page is drawn once, so it waits a little for the answer."""
    end = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < end and _came(kind, person) <= before:
        time.sleep(0.05)


def _person() -> int:
    given = str(request.values.get("person") or session.get("sim_person"))
    if _NUMBER.fullmatch(given):
        return int(given) % PEOPLE
    return secrets.randbelow(PEOPLE)


def _language() -> str:
    given = request.values.get("language", "en")
    return given if given in LANGUAGES else "en"


def _kind(*, default: str) -> str:
    given = request.values.get("phone", default)
    return given if given in KINDS else default


def _by_script() -> bool:
    return request.headers.get("X-Requested-With") == "script"


def _back(person: int, kind: str) -> ResponseReturnValue:
    where = url_for("sim.page", person=person, phone=kind, language=_language())
    return redirect(where, code=303)


def _code() -> str:
    organisation_id = seeding.find(_homeline().engine)
    return seeding.code(_homeline().engine, organisation_id) if organisation_id else ""


def _phones() -> Phones:
    settings = _homeline().settings
    return Phones(settings.telegram_api_url, settings.twilio_api_url)


def _clock() -> MovableClock:
    clock = _homeline().clock
    if not isinstance(clock, MovableClock):
        abort(404)
    return clock


def _homeline() -> Any:
    return current_app.extensions["homeline"]


def _problem(detail: str) -> Response:
    problem = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": detail}
    return Response(json.dumps(problem), 400, content_type="application/problem+json")
