"""Exports: many rows at once, for a reason that is recorded; none of it is kept here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import ValidationError, fields, post_load, validate

from api.auth import require
from api.contacts import ContactQuery, ContactRow
from api.fields import Flag, Strict, Whole, described, one_of
from api.paging import PageQuery
from api.registrations import RegistrationQuery, RegistrationRow
from api.resource import Resource
from api.scopes import PEOPLE_READ
from api.work import Work, get_reason
from services.people import exports, profiles, registrations

resource = Resource("exports", "Many rows at once, for a reason; none of it is kept here.")
MOST = 5000
USUAL = 1000
NEXT_HEADER = "Homeline-Next-Cursor"
FORMATS = ["csv", "json"]
_CSV = "text/csv; charset=utf-8; header=present"
_ALSO_CSV = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
_FILTERS = "Those of the list of the same name: GET /registrations, GET /contacts."


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of rows: its filters and shape, how it is read, and what is spread over columns."""

    word: str
    query: type[PageQuery]
    row: type[Strict]
    read: Callable[[Work, Mapping[str, Any], UUID | None, int], Sequence[Any]]
    spread: str
    columns: Callable[[Work, Mapping[str, Any]], Sequence[str]]

    def filters(self, given: object) -> dict[str, Any]:
        """Return filters as the list of the same name takes them; ValidationError otherwise."""
        schema = self.query(exclude=("limit", "cursor"))
        try:
            found: dict[str, Any] = schema.load(given)  # type: ignore[arg-type]  # it checks
        except ValidationError as fault:
            raise ValidationError({"filters": fault.messages}) from None
        return found


def _registrations(
    work: Work, filters: Mapping[str, Any], after: UUID | None, most: int
) -> Sequence[Any]:
    wanted = registrations.Wanted(**filters)
    return registrations.list_registrations(
        work.db, work.line.keyring, wanted, after=after, most=most
    )


def _people(work: Work, filters: Mapping[str, Any], after: UUID | None, most: int) -> Sequence[Any]:
    return profiles.list_people(work.db, profiles.Wanted(**filters), after=after, most=most)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "registrations": Kind(
            "registration",
            RegistrationQuery,
            RegistrationRow,
            _registrations,
            "answers",
            lambda work, filters: exports.list_questions(work.db, filters.get("flow")),
        ),
        "contacts": Kind(
            "contact", ContactQuery, ContactRow, _people, "profile", lambda *_: profiles.CORE
        ),
    }
)


class ExportOrder(Strict):
    """Which rows, and in which form."""

    what = one_of(list(KINDS), "Which rows.", required=True)
    filters = fields.Dict(
        keys=fields.String(), load_default=dict, metadata={"description": _FILTERS}
    )
    format = one_of(FORMATS, "A table for spreadsheets, or JSON.", load_default="csv")
    bom = described(
        Flag(load_default=False), "Begin the table with the mark spreadsheets look for."
    )
    limit = Whole(
        load_default=USUAL,
        validate=validate.Range(1, MOST),
        metadata={"description": "How many rows at most."},
    )
    cursor = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(1, 500),
        metadata={"description": f"The next_cursor, or {NEXT_HEADER}, of the part before."},
    )

    @post_load
    def _read_filters(self, order: dict[str, Any], **_: Any) -> dict[str, Any]:
        return order | {"filters": KINDS[order["what"]].filters(order["filters"])}


class Exported(Strict):
    """An export as JSON; a table has the same in its body and headers."""

    what = fields.String(required=True)
    rows = described(fields.Integer(required=True), "How many are in this part.")
    data = described(
        fields.List(fields.Dict(), required=True), "Rows as the list of the same name has them."
    )
    next_cursor = described(
        fields.String(required=True, allow_none=True),
        "Where the next part begins; null at the end.",
    )


@resource.operation("POST", "/exports", body=ExportOrder, gives=Exported, kept=False)
@resource.doc(responses=_ALSO_CSV)  # type: ignore[untyped-decorator]  # flask-smorest has no types
def create_export(work: Work, body: dict[str, Any]) -> dict[str, Any] | Response:
    """Export rows about people; needs `people:read` too, and a reason.

    A table is RFC 4180 in UTF-8, every field quoted; what would be a formula begins with an
    apostrophe. Where there is more, the header Homeline-Next-Cursor says how to go on.
    """
    require(work.holder, PEOPLE_READ)
    reason = get_reason()
    kind = KINDS[body["what"]]
    cursors = replace(work.cursors, route=f"{work.route} {body['what']}")
    after, limit = cursors.read(body["cursor"]), body["limit"]
    rows = kind.read(work, body["filters"], UUID(after) if after else None, limit + 1)
    page = cursors.page(rows, limit, lambda row: row.id)
    ids = [row.id for row in rows[:limit]]
    exports.record(
        work.db, work.actor, kind.word, ids, form=body["format"], reason=reason, now=work.now
    )
    data: list[dict[str, Any]] = kind.row(many=True).dump(page.data)
    if body["format"] == "json":
        told = {"what": body["what"], "rows": len(data), "data": data}
        return told | {"next_cursor": page.next_cursor}
    return _table(work, body, data, page.next_cursor)


def _table(
    work: Work, body: Mapping[str, Any], data: Sequence[dict[str, Any]], next_cursor: str | None
) -> Response:
    kind = KINDS[body["what"]]
    apart = list(kind.columns(work, body["filters"]))
    columns = [name for name in kind.row().fields if name != kind.spread]
    columns += [f"{kind.spread}.{one}" for one in (*apart, "more")]
    rows = (exports.flat(row, kind.spread, apart) for row in data)
    response = Response(exports.as_csv(columns, rows, bom=body["bom"]), content_type=_CSV)
    name = f"{body['what']}-{work.now:%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if next_cursor is not None:
        response.headers[NEXT_HEADER] = next_cursor
    return response
