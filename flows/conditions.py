"""The one condition language of flows, audiences and rules: parse, evaluate, say as a sentence.

A comparison with an unknown value is false, and `not` of it true. Values are compared as text,
`at_least` and `at_most` as numbers, else as ISO dates. Skipped counts as unknown.
models/conditions.py says the same in SQL; a property test holds both equal.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, TypeAlias

from flows.errors import FlowInvalid
from flows.spec import duration
from flows.state import SKIPPED, Value

OPERATORS: Final = ("not", "has", "at_least", "at_most", "within", "known")
RESERVED: Final = frozenset({"all", "any", "not"})
PROFILE: Final = frozenset(
    "country place region time_zone link age_band gender activity language channel office"
    " joined last_seen relay registered".split()
)
_DOTTED: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}\.[a-z][a-z0-9_-]{0,39}")
NUMBER: Final = r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,9})?"
"""What counts as a number; means the same to Python and PostgreSQL."""
_LEAP: Final = "(?:[1-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)-02-29"
_DAY: Final = (
    "[1-9][0-9]{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
ZONE: Final = "(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
INSTANT: Final = f"[1-9][0-9]{{3}}-(?:0[1-9]|1[0-2])|(?:{_DAY}|{_LEAP})(?:[T ]{_TIME}{ZONE}?)?"
"""What counts as an instant: a month, day or moment of the calendar from the year 1000 on.

It means the same to Python and PostgreSQL, and both can read whatever it matches.
"""
_NUMBER: Final = re.compile(NUMBER)
_INSTANT: Final = re.compile(INSTANT)
_DEEPEST: Final = 20

Lookup: TypeAlias = Callable[[str], Value | None]


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison of a field; `operator` is `is`, `has`, `at_least`, `at_most`, `known`."""

    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """The field is an instant no longer ago than this, and not in the future."""

    field: str
    span: timedelta


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; with no parts, always."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part holds; with no parts, never."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Condition"


Condition: TypeAlias = Compare | Within | All | Any | Not


@dataclass(frozen=True, slots=True)
class Names:
    """The names a condition may use: questions of this flow, profile fields, dotted names."""

    questions: frozenset[str] = frozenset()
    profile: frozenset[str] = PROFILE

    def __contains__(self, name: object) -> bool:
        """Whether a condition may use the name."""
        if not isinstance(name, str) or name in RESERVED:
            return False
        return name in self.questions or name in self.profile or bool(_DOTTED.fullmatch(name))


def parse(mapping: object, names: Names, place: str = "when") -> Condition:
    """The condition a mapping describes; raises FlowInvalid with the place of the fault."""
    return _parse(mapping, names, place, 0)


def _parse(mapping: object, names: Names, place: str, depth: int) -> Condition:
    if depth > _DEEPEST:
        raise FlowInvalid(place, "is nested too deeply")
    if not isinstance(mapping, Mapping) or not mapping:
        raise FlowInvalid(place, "must be a condition such as {field: value}")
    parts: list[Condition] = []
    for key, wanted in mapping.items():
        inner = f"{place}.{key}"
        if key in ("all", "any"):
            if not isinstance(wanted, list | tuple):
                raise FlowInvalid(inner, "must be a list of conditions")
            listed = tuple(
                _parse(one, names, f"{inner}[{index}]", depth + 1)
                for index, one in enumerate(wanted)
            )
            parts.append(All(listed) if key == "all" else Any(listed))
        elif key == "not":
            parts.append(Not(_parse(wanted, names, inner, depth + 1)))
        elif key in names:
            parts.append(_field(str(key), wanted, inner, depth + 1))
        else:
            raise FlowInvalid(inner, "is no question, profile field or name known here")
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _field(name: str, wanted: object, place: str, depth: int) -> Condition:
    if depth > _DEEPEST:
        raise FlowInvalid(place, "is nested too deeply")
    if not isinstance(wanted, Mapping):
        return Compare(name, "is", _values(wanted, place))
    if len(wanted) != 1 or next(iter(wanted)) not in OPERATORS:
        raise FlowInvalid(place, f"takes one of: {', '.join(OPERATORS)}")
    operator, value = next(iter(wanted.items()))
    inner = f"{place}.{operator}"
    if operator == "not":
        return Not(_field(name, value, inner, depth + 1))
    if operator == "within":
        span = duration(value) if isinstance(value, str) else None
        if span is None:
            raise FlowInvalid(inner, "must be a duration such as 30 days")
        return Within(name, span)
    values = _values(value, inner)
    _check_operand(operator, values, inner)
    return Compare(name, operator, values)


