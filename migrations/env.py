"""How migrations reach the database.

The connection comes from the caller (`config.attributes["connection"]`), from `-x url=…`, or from
the settings' owner URL. Procrastinate's tables live in a schema of their own, which is not looked
at.
"""

import os

from alembic import context
from sqlalchemy import Connection, text

import settings
from models import Base
from models.db import make_engine

# A migration waits five seconds for a lock at most: behind it everybody else would wait as well.
LIMITS = ("SET lock_timeout = '5s'", "SET statement_timeout = '15min'")
LIMITS_END = ("RESET lock_timeout", "RESET statement_timeout")
ONE_AT_A_TIME = text("SELECT pg_advisory_lock(hashtext('homeline migrations'))")
DONE = text("SELECT pg_advisory_unlock(hashtext('homeline migrations'))")


def run(connection: Connection) -> None:
    """Run the migrations asked for, one transaction each, never two runs at once.

    Whatever the caller had begun is committed first: Alembic leaves committing to a caller whose
    transaction is open when it is configured.
    """
    for limit in LIMITS:
        connection.execute(text(limit))
    connection.execute(ONE_AT_A_TIME)
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        include_schemas=False,
        compare_server_default=True,
    )
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(DONE)
        for limit in LIMITS_END:
            connection.execute(text(limit))
        connection.commit()


def owner_url() -> str:
    """Return the URL of the role that owns the tables; ValueError when nobody names one."""
    named = context.get_x_argument(as_dictionary=True).get("url")
    if named:
        return named
    read = settings.read(os.environ)
    url = read.database_owner_url or read.database_url
    if not url:
        raise ValueError("no database named: use `flask db upgrade`, or alembic -x url=…")
    return url


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = make_engine(owner_url())
    with engine.connect() as opened:
        run(opened)
    engine.dispose()
