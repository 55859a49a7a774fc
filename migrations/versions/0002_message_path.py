"""The two statements of the inbound message path.

``take_many`` reads what is known of the senders of a batch; ``apply_many`` writes everything the
batch changed. Each call is one transaction that sets its own organisation, so nothing leaks into
the pool. ``models/message_path.py`` is their only caller and documents the rows.

Revision ID: 0002
Revises: 0001
"""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_suffix(".sql")
SIGNATURES = {
    "is_known_number": "uuid, bytea, date",
    "owner_of": "uuid, bytea",
    "has_alias": "uuid, uuid",
    "latest_status": "uuid, uuid",
    "take_many": "uuid, uuid, date, json",
    "apply_rare": "uuid, uuid, json",
    "apply_many": "uuid, uuid, json, json, json, json, json, json, json, json",
}


def upgrade() -> None:
    """Create the functions; they run with the rights of whoever calls them."""
    op.get_bind().exec_driver_sql(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Drop the functions."""
    for name, arguments in SIGNATURES.items():
        op.execute(f"drop function {name}({arguments})")
