"""Asks, audiences, broadcasts, relays, ballots, publications and rules.

Revision ID: 0008
Revises: 0007
"""

from pathlib import Path

from alembic import op

from migrations.walls import EVERYTHING, protect

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

HERE = Path(__file__)
EVENTS = HERE.with_name("0008_events.sql")
TABLES = (
    "communities",
    "leaders",
    "audiences",
    "audience_versions",
    "asks",
    "askers",
    "relays",
    "broadcasts",
    "recipients",
    "group_polls",
    "flags",
    "ballot_boxes",
    "ballots",
    "voter_tags",
    "publications",
    "text_reviews",
    "rules",
    "firings",
)


def upgrade() -> None:
    """Create the tables behind their walls."""
    op.get_bind().exec_driver_sql(HERE.with_suffix(".sql").read_text("utf-8"))
    for table in TABLES:
        protect(table, system=EVERYTHING)
    op.get_bind().exec_driver_sql(EVENTS.read_text("utf-8"))


def downgrade() -> None:
    """Drop them; codes of asks and relays then lead nowhere."""
    op.execute("DROP TRIGGER tell_answered ON flow_sessions")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    for function in ("tell_ask", "tell_answered", "tell_sent"):
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP INDEX ix_flow_sessions_completed")
    op.execute("ALTER TABLE flow_sessions DROP COLUMN ask_id")
    op.execute("ALTER TABLE flow_sessions DROP COLUMN relay")
    op.execute("ALTER TABLE profiles DROP COLUMN monthly_cap")
    op.execute("DELETE FROM door WHERE kind IN ('ask', 'relay')")
    op.execute("ALTER TABLE door DROP CONSTRAINT ck_door_kind")
    op.execute(
        "ALTER TABLE door ADD CONSTRAINT ck_door_kind "
        "CHECK (kind IN ('channel', 'api_key', 'staff', 'entry', 'member_link'))"
    )
