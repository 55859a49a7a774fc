"""No wall is forgotten: the database's own catalogue is read, and every deviation is a fault."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from models import Base
from models.db import make_engine
from models.walls import APP_ROLE, FREE
from services.retention import FOLLOW_CONTACT, PERIODS, SWEEPS
from tests.architecture.catalogue import faults, has_serving_role
from tests.databases import ROOT, Urls

SOURCES = (
    "api bot commands console flows insights jobs migrations models public services tools".split()
)
KEY = "PRIMARY KEY (organisation_id, id)"
WALLED = "organisation_id uuid NOT NULL REFERENCES organisations, id uuid NOT NULL"
HERE = "organisation_id = nullif(current_setting('app.organisation', true), '')::uuid"
GUARD = (
    "ALTER TABLE planted ENABLE ROW LEVEL SECURITY; ALTER TABLE planted FORCE ROW LEVEL SECURITY;"
    f"CREATE POLICY organisation ON planted USING ({HERE}) WITH CHECK ({HERE});"
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON planted TO {APP_ROLE}"
)


@pytest.fixture
def owner(urls: Urls) -> Iterator[Connection]:
    """A connection that may create anything, and keeps nothing of it."""
    engine = make_engine(urls.owner)
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        yield connection
        connection.rollback()
    engine.dispose()


def test_every_wall_stands(owner: Connection) -> None:
    """T-01: no table, view, key, role or grant is exempt."""
    assert faults(owner) == []


PLANTED = {
    "a table without an organisation": (
        "CREATE TABLE planted (id uuid PRIMARY KEY)",
        "planted: no organisation_id",
    ),
    "a table without walls": (
        f"CREATE TABLE planted ({WALLED}, {KEY})",
        "planted: row-level security is not forced",
    ),
    "walls that do not bind the owner": (
        f"CREATE TABLE planted ({WALLED}, {KEY}); {GUARD};"
        "ALTER TABLE planted NO FORCE ROW LEVEL SECURITY",
        "planted: row-level security is not forced",
    ),
    "a policy that lets one write anywhere": (
        f"CREATE TABLE planted ({WALLED}, {KEY});"
        "ALTER TABLE planted ENABLE ROW LEVEL SECURITY;"
        "ALTER TABLE planted FORCE ROW LEVEL SECURITY;"
        f"CREATE POLICY organisation ON planted USING ({HERE}) WITH CHECK (true)",
        "planted: a policy that is not on the list",
    ),
    "one policy too many": (
        "CREATE POLICY more ON contacts FOR SELECT USING (true)",
        "contacts: a policy that is not on the list",
    ),
    "the system scope where it is not listed": (
        "CREATE POLICY system ON offices"
        " USING (current_setting('app.scope', true) = 'system')"
        " WITH CHECK (current_setting('app.scope', true) = 'system')",
        "offices: a policy that is not on the list",
    ),
    "a key that can point to a neighbour": (
        "ALTER TABLE contacts ADD CONSTRAINT single UNIQUE (id);"
        f"CREATE TABLE planted ({WALLED}, {KEY}, friend uuid,"
        f" CONSTRAINT away FOREIGN KEY (friend) REFERENCES contacts (id)); {GUARD}",
        "planted: away can point into another organisation",
    ),
    "uniqueness across organisations": (
        "CREATE UNIQUE INDEX single ON offices (name)",
        "offices: single is unique across organisations",
    ),
    "a key column without a key": (
        f"CREATE TABLE planted ({WALLED}, office_id uuid, {KEY}); {GUARD}",
        "planted.office_id: points to a row without a foreign key",
    ),
    "a person's row that outlives them": (
        f"CREATE TABLE planted ({WALLED}, contact_id uuid, expires_at timestamptz, {KEY},"
        " FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id));"
        f"{GUARD}",
        "planted: does not go when its contact goes",
    ),
    "a deletion that reads the whole table": (
        "DROP INDEX ix_due_contact_id",
        "due: no index serves the deletions of fk_due_contact_id",
    ),
    "a personal table without an end": (
        f"CREATE TABLE planted ({WALLED}, address_hash bytea, {KEY}); {GUARD}",
        "planted: holds something of a person, but no expires_at",
    ),
    "a personal table without a rule": (
        f"CREATE TABLE planted ({WALLED}, address_hash bytea, expires_at timestamptz, {KEY});"
        f"{GUARD}",
        "planted: no rule in services/retention.py",
    ),
    "an end that may be forgotten": (
        "ALTER TABLE messages ALTER expires_at DROP NOT NULL",
        "messages: expires_at may be forgotten",
    ),
    "a view": (
        "CREATE VIEW planted AS SELECT * FROM contacts",
        "planted: views show rows past the walls",
    ),
    "a materialised view": (
        "CREATE MATERIALIZED VIEW planted AS SELECT * FROM contacts",
        "planted: views show rows past the walls",
    ),
    "a function with its owner's rights": (
        "CREATE FUNCTION planted() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "planted(): a function may not run with its owner's rights",
    ),
    "something personal at the door": (
        "ALTER TABLE door ADD name text",
        "door: without walls it may only hold its listed columns",
    ),
    "a right to rewrite history": (
        f"GRANT UPDATE ON audit_events TO {APP_ROLE}",
        "audit_events: append-only, yet the serving role may update",
    ),
    "a right past row-level security": (
        f"GRANT TRUNCATE ON contacts TO {APP_ROLE}",
        "contacts: the serving role may truncate",
    ),
    "a right for everybody": (
        "GRANT SELECT ON contacts TO PUBLIC",
        "contacts: granted to everybody",
    ),
    "an enum": (
        f"CREATE TYPE colour AS ENUM ('red'); CREATE TABLE planted ({WALLED}, c colour, {KEY});"
        f"{GUARD}",
        "planted.c: an enum's comparison is not leakproof, use text",
    ),
}


@pytest.mark.parametrize(("statements", "fault"), PLANTED.values(), ids=PLANTED)
def test_a_planted_fault_is_found(owner: Connection, statements: str, fault: str) -> None:
    if "the serving role" in fault and not has_serving_role(owner):
        pytest.skip("one role both owns and serves here")
    plant(owner, statements)
    assert fault in faults(owner)


def test_a_table_done_right_is_no_fault(owner: Connection) -> None:
    plant(owner, f"CREATE TABLE planted ({WALLED}, {KEY}); {GUARD}")
    assert faults(owner) == []


def plant(owner: Connection, statements: str) -> None:
    """Run them, leaving out what is granted to a serving role that is not there."""
    served = has_serving_role(owner)
    for statement in filter(str.strip, statements.split(";")):
        if served or not statement.endswith(f" TO {APP_ROLE}"):
            owner.execute(text(statement))


def test_every_table_of_the_models_is_walled_or_listed_free() -> None:
    for table in Base.metadata.tables.values():
        owned = "organisation_id" in table.primary_key.columns or table.name == "organisations"
        assert owned != (table.name in FREE), table.name


def test_every_rule_of_retention_names_something_that_ends() -> None:
    """A rule for a table either follows the contact or has a sweep."""
    tables = set(Base.metadata.tables)
    assert tables >= FOLLOW_CONTACT
    assert set(SWEEPS) <= tables
    assert {rule for rule in PERIODS if rule in tables} <= set(SWEEPS)


def test_only_the_walls_speak_of_the_system_scope() -> None:
    """One file sets it, migrations write its policies; nobody else may as much as name it."""
    allowed = {"models/walls.py", "migrations/walls.py", "migrations/versions/0001_first_tables.py"}
    named = {
        path.relative_to(ROOT).as_posix()
        for folder in SOURCES
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".sql", ".html"} and "app.scope" in path.read_text("utf-8")
    }
    assert named == allowed
