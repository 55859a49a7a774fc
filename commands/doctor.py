"""`flask doctor`: is everything as it must be?"""

from collections.abc import Iterator
from dataclasses import dataclass

import click
from flask.cli import with_appcontext
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from commands.terminal import as_json, homeline, report, sentences
from composition import Homeline, revisions
from models.channel import Channel
from models.organisation import Organisation
from models.sealed import CannotOpen
from models.walls import RoleTooStrong, system_scope
from private_server import PrivateServerError

OLDEST = 150_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: how it is, and in words."""

    what: str
    ok: bool
    told: str


@click.command("doctor")
@with_appcontext
@as_json
def doctor(json: bool) -> None:
    """Look at settings, roles, migrations, keys and channels; exit code 1 if anything is wrong."""
    with sentences():
        findings = list(_examine(homeline()))
    ok = all(finding.ok for finding in findings)
    lines = [f"{'ok ' if one.ok else 'NO '} {one.what}: {one.told}" for one in findings]
    result = {"ok": ok, "checks": {one.what: {"ok": one.ok, "told": one.told} for one in findings}}
    report(result, "\n".join(lines), json=json)
    if not ok:
        raise click.exceptions.Exit(1)


def _examine(line: Homeline) -> Iterator[Finding]:
    settings = line.settings
    yield Finding("settings", True, f"{settings.env}, {settings.public_url}")
    try:
        line.open()
    except (RoleTooStrong, PrivateServerError) as error:
        yield Finding("database", False, str(error))
        return
    except SQLAlchemyError as error:
        yield Finding("database", False, f"cannot be reached ({type(error).__name__})")
        return
    for look in (_database, _role, _migrations):
        finding = look(line)
        yield finding
        if not finding.ok:
            return
    yield _keys(line)
    yield _channels(line)


def _database(line: Homeline) -> Finding:
    with line.engine.connect() as connection:
        number = int(connection.scalar(text("show server_version_num")) or 0)
        version = connection.scalar(text("show server_version"))
    return Finding("database", number >= OLDEST, f"PostgreSQL {version} (15 or newer is needed)")


def _role(line: Homeline) -> Finding:
    with line.engine.connect() as connection:
        row = connection.execute(
            text(
                "select rolname, rolsuper or rolbypassrls as strong "
                "from pg_roles where rolname = current_user"
            )
        ).one()
    told = "walks through the walls" if row.strong else "stays behind the walls"
    return Finding("role", not row.strong, f"{row.rolname} {told}")


def _migrations(line: Homeline) -> Finding:
    with line.engine.connect() as connection:
        has, expected = revisions(connection)
    told = f"at {has}" if has == expected else f"at {has}, needs {expected}: flask db upgrade"
    return Finding("migrations", has == expected, told)


def _keys(line: Homeline) -> Finding:
    closed = []
    with system_scope(line.engine) as db:
        rows = db.execute(
            select(Organisation.id, Organisation.wrapped_key, Organisation.wrapped_index_key)
        ).all()
    for row in rows:
        try:
            line.keyring.open_organisation(row.id, row.wrapped_key, row.wrapped_index_key)
        except CannotOpen:
            closed.append(str(row.id))
    told = f"open all {len(rows)} organisations" if not closed else f"do not open {closed}"
    return Finding("keys", not closed, told)


def _channels(line: Homeline) -> Finding:
    with system_scope(line.engine) as db:
        found = [(row.key, row.kind) for row in db.execute(select(Channel.key, Channel.kind))]
    closed = []
    for key, _ in found:
        try:
            line.directory.by_key(key)
        except CannotOpen:
            closed.append(key)
    told = f"{len(found)} channels" + (f", cannot be opened: {closed}" if closed else "")
    return Finding("channels", not closed, told)


COMMANDS = (doctor,)
