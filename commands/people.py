"""`flask organisation` and `flask key`: who may use Homeline."""

from datetime import timedelta

import click
from flask import current_app
from flask.cli import AppGroup

from commands.terminal import as_json, for_organisation, homeline, inside, refuse, report, sentences
from models.base import new_id
from models.db import transaction
from models.walls import system_scope
from services import api_keys, organisations

organisation = AppGroup("organisation", help="Data controllers: each behind walls of its own.")
key = AppGroup("key", help="API keys.")


@organisation.command("create")
@click.argument("name")
@click.option("--short", metavar="S", help="What messages show, at most 24 characters.")
@click.option("--languages", default="en,fr,es,pt,ar", show_default=True, help="First: default.")
@as_json
def create_organisation(name: str, short: str | None, languages: str, json: bool) -> None:
    """Create an organisation with keys of its own."""
    line = homeline()
    with sentences():
        now = line.clock.now()
        with system_scope(line.engine) as db:
            organisations.check_unnamed(db, name, short)
        with transaction(line.engine, new_id(now)) as db:
            made = organisations.create(
                db,
                name,
                short_name=short,
                languages=tuple(word.strip() for word in languages.split(",") if word.strip()),
                keyring=line.keyring,
                now=now,
            )
            result = {"id": made.id, "name": made.name, "short_name": made.short_name}
    report(result, f"Created {made.name}: {made.id}", json=json)


@organisation.command("set")
@click.argument("wanted", metavar="ORGANISATION")
@click.option("--emergency-line", required=True, help="A telephone number; empty for none.")
@as_json
def set_organisation(wanted: str, emergency_line: str, json: bool) -> None:
    """Change an organisation: the number people in danger are told to call."""
    with inside(wanted) as db:
        now = homeline().clock.now()
        changed = organisations.set_emergency_line(db, emergency_line, now=now)
        line = changed.settings.get("emergency_line")
    told = f"People in danger are told to call {line}." if line else "No number is told."
    report({"emergency_line": line}, told, json=json)


@key.command("create")
@click.argument("name")
@for_organisation
@click.option("--scope", "scopes", multiple=True, required=True, help="May repeat; * for all.")
@click.option("--days", type=click.IntRange(1, 365), default=365, show_default=True)
@as_json
def create_key(
    name: str, organisation: str, scopes: tuple[str, ...], days: int, json: bool
) -> None:
    """Create an API key. It is shown once and never again."""
    _check_scopes(scopes)
    with inside(organisation) as db:
        made = api_keys.create(
            db, name, scopes=scopes, lasts=timedelta(days=days), now=homeline().clock.now()
        )
    result = {"id": made.id, "key": made.secret, "prefix": made.prefix, "scopes": sorted(scopes)}
    report(result, f"{made.secret}\nKeep it now: it cannot be shown again.", json=json)


def _check_scopes(scopes: tuple[str, ...]) -> None:
    known = current_app.extensions["api_scopes"]
    for scope in scopes:
        if scope != "*" and scope not in known:
            raise refuse(f"There is no scope {scope!r}. There are: *, {', '.join(known)}.")


COMMANDS = (organisation, key)
