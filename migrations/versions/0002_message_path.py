"""The two statements of the inbound message path.

``take_many`` reads what is known of the senders of a batch; ``apply_many`` writes everything the
batch changed. Each call is one transaction that sets its own organisation, so nothing leaks into
the pool. ``models/message_path.py`` is their only caller and documents the rows.

Revision ID: 0002
Revises: 0001
"""

from migrations.functions import drop, make_anew

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FUNCTIONS = "0002_message_path.sql"


def upgrade() -> None:
    """Create the functions; they run with the rights of whoever calls them."""
    make_anew(FUNCTIONS)


def downgrade() -> None:
    """Drop the functions."""
    drop(FUNCTIONS)
