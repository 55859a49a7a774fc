"""${message}

Before you write the steps:
- Old code still runs while this does: expand now, backfill in a later step, contract in a later release.
- A lock is waited for 5 s at most (env.py). Add columns without a volatile default; add constraints NOT VALID and validate
  them in a migration of their own; build indexes of large tables CONCURRENTLY inside `op.get_context().autocommit_block()`.
- A new table of an organisation needs `protect(...)`, which gives walls and grants; the catalogue test insists.
- Import nothing from models: they move on, this file does not.
- Text of people never appears here. A step that cannot be undone says why in downgrade.
"""

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
from migrations.walls import protect

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """${message}."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Undo it."""
    ${downgrades if downgrades else "pass"}
