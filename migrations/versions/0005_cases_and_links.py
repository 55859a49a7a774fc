"""Cases for officers, and the links by which people see their own data.

The message path's functions are made anew, since they write both tables; they stand in
0002_message_path.sql, where they are read first.

Revision ID: 0005
Revises: 0004
"""

from pathlib import Path

from alembic import op

from migrations.functions import make_anew
from migrations.walls import EVERYTHING, protect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

HERE = Path(__file__)

# Whatever deletes a link (use, age, DELETE, the end of its contact) closes its door as well.
CLOSE_DOOR = """
    CREATE FUNCTION close_member_door() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM door WHERE kind = 'member_link' AND key_hash = OLD.token_hash;
        RETURN OLD;
    END $$
"""


def upgrade() -> None:
    """Create the tables, the trigger at the door, and the functions that write them."""
    connection = op.get_bind()
    for statement in HERE.with_suffix(".sql").read_text("utf-8").split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    for table in ("cases", "member_links"):
        protect(table, system=EVERYTHING)
    op.execute(CLOSE_DOOR)
    op.execute(
        "CREATE TRIGGER close_door AFTER DELETE ON member_links "
        "FOR EACH ROW EXECUTE FUNCTION close_member_door()"
    )
    make_anew("0002_message_path.sql")


def downgrade() -> None:
    """Drop what was added, doors of links included.

    The message path then waits for the functions of the older version.
    """
    op.execute("DELETE FROM door WHERE kind = 'member_link'")
    op.execute("ALTER TABLE conversations DROP COLUMN case_id")
    op.execute("DROP INDEX ix_audit_events_subject_id")
    op.execute("DROP TABLE cases, member_links")
    op.execute("DROP FUNCTION close_member_door()")
