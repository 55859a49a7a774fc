"""WhatsApp templates, outgoing webhooks, and the triggers by which events are born.

A trigger writes in the transaction of what it tells of, whoever caused it, and costs a look at an
empty table where nobody wants to know (docs/adr/0005-events-by-trigger.md).

Revision ID: 0007
Revises: 0006
"""

from pathlib import Path

from alembic import op

from migrations.walls import EVERYTHING, protect

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

HERE = Path(__file__)
EVENTS = HERE.with_name("0007_events.sql")
TABLES = ("wa_templates", "webhook_endpoints", "webhook_deliveries")
TRIGGERS = {
    "tell_completed": "flow_sessions",
    "tell_stopped": "contacts",
    "tell_erased": "contacts",
    "tell_consents": "consent_events",
    "tell_case": "cases",
    "tell_failed": "messages",
}
FUNCTIONS = ("tell", "is_told", "event_moment", "event_id")


def upgrade() -> None:
    """Create the tables behind their walls, then the triggers that write events."""
    connection = op.get_bind()
    connection.exec_driver_sql(HERE.with_suffix(".sql").read_text("utf-8"))
    for table in TABLES:
        protect(table, system=EVERYTHING)
    connection.exec_driver_sql(EVENTS.read_text("utf-8"))


def downgrade() -> None:
    """Drop the triggers first: nothing may tell of what can no longer be written down."""
    for trigger, table in TRIGGERS.items():
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
        op.execute(f"DROP FUNCTION {trigger}()")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
