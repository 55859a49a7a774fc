"""Fields of our schemas: what is not exactly of the form is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from models.channel import ChannelKind

NAME = r"[a-z][a-z0-9_-]{0,39}"
LANGUAGE = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}"
COUNTRY = r"[A-Z]{2}"
_AROUND = timedelta(days=366)
"""How far from a moment anything we work out of it may lie."""
_EARLIEST = datetime.min.replace(tzinfo=UTC) + _AROUND
_LATEST = datetime.max.replace(tzinfo=UTC) - _AROUND
INTEGER = 2**31 - 1
"""The largest number of an integer column."""
_NO_MOMENT = "Not a moment with a zone, such as 2027-01-31T18:00:00Z."
CHANNELS = [kind.value for kind in ChannelKind]


class Strict(Schema):
    """A schema that refuses what it does not know."""

    class Meta:
        unknown = RAISE


class Instant(fields.AwareDateTime):
    """A moment: RFC 3339 with a zone in, UTC with Z out."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            error_messages={"invalid": _NO_MOMENT, "invalid_awareness": _NO_MOMENT}, **more
        )

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        found: datetime = super()._deserialize(value, attr, data, **kwargs)
        if not _EARLIEST <= found <= _LATEST:
            raise ValidationError("Not a moment we can reckon with.")
        return found.astimezone(UTC)


class Flag(fields.Boolean):
    """true or false, and nothing that resembles them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Whole(fields.Integer):
    """A whole number of a body: no text that looks like one, and nothing is rounded."""

    def __init__(self, **more: Any) -> None:
        super().__init__(strict=True, **more)


class Day(fields.Date):
    """A day of the calendar."""

    def __init__(self, **more: Any) -> None:
        super().__init__(error_messages={"invalid": "Not a day, such as 2027-01-31."}, **more)


def word(pattern: str, description: str, **more: Any) -> fields.String:
    """A short text of one exact form."""
    shape = validate.Regexp(rf"{pattern}\Z", error="Not of the expected form.")
    told = {"description": description, "pattern": f"^{pattern}$"}
    return fields.String(validate=shape, metadata=told, **more)


def one_of(words: list[str], description: str, **more: Any) -> fields.String:
    """One of a few words."""
    return fields.String(
        validate=validate.OneOf(words), metadata={"description": description}, **more
    )


def text(longest: int, description: str, **more: Any) -> fields.String:
    """A text of a bounded length, without control characters."""
    pattern = r"[^\x00-\x1f\x7f]*"
    shape = validate.Regexp(rf"{pattern}\Z", error="Holds a control character.")
    told = {"description": description, "pattern": f"^{pattern}$"}
    length = validate.Length(min=1, max=longest)
    return fields.String(validate=[length, shape], metadata=told, **more)


def described(field: fields.Field, description: str) -> fields.Field:  # type: ignore[type-arg]
    """A field with its description."""
    field.metadata = {**field.metadata, "description": description}
    return field
