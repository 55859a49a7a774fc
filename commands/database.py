"""`flask db`: the tables."""

import click
from flask.cli import AppGroup

import composition
from commands.terminal import as_json, homeline, refuse, report, sentences

database = AppGroup("db", help="The tables.")


@database.command("upgrade")
@as_json
def upgrade(json: bool) -> None:
    """Bring the tables to what this code expects. Run it before the new code serves."""
    line = homeline()
    with sentences():
        composition.upgrade(line)
        with line.engine.connect() as connection:
            has, _ = composition.revisions(connection)
    report({"revision": has}, f"The tables are at revision {has}.", json=json)


@database.command("revision")
@click.argument("name")
def revision(name: str) -> None:
    """Write a new migration from the change in models/; read and mend it before committing."""
    line = homeline()
    if not line.settings.development:
        raise refuse("Migrations are written in development.")
    composition.upgrade(line)
    click.echo(f"Written: {composition.write_revision(line, name)}")


COMMANDS = (database,)
