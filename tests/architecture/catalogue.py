"""What the database itself says about the walls: every fault in one sentence.

The expected state is computed from models/walls.py and services/retention.py, never from the
migrations, so a table, view, key or policy nobody thought about is a fault.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from models.walls import ALL, APP_ROLE, FREE, SYSTEM
from services.retention import FOLLOW_CONTACT, PERIODS

SCHEMAS = frozenset({"public", "procrastinate"})
"""Procrastinate keeps its jobs, which hold ids only, in a schema of its own."""

LOOSE = {
    ("contacts", "id"): "the row itself",
    ("conversations", "session_id"): "a session may expire before its conversation",
    ("conversations", "case_id"): "the case itself is tied to the contact",
    ("messages", "session_id"): "a note for officers; a session may be gone before the message",
    ("flow_sessions", "ask_id"): "worked out from the origin; asks are never deleted",
    ("recipients", "address_id"): "where it went; the address may be gone",
    ("recipients", "channel_id"): "where it went; the channel may be gone",
    ("recipients", "message_id"): "messages go after 90 days",
    ("audit_events", "actor_id"): "outlives whoever acted",
    ("audit_events", "subject_id"): "outlives what was done to it",
    ("door", "target_id"): "points into a different table for each kind",
}
"""Columns that look like keys to rows and are none, each with its reason."""

APPEND_ONLY = {"audit_events", "flow_versions", "consent_events"}
NO_CONTENT_OF_PEOPLE = {
    "door": {"kind", "key_hash", "organisation_id", "target_id"},
    "clock": {"id", "offset"},
    "alembic_version": {"version_num"},
}
PERSONAL = {"contact_id", "address_hash", "number_hash"}

_HERE = "({} = (NULLIF(current_setting('app.organisation'::text, true), ''::text))::uuid)"
_SCOPE = "(current_setting('app.scope'::text, true) = 'system'::text)"
_VERBS = {"r": "select", "a": "insert", "w": "update", "d": "delete", "*": "all"}


@dataclass(frozen=True)
class Table:
    """One table as the catalogue describes it."""

    name: str
    oid: int
    guarded: bool
    forced: bool
    columns: dict[str, str]

    @property
    def owner_column(self) -> str:
        return "id" if self.name == "organisations" else "organisation_id"


def faults(connection: Connection) -> list[str]:
    """Every fault of this database; empty when all walls stand."""
    tables = list(_tables(connection))
    found = [*_strangers(connection), *_functions(connection), *_roles(connection)]
    for table in tables:
        if table.name in FREE:
            if set(table.columns) != NO_CONTENT_OF_PEOPLE[table.name]:
                found.append(f"{table.name}: without walls it may only hold its listed columns")
            continue
        found += _key(connection, table)
        found += _policies(connection, table)
        found += _foreign_keys(connection, table)
        found += _cascades(connection, table)
        found += _retention(connection, table)
        found += _grants(connection, table)
    names = {table.name for table in tables}
    found += [f"{name}: listed in models/walls.py, but no table" for name in SYSTEM.keys() - names]
    return found


def _tables(connection: Connection) -> Iterator[Table]:
    rows = _rows(
        connection,
        """SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity,
                  array_agg(a.attname::text) AS names,
                  array_agg(t.typname || ' ' || t.typtype::text) AS types
             FROM pg_class c
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             JOIN pg_type t ON t.oid = a.atttypid
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
            GROUP BY c.oid ORDER BY c.relname""",
    )
    for row in rows:
        columns = dict(zip(row.names, row.types, strict=True))
        yield Table(row.relname, row.oid, row.relrowsecurity, row.relforcerowsecurity, columns)


def _strangers(connection: Connection) -> Iterator[str]:
    """Views and whatever else shows rows past the policies; tables in schemas nobody listed."""
    rows = _rows(
        connection,
        """SELECT n.nspname AS schema, c.relname, c.relkind::text AS kind
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
              AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
            ORDER BY 1, 2""",
    )
    for row in rows:
        if row.schema not in SCHEMAS:
            yield f"{row.schema}.{row.relname}: a schema nobody listed"
        elif row.schema == "public" and row.kind not in ("r", "p"):
            yield f"{row.relname}: views show rows past the walls"


def _functions(connection: Connection) -> Iterator[str]:
    rows = _rows(
        connection,
        """SELECT proname FROM pg_proc p
            WHERE pronamespace = 'public'::regnamespace AND prosecdef""",
    )
    for row in rows:
        yield f"{row.proname}(): a function may not run with its owner's rights"


def _roles(connection: Connection) -> Iterator[str]:
    rows = _rows(
        connection,
        """SELECT rolname FROM pg_roles
            WHERE rolname = :app AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)""",
        app=APP_ROLE,
    )
    for row in rows:
        yield f"{row.rolname}: the serving role is too strong"
    owned = _rows(
        connection,
        """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
              AND relkind IN ('r', 'p') AND pg_get_userbyid(relowner) = :app""",
        app=APP_ROLE,
    )
    for row in owned:
        yield f"{row.relname}: owned by the serving role"


def _key(connection: Connection, table: Table) -> Iterator[str]:
    if table.columns.get(table.owner_column) != "uuid b":
        yield f"{table.name}: no {table.owner_column}"
        return
    indexes = _rows(
        connection,
        """SELECT i.indisprimary, x.relname,
                  array(SELECT attname::text FROM pg_attribute
                         WHERE attrelid = i.indrelid AND attnum = ANY (i.indkey)) AS columns
             FROM pg_index i
             JOIN pg_class x ON x.oid = i.indexrelid
            WHERE i.indrelid = :oid AND i.indisunique""",
        oid=table.oid,
    )
    if not any(row.indisprimary for row in indexes):
        yield f"{table.name}: no primary key"
    for row in indexes:
        if table.owner_column not in row.columns:
            yield f"{table.name}: {row.relname} is unique across organisations"
    for column, kind in table.columns.items():
        if kind.endswith(" e"):
            yield f"{table.name}.{column}: an enum's comparison is not leakproof, use text"


def _policies(connection: Connection, table: Table) -> Iterator[str]:
    if not (table.guarded and table.forced):
        yield f"{table.name}: row-level security is not forced"
    rows = _rows(
        connection,
        """SELECT polname, polcmd::text AS verb, polpermissive AS permissive,
                  polroles = '{0}' AS everybody,
                  pg_get_expr(polqual, polrelid) AS using_clause,
                  pg_get_expr(polwithcheck, polrelid) AS check_clause
             FROM pg_policy WHERE polrelid = :oid""",
        oid=table.oid,
    )
    there = {
        (_VERBS[row.verb], row.using_clause, row.check_clause)
        for row in rows
        if row.permissive and row.everybody
    }
    expected = set(_expected_policies(table))
    for verb, using, check in sorted(expected - there, key=str):
        yield f"{table.name}: no policy for {verb} with USING {using} and WITH CHECK {check}"
    if len(rows) > len(there) or there - expected:
        yield f"{table.name}: a policy that is not on the list"


def _expected_policies(table: Table) -> Iterator[tuple[str, str | None, str | None]]:
    here = _HERE.format(table.owner_column)
    yield "all", here, here
    verbs = SYSTEM.get(table.name, frozenset())
    if verbs == ALL:
        yield "all", _SCOPE, _SCOPE
        return
    for verb in verbs:
        yield verb, None if verb == "insert" else _SCOPE, _SCOPE if verb == "insert" else None


def _foreign_keys(connection: Connection, table: Table) -> Iterator[str]:
    rows = _rows(
        connection,
        """SELECT k.conname, f.relname AS target, k.confdeltype::text AS on_delete,
                  array(SELECT attname::text
                          FROM unnest(k.conkey) WITH ORDINALITY u(n, place)
                          JOIN pg_attribute ON attrelid = k.conrelid AND attnum = n
                         ORDER BY place) AS here,
                  array(SELECT attname::text
                          FROM unnest(k.confkey) WITH ORDINALITY u(n, place)
                          JOIN pg_attribute ON attrelid = k.confrelid AND attnum = n
                         ORDER BY place) AS there
             FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid
            WHERE k.conrelid = :oid AND k.contype = 'f'""",
        oid=table.oid,
    )
    tied = {column for row in rows for column in row.here}
    for row in rows:
        whole = row.target == "organisations" or "organisation_id" in row.there
        if row.here[0] != "organisation_id" or not whole:
            yield f"{table.name}: {row.conname} can point into another organisation"
    if table.owner_column not in tied and table.name != "organisations":
        yield f"{table.name}: nothing ties it to its organisation"
    for column, kind in table.columns.items():
        known = column in tied or (table.name, column) in LOOSE
        if column.endswith("_id") and kind == "uuid b" and not known:
            yield f"{table.name}.{column}: points to a row without a foreign key"
    if "contact_id" in table.columns and not any(
        row.on_delete == "c" and "contact_id" in row.here for row in rows
    ):
        yield f"{table.name}: does not go when its contact goes"


def _cascades(connection: Connection, table: Table) -> Iterator[str]:
    """Deleting a person may not read a whole table to find their rows."""
    rows = _rows(
        connection,
        """SELECT k.conname FROM pg_constraint k
            WHERE k.conrelid = :oid AND k.contype = 'f' AND k.confdeltype = 'c'
              AND NOT EXISTS (
                  SELECT FROM pg_index i
                   WHERE i.indrelid = k.conrelid AND i.indkey[0] = ANY (k.conkey)
                     AND (i.indkey[0] <> k.conkey[1] OR i.indkey[1] = ANY (k.conkey)))""",
        oid=table.oid,
    )
    for row in rows:
        yield f"{table.name}: no index serves the deletions of {row.conname}"


def _retention(connection: Connection, table: Table) -> Iterator[str]:
    personal = PERSONAL & set(table.columns) or table.name == "contacts"
    if not personal:
        return
    if "expires_at" not in table.columns:
        yield f"{table.name}: holds something of a person, but no expires_at"
    if table.name not in PERIODS and table.name not in FOLLOW_CONTACT:
        yield f"{table.name}: no rule in services/retention.py"
    nullable = _rows(
        connection,
        """SELECT true FROM pg_attribute
            WHERE attrelid = :oid AND attname = 'expires_at' AND NOT attnotnull""",
        oid=table.oid,
    )
    if nullable and table.name not in FOLLOW_CONTACT:
        yield f"{table.name}: expires_at may be forgotten"


def has_serving_role(connection: Connection) -> bool:
    """Whether a role of its own serves; else one role both owns and serves."""
    return bool(_rows(connection, "SELECT true FROM pg_roles WHERE rolname = :r", r=APP_ROLE))


def _grants(connection: Connection, table: Table) -> Iterator[str]:
    rows = _rows(
        connection,
        """SELECT lower(privilege_type) AS verb, grantee = 0 AS everybody
             FROM pg_class, aclexplode(relacl)
            WHERE oid = :oid AND (grantee = 0 OR grantee = to_regrole(:app))""",
        oid=table.oid,
        app=APP_ROLE,
    )
    granted = {row.verb for row in rows}
    if any(row.everybody for row in rows):
        yield f"{table.name}: granted to everybody"
    if not has_serving_role(connection):
        return
    if "select" not in granted:
        yield f"{table.name}: the serving role cannot read it"
    if granted - ALL:
        yield f"{table.name}: the serving role may {', '.join(sorted(granted - ALL))}"
    if table.name in APPEND_ONLY and "update" in granted:
        yield f"{table.name}: append-only, yet the serving role may update"


def _rows(connection: Connection, query: str, **values: Any) -> list[Any]:
    return list(connection.execute(text(query), values).all())
