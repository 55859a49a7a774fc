"""Pages by key: a cursor says after which row to go on, so rows that come meanwhile shift nothing.

Cursors are signed and bound to the list and the organisation they were given for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from itsdangerous import BadData, URLSafeSerializer
from marshmallow import Schema, fields, validate

from api.fields import Strict
from services.errors import Invalid

MOST = 200
USUAL = 50
Row = TypeVar("Row")


class PageQuery(Strict):
    """What every list takes."""

    limit = fields.Integer(
        load_default=USUAL,
        validate=validate.Range(1, MOST),
        metadata={"description": "How many rows at most."},
    )
    cursor = fields.String(
        load_default=None,
        validate=validate.Length(1, 500),
        metadata={"description": "The next_cursor of the page before."},
    )


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows, and how to get the next; None at the end."""

    data: Sequence[object]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Cursors:
    """Makes and reads the cursors of one list."""

    secret: bytes
    organisation_id: UUID
    route: str

    def read(self, cursor: str | None) -> str | None:
        """Return the key to go on after; Invalid for a cursor we did not give out for this list."""
        if cursor is None:
            return None
        try:
            organisation, route, after = self._serializer.loads(cursor)
        except (BadData, ValueError, TypeError):
            organisation = route = after = None
        if (organisation, route) != (self.organisation_id.hex, self.route):
            raise Invalid("This is no cursor of this list.", place="cursor")
        return str(after)

    def page(self, rows: Sequence[Row], limit: int, key: Callable[[Row], object]) -> Page:
        """Return a page of rows of which one more than `limit` was read, if there are so many."""
        if len(rows) <= limit:
            return Page(rows, None)
        told = [self.organisation_id.hex, self.route, str(key(rows[limit - 1]))]
        return Page(rows[:limit], str(self._serializer.dumps(told)))

    @property
    def _serializer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret, salt=b"homeline api cursor")


def page_of(row: type[Schema]) -> type[Schema]:
    """Return the schema of a page of rows."""
    name = f"{row.__name__.removesuffix('Row')}Page"
    return Strict.from_dict(
        {
            "data": fields.List(fields.Nested(row), required=True),
            "next_cursor": fields.String(
                required=True,
                allow_none=True,
                metadata={"description": "Where the next page begins; null at the end."},
            ),
        },
        name=name,
    )
