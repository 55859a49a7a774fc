"""Reading JSON bodies strictly: what PostgreSQL or another reader would stumble over is refused.

Refused with 400 and a stable code: text that is not UTF-8, more than 40 levels, NaN and Infinity,
numbers of more than 18 digits, a name given twice, NUL and lone surrogates. Texts come in NFC.
"""

import json
import math
import unicodedata
from contextlib import suppress
from typing import Any, NoReturn

import marshmallow
from flask import Request, Response, request
from webargs.core import is_json, missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException

from api.errors import Problem

DEEPEST = 40
_DIGITS = 18


def read_json(raw: bytes) -> Any:
    """Return the value in a JSON document; Problem 400 with the code of what is wrong."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _bad("not_utf8", "The body must be UTF-8.") from None
    try:
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_number,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise _bad("malformed_json", "The body is not a JSON document.") from None
    return _clean(value, DEEPEST)


def read_rest(response: Response) -> Response:
    """Read what an answer did not need of its request's body.

    With some of it unread a server closes the connection: the caller may lose this very answer, and
    whatever they send next on the same connection breaks.
    """
    with suppress(HTTPException):  # longer than we take: then it is closed
        if request.path.startswith("/api/"):
            request.get_data(cache=False)
    return response


class Parser(FlaskParser):
    """Reads arguments: strict JSON, and no query parameter that nobody knows."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {
        "query": marshmallow.RAISE,
        "json": marshmallow.RAISE,
    }

    def _raw_load_json(self, req: Request) -> Any:
        if req.headers.get("Content-Encoding", "identity") != "identity":
            raise Problem(415, "compressed", "Send the body without compression.")
        raw = req.get_data()
        if not raw:
            return missing
        if not is_json(req.mimetype):
            raise Problem(415, detail="Send Content-Type: application/json.")
        value = read_json(raw)
        if not isinstance(value, dict):
            raise _bad("not_an_object", "The body must be a JSON object.")
        return value


def _clean(value: Any, depth: int) -> Any:
    """Return the value with its texts in NFC; Problem for depth and characters."""
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        raise _too_deep()
    if isinstance(value, list):
        return [_clean(one, depth - 1) for one in value]
    return {_text(name): _clean(one, depth - 1) for name, one in value.items()}


def _text(value: str) -> str:
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _bad("bad_text", "A text holds NUL or half a surrogate pair.")
    return unicodedata.normalize("NFC", value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _bad("name_twice", "An object names something twice.")
    return found


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise _bad("number_too_large", f"A number has more than {_DIGITS} digits.")
    return int(digits)


def _number(digits: str) -> float:
    found = float(digits)
    if not math.isfinite(found):
        raise _bad("number_too_large", "A number is too large.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise _bad("not_a_number", f"{name} is no JSON.")


def _too_deep() -> Problem:
    return _bad("too_deep", f"The body has more than {DEEPEST} levels.")


def _bad(code: str, detail: str) -> Problem:
    return Problem(400, code, detail)
