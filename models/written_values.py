"""Values written as text or JSON, compared in SQL as flows/conditions.py compares them."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Text, case, cast, func, literal
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from flows.conditions import INSTANT, ZONE
from flows.state import SKIPPED

_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,30}")


def storable(wanted: Iterable[str]) -> Iterable[str]:
    """Give the texts that can be stored at all and stand for something known."""
    for one in wanted:
        if "\0" not in one and one != SKIPPED and one.encode("utf-8", "replace").decode() == one:
            yield one


def json_forms(wanted: Sequence[str], skipped: Iterable[str]) -> Iterable[str]:
    """Give every JSON value that reads as one of the texts; `skipped` ones for a skip's mark."""
    for one in storable(wanted):
        yield json.dumps(one)
        if _WHOLE.fullmatch(one) or _is_fraction(one):
            yield one
        elif one in ("yes", "no"):
            yield "true" if one == "yes" else "false"
    if SKIPPED in wanted:
        yield from skipped


def _is_fraction(text: str) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return str(number) == text and number % 1 != 0 and number - number == 0


def documents(texts: Iterable[str]) -> ColumnElement[Any]:
    """Return an array of JSON values."""
    return cast(literal(list(texts), ARRAY(Text)), ARRAY(JSONB))


def fits(text: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    """Return whether a whole text fits a pattern."""
    return text.regexp_match(f"^(?:{pattern})$")


def instant_of(text: ColumnElement[str]) -> ColumnElement[datetime]:
    """Return the moment a text names, else null: what fits the pattern can always be read."""
    zoned = case(
        (func.length(text) == len("2026-03"), text + "-01 00:00Z"),
        (func.length(text) == len("2026-03-02"), text + " 00:00Z"),
        (text.regexp_match(f"{ZONE}$"), text),
        else_=text + "Z",
    )
    return case((fits(text, INSTANT), cast(zoned, TIMESTAMP(timezone=True))))
