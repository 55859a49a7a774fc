"""Voice notes that answer open questions, and cases to hear them.

Revision ID: 0009
Revises: 0008
"""

from pathlib import Path

from alembic import op

from migrations.walls import EVERYTHING, protect

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

HERE = Path(__file__)
REASONS = "'danger', 'person', 'stuck', 'stopped_message', 'follow_up'"


def upgrade() -> None:
    """Create the table behind its walls."""
    op.get_bind().exec_driver_sql(HERE.with_suffix(".sql").read_text("utf-8"))
    protect("recordings", system=EVERYTHING)


def downgrade() -> None:
    """Drop it; cases that waited to be heard wait as those of a person who is stuck."""
    op.execute("DROP TABLE recordings")
    op.execute("ALTER TABLE cases DROP CONSTRAINT ck_cases_reason")
    op.execute("UPDATE cases SET reason = 'stuck' WHERE reason = 'voice'")
    op.execute(f"ALTER TABLE cases ADD CONSTRAINT ck_cases_reason CHECK (reason IN ({REASONS}))")
