"""Composition root: settings in, a Flask application out.

`create_app` puts the parts together and knows all of them; nobody imports it but the servers, the
commands' entry and tests.
"""

import secrets
from time import perf_counter
from typing import TYPE_CHECKING

import click
from flask import Flask, Request, Response, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

import api
import commands
import logs
import settings as settings_module
from bot import sim, webhook_routes
from composition import Homeline, settle, widen
from flows.gazetteer import warm_up
from public import health, join, member, results
from settings import Settings, SettingsInvalid

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

WEBHOOK_BYTES = 256 * 1024
API_BYTES = 1024 * 1024
FORM_PARTS = 200
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HSTS = "max-age=31536000"


class LimitedRequest(Request):
    """A request whose body may be larger under /api/ than at a webhook."""

    def __init__(self, environ: "WSGIEnvironment", *args: bool) -> None:
        super().__init__(environ, *args)
        if self.path.startswith("/api/"):
            self.max_content_length = API_BYTES


class HomelineApp(Flask):
    """Flask with our limits on requests."""

    request_class = LimitedRequest


def create_app(settings: Settings | None = None, *, homeline: Homeline | None = None) -> Flask:
    """Return the application; without arguments it reads the environment.

    The database is opened when first needed, so that commands which need none run without.
    """
    if homeline is None:
        homeline = Homeline(settings or _read_settings())
    app = HomelineApp("homeline", root_path=str(homeline.root), static_folder=None)
    app.config.update(
        PUBLIC_URL=homeline.settings.public_url,
        SECRET_KEY=homeline.settings.secret_key,
        MAX_CONTENT_LENGTH=WEBHOOK_BYTES,
        MAX_FORM_PARTS=FORM_PARTS,
        MAX_FORM_MEMORY_SIZE=WEBHOOK_BYTES,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=homeline.settings.public_url.startswith("https://"),
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["homeline"] = homeline
    _register(app, homeline)
    _answer_errors(app)
    _add_headers(app, secure=homeline.settings.public_url.startswith("https://"))
    app.wsgi_app = webhook_routes.ShortWay(app)  # type: ignore[method-assign]
    return app


def create_web() -> Flask:
    """Return the application for a web server, with its log and its database open."""
    logs.configure()
    app = create_app()
    homeline: Homeline = app.extensions["homeline"]
    for part in ("intake", "directory", "statuses"):  # before the threads come
        getattr(homeline, part)
    warm_up()
    widen()
    settle()
    logs.event("web.started", env=homeline.settings.env)
    return app


def _register(app: Flask, homeline: Homeline) -> None:
    """Give the application its parts."""
    app.register_blueprint(health.blueprint)
    app.register_blueprint(member.blueprint)
    app.register_blueprint(join.blueprint)
    app.register_blueprint(results.blueprint)
    app.register_blueprint(webhook_routes.blueprint)
    if homeline.settings.development:
        app.register_blueprint(sim.blueprint)
    api.register(app)
    commands.register(app)


def _read_settings() -> Settings:
    try:
        return settings_module.read()
    except SettingsInvalid as fault:
        raise click.ClickException(str(fault)) from None


def _answer_errors(app: Flask) -> None:
    """Answer faults with a kind sentence and never a trace. The API answers its own."""

    @app.errorhandler(HTTPException)
    def known(error: HTTPException) -> ResponseReturnValue:
        if api.answers(request.path):
            return api.errors.of_http(error)
        code = error.code or 500
        return _sentence(_SENTENCES.get(code, error.name + "."), code)

    @app.errorhandler(OperationalError)
    @app.errorhandler(PoolTimeout)
    def unavailable(error: Exception) -> ResponseReturnValue:
        logs.event("database.unavailable", level="error", error=type(error).__name__)
        answer = _sentence("We cannot reach our database. Please try again in a minute.", 503)
        answer.headers["Retry-After"] = "5"
        return answer

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> ResponseReturnValue:
        incident = secrets.token_hex(4)
        logs.event(
            "request.failed",
            level="error",
            incident=incident,
            route=str(request.url_rule),
            error=type(error).__name__,
            line=_line(error),
        )
        return _sentence(f"Something went wrong on our side. Please name {incident} to us.", 500)


_SENTENCES = {
    400: "We could not read that request.",
    401: "Please sign in.",
    403: "You may not do that.",
    404: "There is nothing here.",
    405: "That is not possible here.",
    413: "That is too much at once.",
    429: "Please wait a moment and try again.",
}


def _sentence(text: str, code: int) -> Response:
    if api.answers(request.path):
        return api.errors.of_status(code, text)
    return Response(text + "\n", status=code, content_type="text/plain; charset=utf-8")


def _line(error: Exception) -> str:
    """Return the file and line where an error came from: enough to find it, and no value of it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""


def _add_headers(app: Flask, *, secure: bool) -> None:
    """Add security headers and one log line to everything but webhooks, which log their batch."""

    @app.before_request
    def note_start() -> None:
        g.started = perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        if request.path.startswith("/webhooks/"):
            return response
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if secure:
            response.headers.setdefault("Strict-Transport-Security", HSTS)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        logs.event(
            "request.answered",
            route=str(request.url_rule),
            method=request.method,
            status=response.status_code,
            took_ms=round((perf_counter() - g.started) * 1000, 1),
        )
        return response
