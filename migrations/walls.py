"""Walls and grants for a new table: the one place where migrations write policies.

What stands here is used by migrations already released; new needs get new functions.
"""

from collections.abc import Iterator

from alembic import op
from sqlalchemy import text

APP_ROLE = "homeline_app"
SCOPE = "current_setting('app.scope', true) = 'system'"
EVERYTHING = ("select", "insert", "update", "delete")


def create_app_role() -> None:
    """Create the role the application serves with, when this role may and nobody has.

    With a single role for everything there is none, and forced row-level security holds for the
    owner.
    """
    op.execute(_CREATE_ROLE)


def protect(
    table: str,
    *,
    system: tuple[str, ...] = (),
    column: str = "organisation_id",
    grants: tuple[str, ...] = EVERYTHING,
) -> None:
    """Wall a table off by organisation and let the app role use it.

    `system` names what the system scope may do there; extend SYSTEM in models/walls.py with it, the
    catalogue test compares the two.
    """
    here = f"{column} = nullif(current_setting('app.organisation', true), '')::uuid"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY organisation ON {table} USING ({here}) WITH CHECK ({here})")
    for policy in _system_policies(table, system):
        op.execute(policy)
    grant(table, grants)


def grant(table: str, rights: tuple[str, ...]) -> None:
    """Let the app role, where there is one, do this with a table."""
    exists = op.get_bind().scalar(
        text("SELECT true FROM pg_roles WHERE rolname = :role"), {"role": APP_ROLE}
    )
    if exists:
        op.execute(f"GRANT {', '.join(rights)} ON {table} TO {APP_ROLE}")


def _system_policies(table: str, system: tuple[str, ...]) -> Iterator[str]:
    if set(system) == set(EVERYTHING):
        yield f"CREATE POLICY system ON {table} USING ({SCOPE}) WITH CHECK ({SCOPE})"
        return
    for verb in system:
        clause = f"WITH CHECK ({SCOPE})" if verb == "insert" else f"USING ({SCOPE})"
        yield f"CREATE POLICY system_{verb} ON {table} FOR {verb} {clause}"


_CREATE_ROLE = f"""
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}')
           AND (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user)
        THEN CREATE ROLE {APP_ROLE} NOLOGIN; END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$
"""  # noqa: S608 - the only name in it is ours
