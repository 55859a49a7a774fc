"""The first tables.

The tables stand in 0001_first_tables.sql; here are the role, the walls, the grants and the triggers
that keep consents and the audit chain append-only.

Revision ID: 0001
Revises:
"""

from pathlib import Path

from alembic import op

from migrations.walls import EVERYTHING, create_app_role, grant, protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OWN = ("offices", "staff", "api_keys", "entry_codes")
SHARED_WITH_SYSTEM = (
    "channels",
    "channel_budgets",
    "contacts",
    "conversations",
    "addresses",
    "profiles",
    "receipts",
    "flow_sessions",
    "answers",
    "messages",
    "due",
    "quarantine",
    "tombstones",
    "content_objects",
    "idempotency_keys",
)
# A consent is only added; erasure and retention, in the system scope, remove it with its person.
# What is published is only added. The audit chain is only added to, by anybody.
KEPT = {
    "consent_events": ("select", "insert", "delete"),
    "flow_versions": ("select", "insert"),
    "audit_events": ("select", "insert"),
}

REFUSE_CHANGE = """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND TG_ARGV[0] = 'system'
           AND current_setting('app.scope', true) = 'system'
        THEN RETURN OLD; END IF;
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'HL010';
    END $$
"""


def upgrade() -> None:
    create_app_role()
    script = Path(__file__).with_suffix(".sql").read_text("utf-8")
    for statement in script.split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
    protect("organisations", column="id", system=("select",))
    for table in OWN:
        protect(table)
    for table in SHARED_WITH_SYSTEM:
        protect(table, system=EVERYTHING)
    protect("audit_events", system=("select", "insert"), grants=KEPT["audit_events"])
    for table in ("consent_events", "flow_versions"):
        protect(table, system=EVERYTHING, grants=KEPT[table])
    grant("door", EVERYTHING)
    grant("clock", ("select", "insert", "update"))
    grant("alembic_version", ("select",))
    op.execute(REFUSE_CHANGE)
    for table in KEPT:
        exempt = "system" if "delete" in KEPT[table] else "nobody"
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION refuse_change('{exempt}')"
        )


def downgrade() -> None:
    # Everything goes, but for the role: other databases of the server may use it.
    tables = (*OWN, *SHARED_WITH_SYSTEM, *KEPT, "organisations", "door", "clock")
    op.execute(f"DROP TABLE {', '.join(tables)} CASCADE")
    op.execute("DROP FUNCTION refuse_change()")
