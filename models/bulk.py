"""Many rows in one statement: one JSON document instead of a statement for each row."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import JSON, FromClause, Table, Text, cast, column, func, literal, select
from sqlalchemy.dialects.postgresql import Insert, insert

from models.base import Base


def rows_of(
    entity: type[Base], rows: Sequence[Mapping[str, Any]], name: str = "given"
) -> FromClause:
    """Return the rows as something to select from, each column typed as the entity's is.

    All rows have the same columns as the first; what a row leaves out is null.
    """
    table = _table(entity)
    document = cast(literal(orjson.dumps(list(rows)).decode(), Text()), JSON())
    columns = [column(each, table.c[each].type) for each in rows[0]]
    typed = func.json_to_recordset(document).table_valued(*columns)
    return typed.render_derived(name=name, with_types=True)


def insert_all(entity: type[Base], rows: Sequence[Mapping[str, Any]]) -> Insert:
    """Return the statement that inserts all of the rows."""
    given = rows_of(entity, rows)
    chosen = select(*(given.c[each] for each in rows[0]))
    return insert(_table(entity)).from_select(list(rows[0]), chosen, include_defaults=False)


def _table(entity: type[Base]) -> Table:
    table = entity.__table__
    assert isinstance(table, Table)
    return table
