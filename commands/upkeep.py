"""`flask retention`, `flask audit`, `flask keys`: what keeps promises made to people."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from uuid import UUID

import click
from flask.cli import AppGroup
from sqlalchemy import select

import composition
from commands.terminal import as_json, homeline, refuse, report, sentences
from models.db import transaction
from models.organisation import Organisation
from models.walls import system_scope
from services import audit, organisations, retention
from services.rights import restoring

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


@retention_group.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@as_json
def export(file: Path, json: bool) -> None:
    """Write to FILE who was erased and who stopped, for a backup that is older than they are."""
    line, count = homeline(), 0
    half = file.with_name(file.name + ".new")
    with sentences(), _writing(half) as out:
        for organisation_id, _ in _organisations():
            with transaction(line.engine, organisation_id) as db:
                for fact in restoring.lines(db):
                    out.write(fact.to_json() + "\n")
                    count += 1
    half.replace(file)
    report({"lines": count, "file": str(file)}, f"{count} lines are in {file}.", json=json)


@retention_group.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def replay(file: Path, json: bool) -> None:
    """After a restore, erase and silence again whom FILE names. May be run again."""
    line = homeline()
    erased = stopped = 0
    with sentences():
        facts = restoring.read(file.read_text("utf-8", "replace").splitlines())
        composition.take_statistics(line)
        for organisation_id, _ in _organisations():
            with transaction(line.engine, organisation_id) as db:
                done = restoring.replay(db, facts, now=line.clock.now())
            erased, stopped = erased + done.erased, stopped + done.stopped
    told = f"Erased again: {erased}. Stopped again: {stopped}."
    report({"erased": erased, "stopped": stopped}, told, json=json)


@contextmanager
def _writing(file: Path) -> Iterator[TextIO]:
    """A new file that its owner alone may read; a sentence when it cannot be made."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise refuse(f"{file} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        yield out


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
