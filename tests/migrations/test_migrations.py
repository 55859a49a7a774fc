"""Migrations go up, down and up again; what they leave is what the models say."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, func, inspect, select, text
from sqlalchemy.orm import Session

from models import Base, Contact, Message
from models.base import new_id
from models.db import make_engine, open_engine, transaction
from models.sealed import Keyring
from models.walls import APP_ROLE
from services import audit, organisations
from services.rights import rights
from tests.architecture.catalogue import faults
from tests.databases import Urls, alembic_config
from tests.factories import Factory
from tests.services.rights.test_rights import a_full_life


@pytest.fixture
def owner(fresh_urls: Urls) -> Iterator[Engine]:
    engine = make_engine(fresh_urls.owner)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(owner: Engine) -> Iterator[Connection]:
    with owner.connect() as opened:
        yield opened


def up(connection: Connection, revision: str = "head") -> None:
    command.upgrade(alembic_config(connection), revision)


def down(connection: Connection, revision: str = "base") -> None:
    command.downgrade(alembic_config(connection), revision)


def left_over(connection: Connection) -> list[str]:
    """Tables, functions and policies beyond Alembic's own table."""
    query = """
        SELECT relname FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S', 'v')
           AND relname <> 'alembic_version'
        UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    """
    return list(connection.scalars(text(query)))


def test_up_down_and_up_again(connection: Connection) -> None:
    up(connection)
    down(connection)
    assert left_over(connection) == []
    up(connection)
    assert faults(connection) == []


def test_every_step_can_be_taken_back(connection: Connection) -> None:
    steps = [
        script.revision
        for script in ScriptDirectory.from_config(alembic_config(connection)).walk_revisions()
    ]
    for step in reversed(steps):
        up(connection, step)
        down(connection, "-1")
        up(connection, step)


def test_there_is_one_history() -> None:
    script = ScriptDirectory.from_config(alembic_config(None))
    assert len(script.get_heads()) == 1
    assert all(s.revision.isdigit() and len(s.revision) == 4 for s in script.walk_revisions())


def test_head_equals_the_models(connection: Connection) -> None:
    up(connection)
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    assert compare_metadata(context, Base.metadata) == []


def test_head_has_the_checks_and_storage_of_the_models(
    connection: Connection, server_with_models: Connection
) -> None:
    """What Alembic does not compare: checks, what keys do, fill factors, partial indexes."""
    up(connection)
    assert details(connection) == details(server_with_models)


@pytest.fixture
def server_with_models(urls: Urls) -> Iterator[Connection]:
    """Tables as the models would create them, in a schema of their own, rolled back."""
    engine = create_engine(make_engine(urls.owner).url)
    with engine.connect() as connection:
        connection.execute(text("CREATE SCHEMA from_models"))
        connection.execute(text("SET LOCAL search_path = from_models"))
        Base.metadata.create_all(connection, checkfirst=False)
        yield connection
        connection.rollback()
    engine.dispose()


def details(connection: Connection) -> set[str]:
    query = """
        SELECT format('%s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
         WHERE connamespace = current_schema()::regnamespace AND contype <> 'n'
        UNION ALL
        SELECT replace(indexdef, current_schema() || '.', '') FROM pg_indexes
         WHERE schemaname = current_schema() AND tablename <> 'alembic_version'
        UNION ALL
        SELECT format('%s %s', relname, reloptions::text) FROM pg_class
         WHERE relnamespace = current_schema()::regnamespace AND reloptions IS NOT NULL
    """
    found = set(connection.scalars(text(query)))
    return {line.replace("from_models.", "") for line in found if "alembic_version" not in line}


def test_rows_live_through_every_later_step_and_back(
    fresh_urls: Urls, connection: Connection, keyring: Keyring, now: datetime
) -> None:
    """From the head to the first revision and up again, with people in the tables."""
    up(connection)
    engine = open_engine(fresh_urls.app, development=True)
    organisation_id = new_id(now)
    with transaction(engine, organisation_id) as db:
        organisations.create(db, "Made-up Consulate", keyring=keyring, now=now)
        make = Factory(db, keyring, now)
        make.message(make.contact(consented=True, mid_flow=True))
    engine.dispose()
    down(connection, "0001")
    up(connection)
    engine = open_engine(fresh_urls.app, development=True)
    with transaction(engine, organisation_id) as db:
        assert count(db, Contact) == 1
        assert count(db, Message) == 1
    engine.dispose()


def test_rows_of_every_table_survive_or_go_with_their_table(
    fresh_urls: Urls, connection: Connection, keyring: Keyring, now: datetime
) -> None:
    """Step by step to the first revision with a full life in the tables, and all the way back."""
    up(connection)
    organisation_id = new_id(now)
    engine = open_engine(fresh_urls.app, development=True)
    with transaction(engine, organisation_id) as db:
        organisations.create(db, "Made-up Consulate", keyring=keyring, now=now)
        make = Factory(db, keyring, now)
        contact_id = a_full_life(make)
        rights.erase(db, make.contact(address="telegram:8").id, now=now)
    before = rows(engine, organisation_id)
    script = ScriptDirectory.from_config(alembic_config(connection))
    lost = set()
    for step in [each.revision for each in script.walk_revisions()][1:]:
        down(connection, step)
        left = rows(engine, organisation_id)
        assert left.items() <= before.items()
        lost |= before.keys() - left.keys()
    assert "cases" in lost
    up(connection)
    assert rows(engine, organisation_id) == {
        name: 0 if name in lost else count for name, count in before.items()
    }
    with transaction(engine, organisation_id) as db:
        kinds = set(db.scalars(text("SELECT kind FROM door")))
        assert kinds == {"channel"}, "no door is left of a link that went"
        assert audit.verify(db) is None
        rights.erase(db, contact_id, now=now)
    engine.dispose()


def rows(engine: Engine, organisation_id: UUID) -> dict[str, int]:
    """How many rows each table that is there holds."""
    with transaction(engine, organisation_id) as db:
        there = set(inspect(db.connection()).get_table_names()) - {"door"}
        return {
            name: db.scalar(text(f"SELECT count(*) FROM {name}")) or 0
            for name in there & set(Base.metadata.tables)
        }


def count(db: Session, model: type[Base]) -> int:
    return db.scalar(select(func.count()).select_from(model)) or 0


def test_a_second_run_changes_nothing(connection: Connection) -> None:
    up(connection)
    before = left_over(connection)
    up(connection)
    assert left_over(connection) == before


def test_the_limits_of_a_migration_end_with_it(connection: Connection) -> None:
    up(connection)
    assert connection.scalar(text("SHOW lock_timeout")) == "0"


def test_tables_of_other_schemas_are_left_alone(connection: Connection) -> None:
    connection.execute(text("CREATE SCHEMA elsewhere"))
    connection.execute(text("CREATE TABLE elsewhere.jobs (id int)"))
    connection.commit()
    up(connection)
    assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    down(connection)
    assert inspect(connection).has_table("jobs", schema="elsewhere")


def test_the_serving_role_can_log_nowhere_by_itself(connection: Connection) -> None:
    up(connection)
    strong = connection.scalar(
        text("SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = :r"),
        {"r": APP_ROLE},
    )
    if strong is None:
        pytest.skip("one role both owns and serves here")
    assert not strong
