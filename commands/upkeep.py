"""`flask retention`, `flask audit`, `flask keys`: what keeps promises made to people."""

from uuid import UUID

import click
from flask.cli import AppGroup
from sqlalchemy import select

from commands.terminal import as_json, homeline, report, sentences
from models.db import transaction
from models.organisation import Organisation
from models.walls import system_scope
from services import audit, organisations, retention

retention_group = AppGroup("retention", help="End what was kept long enough.")
audit_group = AppGroup("audit", help="The chain of who did what.")
keys_group = AppGroup("keys", help="Master keys.")


def _organisations() -> list[tuple[UUID, str]]:
    with system_scope(homeline().engine) as db:
        found = db.execute(select(Organisation.id, Organisation.name).order_by(Organisation.id))
        return [(row.id, row.name) for row in found]


@retention_group.command("run")
@as_json
def run(json: bool) -> None:
    """End everything that has expired. The worker does the same every few minutes."""
    line = homeline()
    ended: dict[str, int] = {}
    finished = False
    with sentences():
        while not finished:
            with system_scope(line.engine) as db:
                swept = retention.run(db, now=line.clock.now())
            for table, count in swept.rows.items():
                ended[table] = ended.get(table, 0) + count
            finished = swept.finished
    told = ", ".join(f"{count} {table}" for table, count in ended.items() if count)
    report({"ended": ended}, f"Ended: {told or 'nothing'}.", json=json)


@audit_group.command("verify")
@as_json
def verify(json: bool) -> None:
    """Check every link of every chain; exit code 1 names the first broken one."""
    line = homeline()
    broken = []
    with sentences():
        for organisation_id, name in _organisations():
            with transaction(line.engine, organisation_id) as db:
                fault = audit.verify(db)
            if fault is not None:
                broken.append(
                    {
                        "organisation": organisation_id,
                        "name": name,
                        "number": fault.number,
                        "reason": fault.reason,
                    }
                )
    if not broken:
        report({"ok": True, "broken": []}, "Every chain holds.", json=json)
        return
    told = "\n".join(f"{one['name']}: link {one['number']}: {one['reason']}" for one in broken)
    report({"ok": False, "broken": broken}, told, json=json)
    raise click.exceptions.Exit(1)


@keys_group.command("rotate")
@as_json
def rotate(json: bool) -> None:
    """Wrap every data key with the first of HOMELINE_MASTER_KEYS; afterwards others may go."""
    line = homeline()
    done = 0
    with sentences():
        for organisation_id, _ in _organisations():
            wrapped = 1
            while wrapped:
                with transaction(line.engine, organisation_id) as db:
                    wrapped = organisations.rotate_keys(db, line.keyring)
                done += wrapped
    first = line.settings.master_keys[0].id
    report({"wrapped": done, "key": first}, f"{done} keys are now under {first}.", json=json)


COMMANDS = (retention_group, audit_group, keys_group)
