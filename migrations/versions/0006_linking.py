"""Codes that link two addresses of one person, and the wrong ones that were tried.

The message path's functions are made anew, since they tell whose number or id is known already;
they stand in 0002_message_path.sql, where they are read first.

Revision ID: 0006
Revises: 0005
"""

from pathlib import Path

from alembic import op

from migrations.walls import EVERYTHING, protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

HERE = Path(__file__)
MESSAGE_PATH = HERE.with_name("0002_message_path.sql")
FUNCTIONS = (
    "is_known_number",
    "owner_of",
    "has_alias",
    "latest_status",
    "take_many",
    "apply_rare",
    "apply_many",
)


def upgrade() -> None:
    """Create the tables, and the functions of the message path as they are now."""
    connection = op.get_bind()
    for statement in HERE.with_suffix(".sql").read_text("utf-8").split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    for table in ("link_codes", "link_tries"):
        protect(table, system=EVERYTHING)
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    connection.exec_driver_sql(MESSAGE_PATH.read_text("utf-8"))


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE link_codes, link_tries")
