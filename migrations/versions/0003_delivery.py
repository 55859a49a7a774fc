"""The statements of the delivery loop: claim what is due, mark what was done, recover the rest.

They run in the system scope, on the connection that ``models/walls.py`` opens for it. Leases and
budgets go by the database's own clock; only ``due_at`` follows the clock that is passed in.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from migrations.functions import drop, make_anew

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FUNCTIONS = "0003_delivery.sql"
UNSENT = "status in ('queued', 'sending')"
LOST = "status in ('sending', 'unknown') and leased_until is not null"


def upgrade() -> None:
    """Create the functions; they run with the rights of whoever calls them."""
    op.drop_index("ix_messages_claim", "messages")
    op.create_index(
        "ix_messages_claim",
        "messages",
        ["channel_id", "lane", "due_at", "id"],
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.drop_index("ix_messages_unsent", "messages")
    op.create_index(
        "ix_messages_unsent",
        "messages",
        ["contact_id"],
        postgresql_using="hash",
        postgresql_where=sa.text(UNSENT),
    )
    op.create_index(
        "ix_messages_lost", "messages", ["leased_until"], postgresql_where=sa.text(LOST)
    )
    op.add_column(
        "channel_budgets", sa.Column("overdraft", sa.REAL(), nullable=False, server_default="0")
    )
    make_anew(FUNCTIONS)


def downgrade() -> None:
    """Drop the functions."""
    drop(FUNCTIONS)
    op.drop_column("channel_budgets", "overdraft")
    op.drop_index("ix_messages_lost", "messages")
    op.drop_index("ix_messages_unsent", "messages")
    op.create_index(
        "ix_messages_unsent", "messages", ["contact_id"], postgresql_where=sa.text(UNSENT)
    )
    op.drop_index("ix_messages_claim", "messages")
    op.create_index(
        "ix_messages_claim",
        "messages",
        ["channel_id", "lane", "due_at"],
        postgresql_where=sa.text(UNSENT),
    )
