"""The one condition language of flows, audiences and rules: parse, evaluate, say as a sentence.

A comparison with an unknown value is false, and `not` of it true. Values are compared as text,
`at_least` and `at_most` as numbers, else as ISO dates. Skipped counts as unknown.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,9})?")
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
        len(values) != 1 or (_as_number(values[0]) is None and _as_instant(values[0]) is None)
    ):
        raise FlowInvalid(place, "must be a number or a date")


def _values(wanted: object, place: str) -> tuple[str, ...]:
    listed = wanted if isinstance(wanted, list | tuple) else [wanted]
    if not listed or not all(isinstance(one, str | int | float) for one in listed):
        raise FlowInvalid(place, "must be a value or a list of values")
    return tuple(_as_text(one) for one in listed if isinstance(one, str | int | float))


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
        return any(_as_text(one) in wanted.values for one in held)
    if isinstance(value, list):
        return False
    if wanted.operator == "is":
        return _as_text(value) in wanted.values
    return _in_order(wanted, _as_text(value))


def _in_order(wanted: Compare, value: str) -> bool:
    limit = wanted.values[0]
    number, number_limit = _as_number(value), _as_number(limit)
    if number is not None and number_limit is not None:
        return number >= number_limit if wanted.operator == "at_least" else number <= number_limit
    instant, instant_limit = _as_instant(value), _as_instant(limit)
    if instant is None or instant_limit is None:
        return False
    if wanted.operator == "at_least":
        return instant >= instant_limit
    return instant <= instant_limit


def _is_within(wanted: Within, value: Value | None, now: datetime) -> bool:
    instant = _as_instant(value) if isinstance(value, str) else None
    return instant is not None and timedelta() <= now - instant <= wanted.span


def _as_text(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _as_number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _as_instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
