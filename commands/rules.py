"""`flask rules`: what follow-up rules would do."""

from datetime import timedelta
from uuid import UUID

import click
from flask.cli import AppGroup
from sqlalchemy import select

from commands.terminal import as_json, homeline, refuse, report, sentences
from models.db import transaction
from models.rule import Rule
from models.walls import system_scope
from services.catalogue import read_inside
from services.rules import rules
from services.rules.rehearsing import Rehearsed, rehearse

group = AppGroup("rules", help="Follow-up rules.")


@group.command("rehearse")
@click.argument("rule_id", type=click.UUID)
@click.option("--back", default=30, show_default=True, help="Days of the past.")
@click.option("--ahead", default=30, show_default=True, help="Days ahead.")
@as_json
def rehearse_rule(rule_id: UUID, back: int, ahead: int, json: bool) -> None:
    """Tell what a rule would have done, and will do; nothing is written."""
    line = homeline()
    now = line.clock.now()
    with system_scope(line.engine) as db:
        owner = db.scalar(select(Rule.organisation_id).where(Rule.id == rule_id))
    if owner is None:
        raise refuse("There is no such rule.")
    with sentences(), transaction(line.engine, owner) as db:
        since, until = now - timedelta(days=back), now + timedelta(days=ahead)
        rule = rules.get(db, rule_id)
        found = rehearse(db, rule, read_inside(db), since=since, until=until)
    rows = [
        {"at": one.at, "contact_id": one.contact_id, "status": one.status, "reason": one.reason}
        for one in found
    ]
    told = "\n".join([*(_line(one) for one in found), f"It fires {len(rows)} times."])
    report({"firings": len(rows), "data": rows}, told, json=json)


def _line(one: Rehearsed) -> str:
    why = f" ({one.reason})" if one.reason else ""
    return f"{one.at:%Y-%m-%d %H:%M} UTC  {one.contact_id or 'figures'}  {one.status}{why}"


COMMANDS = (group,)
