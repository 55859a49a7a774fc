"""What was told of how far people come, so that the next is protected against it.

Revision ID: 0010
Revises: 0009
"""

from pathlib import Path

from alembic import op

from migrations.walls import protect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

HERE = Path(__file__)


def upgrade() -> None:
    """Create the table behind its walls."""
    op.get_bind().exec_driver_sql(HERE.with_suffix(".sql").read_text("utf-8"))
    protect("funnel_releases")


def downgrade() -> None:
    """Drop it; the next funnel is told as the first."""
    op.execute("DROP TABLE funnel_releases")
