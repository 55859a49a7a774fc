"""Why an ask that was to open by itself did not.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; it is null until an opening fails."""
    op.add_column("asks", sa.Column("not_opened", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop it; the audit chain still says which asks did not open."""
    op.drop_column("asks", "not_opened")
