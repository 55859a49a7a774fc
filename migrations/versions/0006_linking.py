"""Codes that link two addresses of one person, and the wrong ones that were tried.

The message path's functions are made anew, since they tell whose number or id is known already;
they stand in 0002_message_path.sql, where they are read first.

Revision ID: 0006
Revises: 0005
"""

from pathlib import Path

from alembic import op

from migrations.functions import make_anew
from migrations.walls import EVERYTHING, protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

HERE = Path(__file__)


def upgrade() -> None:
    """Create the tables, and the functions of the message path as they are now."""
    connection = op.get_bind()
    for statement in HERE.with_suffix(".sql").read_text("utf-8").split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    for table in ("link_codes", "link_tries"):
        protect(table, system=EVERYTHING)
    make_anew("0002_message_path.sql")


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE link_codes, link_tries")
