"""`flask flows`: conversations as files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import yaml
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from commands.terminal import as_json, homeline, inside, organisation_id, refuse, report, sentences
from flows import loader
from flows.errors import FlowError
from flows.flow import Flow
from flows.lengths import lengths, table
from flows.lint import lint, lint_phrases
from models.db import transaction
from models.flow_version import FlowVersion
from models.organisation import Organisation
from models.walls import system_scope
from services import flow_warnings, flows
from services.catalogue import read_inside

group = AppGroup("flows", help="Conversations as files.")
_files = click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))


@group.command("lint")
@_files
@click.option("--lengths", "wanted", is_flag=True, help="Print the table of lengths.")
@as_json
def check(path: Path | None, wanted: bool, json: bool) -> None:
    """Read flow files, or the shipped library, and tell what would go wrong with people.

    With a path, or --lengths, first the length of every message as SMS, in every language.
    """
    files = _yaml_files(path) if path else sorted(loader.library().values())
    findings = {file.name: told for file in files if (told := _faults(file))}
    if (path or wanted) and not json:
        for flow in _readable(files):
            click.echo(f"{flow.id}\n{table(lengths(flow))}\n")
    if path is None and (told := [str(one) for one in lint_phrases()]):
        findings["phrases"] = told
    lines = [f"{name}: {line}" for name, told in findings.items() for line in told]
    sentence = "\n".join(lines) or f"{len(files)} flows, nothing to mend."
    report({"ok": not findings, "flows": len(files), "findings": findings}, sentence, json=json)
    if findings:
        raise click.exceptions.Exit(1)


@group.command("publish")
@_files
@click.option("--organisation", metavar="O", help="By default every organisation.")
@as_json
def publish(path: Path | None, organisation: str | None, json: bool) -> None:
    """Publish flow files, or the shipped library; what has not changed stays as it is."""
    found = _load(_yaml_files(path) if path else shipped())
    published = _publish(found, organisation)
    new = [one for one in published if one["new"]]
    told = ", ".join(f"{one['flow']} {one['version']}" for one in new) or "nothing new"
    _tell(published, f"Published: {told}.", json=json)


@group.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--organisation", required=True, metavar="O")
@as_json
def import_flows(path: Path, organisation: str, json: bool) -> None:
    """Publish what another organisation or installation exported."""
    published = _publish(_load(_yaml_files(path)), organisation)
    _tell(published, f"{len(published)} flows are published.", json=json)


@group.command("export")
@click.argument("path", type=click.Path(file_okay=False, path_type=Path))
@click.option("--organisation", required=True, metavar="O")
@as_json
def export(path: Path, organisation: str, json: bool) -> None:
    """Write the newest version of every published flow to a folder."""
    with inside(organisation) as db:
        rows = db.execute(
            select(FlowVersion.flow, FlowVersion.version, FlowVersion.definition)
            .ext(distinct_on(FlowVersion.flow))
            .order_by(FlowVersion.flow, FlowVersion.version.desc())
        ).all()
    path.mkdir(parents=True, exist_ok=True)
    files = []
    for row in rows:
        file = path / f"{row.flow}.yaml"
        text = yaml.safe_dump(row.definition, sort_keys=False, allow_unicode=True, width=100)
        file.write_text(text, encoding="utf-8")
        files.append(str(file))
    report({"files": files}, f"Wrote {len(files)} flows to {path}.", json=json)


def shipped() -> list[Path]:
    """Return the library without asides: those are the engine's own and never published."""
    return [file for file in sorted(loader.library().values()) if file.parent.name != "asides"]


def _yaml_files(path: Path) -> list[Path]:
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise refuse(f"There are no .yaml files in {path}.")
    return files


def _faults(file: Path) -> list[str]:
    try:
        return [str(one) for one in lint(loader.load(file))]
    except FlowError as error:
        return [str(error)]


def _readable(files: Iterable[Path]) -> Iterator[Flow]:
    for file in files:
        with suppress(FlowError):  # told among the faults
            yield loader.load(file)


def _load(files: Iterable[Path]) -> list[Flow]:
    loaded = []
    for file in files:
        try:
            flow = loader.load(file)
        except FlowError as error:
            raise refuse(f"{file}: {error}") from None
        faults = [str(one) for one in lint(flow)]
        if faults:
            raise refuse(f"{file} is not published:\n" + "\n".join(faults))
        loaded.append(flow)
    return loaded


def _publish(found: list[Flow], organisation: str | None) -> list[dict[str, Any]]:
    line = homeline()
    published: list[dict[str, Any]] = []
    with sentences():
        if organisation is None:
            with system_scope(line.engine) as db:
                wanted = list(db.scalars(select(Organisation.id).order_by(Organisation.id)))
        else:
            wanted = [organisation_id(organisation)]
        for one in wanted:
            with transaction(line.engine, one) as db:
                now = line.clock.now()
                done = [(flow, flows.publish(db, flow, now=now)) for flow in found]
                # Read once all are published: flows of one folder may name each other.
                catalogue = read_inside(db)
                for flow, publication in done:
                    warnings = flow_warnings.list_warnings(flow, catalogue, now=now)
                    published.append(
                        {
                            "organisation": one,
                            "flow": flow.id,
                            "id": publication.version_id,
                            "version": publication.version,
                            "new": publication.is_new,
                            "warnings": [str(each) for each in warnings],
                        }
                    )
    return published


def _tell(published: Sequence[Mapping[str, Any]], sentence: str, *, json: bool) -> None:
    told = {f"{one['flow']}: {each}": None for one in published for each in one["warnings"]}
    report({"published": published}, "\n".join([sentence, *told]), json=json)


COMMANDS = (group,)
