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

PROBLEMS: Mapping[str, tuple[int, str]] = {
    "bad_request": (400, "The request cannot be read."),
    "malformed_json": (400, "The body is not a JSON document."),
    "not_utf8": (400, "The body is not UTF-8."),
    "not_an_object": (400, "The body is JSON, but no object."),
    "too_deep": (400, "The body has too many levels."),
    "not_a_number": (400, "NaN and Infinity are no JSON."),
    "number_too_large": (400, "A number in the body is too large."),
    "bad_text": (400, "A text holds NUL or half a surrogate pair."),
    "name_twice": (400, "An object in the body names something twice."),
    "unauthorised": (401, "There is no valid key: unknown, expired or revoked."),
    "not_allowed": (403, "This key may not do that."),
    "audience_too_small": (403, "Fewer than ten people would be addressed."),
    "audience_not_saved": (403, "Name a saved audience, or use a key with audiences:count."),
    "scope_missing": (403, "The key lacks the scope."),
    "not_found": (404, "There is nothing of this name, or it is not yours."),
    "method_not_allowed": (405, "This method is not possible here."),
    "conflict": (409, "This contradicts what is already there."),
    "still_running": (409, "The first request with this Idempotency-Key still runs."),
    "too_large": (413, "The body is larger than 1 MiB."),
    "not_json": (415, "The body must be JSON."),
    "compressed": (415, "Compressed bodies are not taken."),
    "invalid": (422, "Something in the request is not valid; errors say where."),
    "flow_invalid": (422, "The flow has faults; errors say where."),
    "not_translated": (422, "Texts are missing in a language; errors say which."),
    "reason_missing": (422, "A reason is needed."),
    "idempotency_key_reused": (422, "The Idempotency-Key was used for another request."),
    "too_many_requests": (429, "Too many requests at once."),
    "failed": (500, "Something went wrong on our side."),
    "unavailable": (503, "This does not work at the moment."),
    "no_ballot_keys": (503, "No keys of secret polls can be kept on this installation."),
}
"""Every code with its status and its title, the usual code of a status first."""
_OTHER = "error"
_USUAL = {status: code for code, (status, _) in reversed(list(PROBLEMS.items()))}
RETRY_AFTER: Mapping[str, str] = {"still_running": "1", "unavailable": "5"}
"""Seconds, by code."""
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
        self.code = code or _USUAL.get(status, _OTHER)
        super().__init__(self.code)
        self.status = status
        self.detail = detail
        self.faults = faults
        self.headers = dict(headers or {})
        if self.code in RETRY_AFTER:
            self.headers["Retry-After"] = RETRY_AFTER[self.code]


def register(app: Flask) -> None:
    """Let the application answer our own refusals; app.py sends us those of Flask."""
    app.register_error_handler(Problem, answer)
    app.register_error_handler(AppError, lambda error: answer(_of_app(error)))


def answer(problem: Problem) -> Response:
    """Return the response for a problem."""
    status = problem.status
    _, title = PROBLEMS.get(problem.code) or (status, HTTPStatus(status).phrase)
    body: dict[str, object] = {
        "type": f"{REFERENCE}#{problem.code}",
        "title": title,
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
    return answer(Problem(status, detail=sentence))


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
    faults = [Fault(*one) for one in error.faults] if isinstance(error, Invalid) else []
    return Problem(status, error.code, error.sentence, faults=faults)


def _faults(messages: object, place: str = "") -> Iterator[Fault]:
    """Flatten what marshmallow says, without the location ("json", "query") on top."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            top = not place and name in {"json", "query", "_schema"}
            here = "" if top else _inside(place, name)
            yield from _faults(inner, here)
    elif isinstance(messages, list):
        for one in messages:
            yield from _faults(one, place)
    else:
        yield Fault(place or "body", str(messages))


def _inside(place: str, name: object) -> str:
    """A field's place as conditions and flows name theirs: askers[0].name.en."""
    if isinstance(name, int):
        return f"{place}[{name}]"
    return f"{place}.{name}" if place else str(name)


def _place(place: str) -> str:
    return place if _WORD_PLACE.fullmatch(place) else _UNNAMEABLE
