"""How webhooks come in: a short way past the framework, and its routes for whatever is unusual.

Nearly every request of a provider is a whole POST of known length to a path of ours. Routing,
contexts, sessions and response objects cost more than all that is done with such a request up to
the database, so a few lines of WSGI in front of Flask answer it (docs/adr/0009-short-way.md).
Anything else, an error too, is Flask's.
"""

import re
from collections.abc import Iterable
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, abort, current_app, request

from bot.channels.base import WebhookRequest
from bot.webhooks import NOWHERE, Answer, Front, receive, receive_status

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")
_PATH = re.compile(r"/webhooks/(telegram|twilio|simulator)/([A-Za-z0-9_-]{1,100})(/status)?")
_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


@blueprint.post("/<any(telegram, twilio, simulator):provider>/<channel_key>")
def message(provider: str, channel_key: str) -> Response:
    """Take in one delivery of a provider."""
    return _response(receive(_front(), provider, channel_key, _request()))


@blueprint.post("/twilio/<channel_key>/status")
def status(channel_key: str) -> Response:
    """Take in one status callback."""
    return _response(receive_status(_front(), channel_key, _request()))


def _front() -> Front:
    front: Front = current_app.extensions["homeline"]
    return front


def _request() -> WebhookRequest:
    return WebhookRequest(
        method=request.method,
        path=request.path,
        query=request.environ.get("QUERY_STRING", ""),
        headers=dict(request.headers),
        body=_body(),
        public_url=current_app.config["PUBLIC_URL"],
    )


def _body() -> bytes:
    """The whole body, or 400 when it was torn off, 413 when it went on past the limit.

    A server that ends the stream by itself (Granian) lets both pass: a torn body looks complete,
    and one without a length is cut at the limit.
    """
    body = request.get_data(cache=False)
    length, most = request.content_length, request.max_content_length
    if length is not None and len(body) < length:
        abort(400)
    if length is None and most is not None and len(body) >= most:
        abort(413)
    return body


def _response(answer: Answer) -> Response:
    if answer is NOWHERE:
        abort(404)
    return Response(answer.body, answer.status, dict(_headers(answer)))


def _headers(answer: Answer) -> list[tuple[str, str]]:
    headers = [("Content-Length", str(len(answer.body)))] if answer.status != 204 else []
    if answer.content_type:
        headers.append(("Content-Type", answer.content_type))
    if answer.retry_after:
        headers.append(("Retry-After", answer.retry_after))
    return headers


class ShortWay:
    """WSGI that answers ordinary webhooks itself and leaves everything else to the framework."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._framework: WSGIApplication = app.wsgi_app
        self._front: Front = app.extensions["homeline"]
        self._public_url: str = app.config["PUBLIC_URL"]
        self._most: int = app.config["MAX_CONTENT_LENGTH"]

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        path = _PATH.fullmatch(environ["PATH_INFO"])
        incoming = self._whole(environ) if path and environ["REQUEST_METHOD"] == "POST" else None
        if path is None or incoming is None:
            return self._framework(environ, start_response)
        provider, key, of_status = path.groups()
        try:
            if of_status is None:
                answer = receive(self._front, provider, key, incoming)
            elif provider == "twilio":
                answer = receive_status(self._front, key, incoming)
            else:
                answer = NOWHERE
        except Exception as error:  # noqa: BLE001 - told and answered like any other
            return self._failed(error, environ, start_response)
        if answer is NOWHERE:
            return self._framework(environ, start_response)
        start_response(_STATUS[answer.status], _headers(answer))
        return [answer.body]

    def _whole(self, environ: "WSGIEnvironment") -> WebhookRequest | None:
        """The request with its body, which the framework can read again; None for an odd one."""
        length = environ.get("CONTENT_LENGTH") or ""
        if not length.isascii() or not length.isdigit() or int(length) > self._most:
            return None
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = BytesIO(body)
        if len(body) < int(length):
            return None
        return WebhookRequest(
            method="POST",
            path=environ["PATH_INFO"],
            query=environ.get("QUERY_STRING", ""),
            headers=_named(environ),
            body=body,
            public_url=self._public_url,
        )

    def _failed(
        self, error: Exception, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        with self._app.request_context(environ):
            answer = self._app.make_response(self._app.handle_user_exception(error))
            return answer(environ, start_response)


def _named(environ: "WSGIEnvironment") -> dict[str, str]:
    """The request's headers by the names they have in HTTP."""
    headers = {
        name[5:].replace("_", "-").title(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if kind := environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = kind
    return headers
