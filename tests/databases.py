"""Databases made for tests, migrated and emptied."""

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, make_url, text

from models.db import make_engine

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Urls:
    """Addresses of one test database."""

    owner: str
    app: str


@dataclass(frozen=True)
class Server:
    """Where databases for tests are made; `admin` may create them for `owner`."""

    admin: str
    owner: str
    app: str

    def create(self, name: str, template: str | None = None) -> Urls:
        copied = f' TEMPLATE "{template}"' if template else ""
        owner = make_url(self.owner).username
        owned = f' OWNER "{owner}"' if owner and self.admin != self.owner else ""
        self._execute(f'CREATE DATABASE "{name}"{owned}{copied}')
        return Urls(_named(self.owner, name), _named(self.app, name))

    def drop(self, name: str) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        engine = make_engine(self.admin, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


def migrate(owner_url: str, revision: str = "head") -> None:
    """Bring a database up to a revision."""
    engine = make_engine(owner_url)
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), revision)
    engine.dispose()


def alembic_config(connection: object) -> Config:
    """Alembic's settings for a connection the test holds."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def empty(admin_engine: Engine) -> None:
    """Empty every table that ever held anything, the append-only ones included.

    A superuser deletes past triggers and keys, which takes a tenth of the time of TRUNCATE.
    """
    with admin_engine.begin() as connection:
        names = connection.scalars(
            text(
                "SELECT CAST(oid AS regclass)::text FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace::regnamespace::text IN ('public', 'procrastinate')"
                " AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0"
            )
        ).all()
        if not names:
            return
        if is_superuser(connection):
            deletions = "; ".join(f"DELETE FROM {name}" for name in names)
            replica = "SET LOCAL session_replication_role = replica"
            connection.exec_driver_sql(f"{replica}; {deletions}")
        else:
            connection.execute(text(f"TRUNCATE {', '.join(names)} CASCADE"))


def is_superuser(connection: Connection) -> bool:
    query = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    return bool(connection.scalar(query))


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)