def _check_operand(operator: str, values: tuple[str, ...], place: str) -> None:
    if operator == "known" and values not in (("yes",), ("no",), ("true",), ("false",)):
        raise FlowInvalid(place, "must be true or false")
    if operator in ("at_least", "at_most") and (
        len(values) != 1 or (as_number(values[0]) is None and as_instant(values[0]) is None)
    ):
        raise FlowInvalid(place, "must be a number or a date")


def _values(wanted: object, place: str) -> tuple[str, ...]:
    listed = wanted if isinstance(wanted, list | tuple) else [wanted]
    if not listed or not all(isinstance(one, str | int | float) for one in listed):
        raise FlowInvalid(place, "must be a value or a list of values")
    return tuple(as_text(one) for one in listed if isinstance(one, str | int | float))


def evaluate(condition: Condition, lookup: Lookup, now: datetime) -> bool:
    """Whether the condition holds for the values that `lookup` knows."""
    match condition:
        case Compare():
            return _compare(condition, lookup(condition.field))
        case Within():
            return _is_within(condition, lookup(condition.field), now)
        case All(parts):
            return all(evaluate(part, lookup, now) for part in parts)
        case Any(parts):
            return any(evaluate(part, lookup, now) for part in parts)
        case Not(part):
            return not evaluate(part, lookup, now)


def may_hold(
    condition: Condition, lookup: Lookup, now: datetime, unanswered: frozenset[str]
) -> bool:
    """Whether the condition holds or still may, once the unanswered questions are answered."""
    return _three_valued(condition, lookup, now, unanswered) is not False


def fields(condition: Condition) -> frozenset[str]:
    """Every name the condition looks at."""
    match condition:
        case Compare() | Within():
            return frozenset({condition.field})
        case All(parts) | Any(parts):
            return frozenset().union(*(fields(part) for part in parts))
        case Not(part):
            return fields(part)


def _three_valued(
    condition: Condition, lookup: Lookup, now: datetime, unanswered: frozenset[str]
) -> bool | None:
    match condition:
        case Compare() | Within():
            return None if condition.field in unanswered else evaluate(condition, lookup, now)
        case All(parts) | Any(parts):
            held = [_three_valued(part, lookup, now, unanswered) for part in parts]
            decisive = isinstance(condition, Any)
            if decisive in held:
                return decisive
            return None if None in held else not decisive
        case Not(part):
            inner = _three_valued(part, lookup, now, unanswered)
            return None if inner is None else not inner


def _compare(wanted: Compare, value: Value | None) -> bool:
    unknown = value is None or value == SKIPPED
    if wanted.operator == "known":
        return unknown == (wanted.values[0] in ("no", "false"))
    if value is None or unknown:
        return False
    if wanted.operator == "has":
        held = value if isinstance(value, list) else [value]
        return any(as_text(one) in wanted.values for one in held)
    if isinstance(value, list):
        return False
    if wanted.operator == "is":
        return as_text(value) in wanted.values
    return _in_order(wanted, value)


def _in_order(wanted: Compare, value: Value) -> bool:
    held, limit = as_number(value), as_number(wanted.values[0])
    if held is not None and limit is not None:
        return held >= limit if wanted.operator == "at_least" else held <= limit
    instant, last = as_instant(value), as_instant(wanted.values[0])
    if instant is None or last is None:
        return False
    return instant >= last if wanted.operator == "at_least" else instant <= last


def _is_within(wanted: Within, value: Value | None, now: datetime) -> bool:
    instant = None if value is None else as_instant(value)
    return instant is not None and timedelta() <= now - instant <= wanted.span


def as_text(value: Value) -> str:
    """The text a value is compared by."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def as_number(value: Value) -> Decimal | None:
    """The number a value is or is written as, exactly; None for any other."""
    if isinstance(value, str):
        return Decimal(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, bool | list):
        return None
    return Decimal(str(value))


def as_instant(value: Value) -> datetime | None:
    """The moment a text names, in UTC where it says no zone; a month or day begins at midnight."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return None
    instant = datetime.fromisoformat(value if len(value) > 7 else f"{value}-01")
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
