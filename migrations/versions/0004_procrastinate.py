"""The background engine's own schema, written by the library that owns it.

Revision ID: 0004
Revises: 0003
"""

from typing import Any

from alembic import op
from procrastinate import PsycopgConnector
from procrastinate.schema import SchemaManager

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APP_ROLE = "homeline_app"


def upgrade() -> None:
    """Create the schema ``procrastinate`` and let the app role work with it."""
    connection = op.get_bind()
    path = connection.exec_driver_sql("show search_path").scalar_one()
    op.execute("create schema if not exists procrastinate")
    op.execute("set local search_path to procrastinate")
    # Many statements with per cent signs in one text: the driver takes them only unprepared.
    raw: Any = connection.connection.driver_connection
    raw.execute(SchemaManager(PsycopgConnector()).get_schema().encode(), prepare=False)
    op.execute(f"set local search_path to {path}")
    if connection.exec_driver_sql(
        "select 1 from pg_roles where rolname = %s", (APP_ROLE,)
    ).scalar():
        for grant in (
            "usage on schema",
            "all on all tables in schema",
            "all on all sequences in schema",
            "execute on all functions in schema",
        ):
            op.execute(f"grant {grant} procrastinate to {APP_ROLE}")


def downgrade() -> None:
    """Drop the engine's schema with its jobs; they are made anew from rows that are due."""
    op.execute("drop schema procrastinate cascade")
