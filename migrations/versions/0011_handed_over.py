"""Replies are handed over to a worker: the functions of both ways of messages are made anew.

They stand in 0002_message_path.sql and 0003_delivery.sql, where they are read first.

Revision ID: 0011
Revises: 0010
"""

from migrations.functions import make_anew

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the functions as they are now."""
    make_anew("0002_message_path.sql")
    make_anew("0003_delivery.sql")


def downgrade() -> None:
    """Leave them: the message path then waits for the functions of the older version."""
