"""What a condition can ask about a person: each field once as a value and once as SQL.

The SQL is over a statement that reads `profiles` and `contacts` together (`people` in
models/conditions.py). An expression may be null where the field is unknown; null counts as false.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    Uuid,
    any_,
    case,
    cast,
    false,
    func,
    literal,
    or_,
)
from sqlalchemy.dialects.postgresql import JSONB, NUMERIC
from sqlalchemy.orm import InstrumentedAttribute

from flows.conditions import NUMBER, as_instant
from flows.state import SKIPPED, Value
from models.contact import Contact
from models.profile import Profile
from models.written_values import documents, fits, instant_of, json_forms, storable

GRANTED: Final = "granted"
"""The value of `consent.PURPOSE` while the person allows the purpose; otherwise unknown."""
CHANNELS: Final = {"whatsapp-id": "whatsapp", "sim": "simulator"}
"""Channels whose addresses have another first part."""

Limit = Decimal | datetime
Sql = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Facts:
    """The rows of one person that conditions look at; `origin` is how they came."""

    profile: Profile = field(repr=False)
    origin: Mapping[str, Any] = field(repr=False)


class Field(Protocol):
    """One thing that may be known of a person."""

    def value(self, facts: Facts) -> Value | None:
        """What is known of one person."""

    def equals(self, wanted: Sequence[str]) -> Sql:
        """Whether the value, which is no list, is one of these."""

    def holds(self, wanted: Sequence[str]) -> Sql:
        """Whether the value, or one in its list, is one of these."""

    def is_known(self) -> Sql:
        """Whether there is a value."""

    def reaches(self, limit: Limit) -> Sql:
        """Whether the value is a number or instant at or after the limit."""

    def stays_below(self, limit: Limit) -> Sql:
        """Whether the value is a number or instant at or before the limit."""


class _Plain:
    """A field that holds one value, which is no number and no instant."""

    def equals(self, wanted: Sequence[str]) -> Sql:
        raise NotImplementedError

    def holds(self, wanted: Sequence[str]) -> Sql:
        return self.equals(wanted)

    def reaches(self, limit: Limit) -> Sql:
        return false()

    def stays_below(self, limit: Limit) -> Sql:
        return false()


@dataclass(frozen=True, slots=True)
class InstantField(_Plain):
    """A moment we noted, such as `joined`; its text is ISO 8601 in UTC with microseconds."""

    column: InstrumentedAttribute[Any]

    def value(self, facts: Facts) -> Value | None:
        instant = getattr(facts.profile, self.column.key)
        return None if instant is None else _iso(instant)

    def equals(self, wanted: Sequence[str]) -> Sql:
        moments = ((as_instant(one), one) for one in wanted if one.endswith(_UTC_MARK))
        return self.column.in_([at for at, one in moments if at and _iso(at) == one])

    def is_known(self) -> Sql:
        return self.column.is_not(None)

    def reaches(self, limit: Limit) -> Sql:
        return self.column >= limit if isinstance(limit, datetime) else false()

    def stays_below(self, limit: Limit) -> Sql:
        return self.column <= limit if isinstance(limit, datetime) else false()


@dataclass(frozen=True, slots=True)
class IdField(_Plain):
    """The id of another row, such as `office`."""

    column: InstrumentedAttribute[Any]

    def value(self, facts: Facts) -> Value | None:
        found = getattr(facts.profile, self.column.key)
        return None if found is None else str(found)

    def equals(self, wanted: Sequence[str]) -> Sql:
        ids = [UUID(one) for one in wanted if _is_id(one)]
        return self.column == any_(literal(ids, ARRAY(Uuid)))

    def is_known(self) -> Sql:
        return self.column.is_not(None)


@dataclass(frozen=True, slots=True)
class ConsentField(_Plain):
    """Whether a purpose is allowed: "granted", or unknown."""

    purpose: str

    def value(self, facts: Facts) -> Value | None:
        return GRANTED if self.purpose in facts.profile.consents else None

    def equals(self, wanted: Sequence[str]) -> Sql:
        return self.is_known() if GRANTED in wanted else false()

    def is_known(self) -> Sql:
        return Profile.consents.contains([self.purpose])


class _Written(_Plain):
    """A field whose value is written as text: it may read as a number or instant."""

    def text(self) -> ColumnElement[str]:
        raise NotImplementedError

    def is_number(self) -> Sql:
        return fits(self.text(), NUMBER)

    def reaches(self, limit: Limit) -> Sql:
        return self._ordered(limit, ">=")

    def stays_below(self, limit: Limit) -> Sql:
        return self._ordered(limit, "<=")

    def _ordered(self, limit: Limit, sign: str) -> Sql:
        if isinstance(limit, Decimal):
            number = case((self.is_number(), cast(self.text(), NUMERIC)))
            return number.op(sign, is_comparison=True)(literal(limit, NUMERIC))
        return instant_of(self.text()).op(sign, is_comparison=True)(limit)


@dataclass(frozen=True, slots=True)
class TextField(_Written):
    """A column of text, such as `country`."""

    column: InstrumentedAttribute[Any]

    def value(self, facts: Facts) -> Value | None:
        found: str | None = getattr(facts.profile, self.column.key)
        return found

    def text(self) -> ColumnElement[str]:
        return self.column.expression

    def equals(self, wanted: Sequence[str]) -> Sql:
        return self.text() == any_(literal(list(storable(wanted)), ARRAY(Text)))

    def is_known(self) -> Sql:
        return self.text() != SKIPPED  # null is neither equal nor different


@dataclass(frozen=True, slots=True)
class ChannelField(TextField):
    """The channel last used, by its name rather than by the first part of the address."""

    def value(self, facts: Facts) -> Value | None:
        found: str | None = getattr(facts.profile, self.column.key)
        return None if found is None else CHANNELS.get(found, found)

    def text(self) -> ColumnElement[str]:
        return case(CHANNELS, value=self.column, else_=self.column)


@dataclass(frozen=True, slots=True)
class RelayField(TextField):
    """The relay through which the person came."""

    column: InstrumentedAttribute[Any] = Contact.origin
    key: str = "relay"

    def value(self, facts: Facts) -> Value | None:
        found = facts.origin.get(self.key)
        return found if isinstance(found, str) else None

    def text(self) -> ColumnElement[str]:
        return _member(self.column, self.key)


@dataclass(frozen=True, slots=True)
class AnswerField(_Written):
    """The latest answer to a question of a flow, as `profiles.rest` has it."""

    key: str

    def value(self, facts: Facts) -> Value | None:
        found: Value | None = facts.profile.rest.get(self.key)
        return found

    def text(self) -> ColumnElement[str]:
        return _member(Profile.rest, self.key)

    def equals(self, wanted: Sequence[str]) -> Sql:
        return self._json() == any_(documents(json_forms(wanted, skipped=())))

    def holds(self, wanted: Sequence[str]) -> Sql:
        listed = documents(json_forms(wanted, skipped=(json.dumps([SKIPPED]),)))
        return self._json().op("@>", is_comparison=True)(any_(listed))

    def is_known(self) -> Sql:
        return self._json().not_in([literal(None, JSONB), literal(SKIPPED, JSONB)])

    def is_number(self) -> Sql:
        return or_(func.jsonb_typeof(self._json()) == "number", fits(self.text(), NUMBER))

    def _json(self) -> ColumnElement[Any]:
        return Profile.rest.op("->", return_type=JSONB())(self.key)


def _member(column: InstrumentedAttribute[Any], key: str) -> ColumnElement[str]:
    member: ColumnElement[str] = column.op("->>", return_type=Text())(key)
    return member


_UTC_MARK: Final = "+00:00"


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
