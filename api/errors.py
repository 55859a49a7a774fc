"""Every fault of the API as `application/problem+json` (RFC 9457), and nothing personal in it.

What the caller sent is never repeated: neither values nor names of fields that are not words.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from services.errors import AppError, Conflict, Invalid, NotAllowed, NotFound, Unavailable

MEDIA_TYPE = "application/problem+json"
REFERENCE = "/api/docs"
_WORD_PLACE = re.compile(r"[a-z][a-z0-9_-]{0,40}(?:[.\[][a-z0-9_\].-]{0,60}){0,6}")
_UNNAMEABLE = "(a name we do not repeat)"
_LONGEST = 300

TITLES: Mapping[int, str] = {
    400: "The request cannot be read",
    401: "A valid key is needed",
    403: "This key may not do that",
    404: "There is nothing here",
    405: "This method is not possible here",
    406: "This form of answer is not offered",
    409: "This contradicts what is already there",
    411: "The length of the body must be told",
    413: "The body is too large",
    414: "The address is too long",
    415: "The body must be JSON",
    422: "Something in the request is not valid",
    429: "Too many requests at once",
    431: "The headers are too large",
    500: "Something went wrong on our side",
    503: "This does not work at the moment",
}
CODES: Mapping[int, str] = {
    400: "bad_request",
    401: "unauthorised",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    415: "not_json",
    422: "invalid",
    429: "too_many_requests",
    500: "failed",
    503: "unavailable",
}
STATUSES: Mapping[type[AppError], int] = {
    NotFound: 404,
    Conflict: 409,
    NotAllowed: 403,
    Invalid: 422,
    Unavailable: 503,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request: where, and what."""

    place: str
    problem: str


class Problem(Exception):
    """A request that is refused; `code` is a stable slug, `faults` say what to mend."""

    def __init__(
        self,
        status: int,
        code: str | None = None,
        detail: str | None = None,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code or CODES.get(status, "error"))
        self.status = status
        self.code = code or CODES.get(status, "error")
        self.detail = detail
        self.faults = faults
        self.headers = dict(headers or {})


def register(app: Flask) -> None:
    """Let the application answer our own refusals; app.py sends us those of Flask."""
    app.register_error_handler(Problem, answer)
    app.register_error_handler(AppError, lambda error: answer(_of_app(error)))


def answer(problem: Problem) -> Response:
    """Return the response for a problem."""
    status = problem.status
    body: dict[str, object] = {
        "type": f"{REFERENCE}#{problem.code}",
        "title": TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "code": problem.code,
    }
    if problem.detail:
        body["detail"] = problem.detail
    if problem.faults:
        body["errors"] = [
            {"place": _place(fault.place), "problem": fault.problem[:_LONGEST]}
            for fault in problem.faults
        ]
    response = Response(json.dumps(body), status=status, content_type=MEDIA_TYPE)
    response.headers.extend(problem.headers)
    return response


def of_status(status: int, sentence: str) -> Response:
    """Return the response for a fault of ours that app.py has logged."""
    headers = {"Retry-After": "5"} if status == 503 else {}
    return answer(Problem(status, detail=sentence, headers=headers))


def of_http(error: HTTPException) -> Response:
    """Return the response for what Flask, werkzeug or the reading of arguments refused."""
    status = error.code or 500
    given = getattr(error, "data", None) or {}
    kept = {
        name: value
        for name, value in error.get_headers()
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}
    }
    faults = tuple(_faults(given.get("messages") or {}))
    return answer(Problem(status, faults=faults, headers=kept))


def _of_app(error: AppError) -> Problem:
    status = next(code for kind, code in STATUSES.items() if isinstance(error, kind))
    place = error.place if isinstance(error, Invalid) else None
    faults = [Fault(place, error.sentence)] if place else []
    headers = {"Retry-After": "5"} if status == 503 else {}
    return Problem(status, error.code, error.sentence, faults=faults, headers=headers)


def _faults(messages: object, place: str = "") -> Iterator[Fault]:
    """Flatten what marshmallow says, without the location ("json", "query") on top."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            top = not place and name in {"json", "query", "_schema"}
            here = "" if top else f"{place}.{name}" if place else str(name)
            yield from _faults(inner, here)
    elif isinstance(messages, list):
        for one in messages:
            yield from _faults(one, place)
    else:
        yield Fault(place or "body", str(messages))


def _place(place: str) -> str:
    return place if _WORD_PLACE.fullmatch(place) else _UNNAMEABLE
