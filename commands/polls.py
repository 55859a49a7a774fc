"""`flask poll`: a question put to many, from the terminal."""

import json as documents
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from commands.terminal import as_json, homeline, inside, refuse, report
from flows import loader
from flows.errors import FlowError
from models.ask import Ask, AskMode, AskStatus
from models.organisation import Organisation
from models.walls import system_scope
from services import organisations
from services.asks import asks, pushing
from services.asks.asks import NewAsk
from services.broadcasts.broadcasts import UNDO, NewBroadcast

group = AppGroup("poll", help="Questions put to many.")
LONGEST_NAME = 40
UNDO_MINUTES = int(UNDO.total_seconds()) // 60


@group.command("push")
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--question", metavar="TEXT", help="What to ask, when there is no file.")
@click.option(
    "--option", "options", multiple=True, metavar="TEXT", help="An answer; twice or more."
)
@click.option("--language", metavar="L", help="Of question and options; by default the first.")
@click.option("--audience", metavar="JSON", help="A condition; without it nobody is pushed to.")
@click.option("--mode", type=click.Choice([mode.value for mode in AskMode]), default="named")
@click.option("--days", type=click.IntRange(1, 365), default=7, help="How long it is open.")
@click.option("--undo", type=click.IntRange(0, 60), default=UNDO_MINUTES, help="Minutes to undo.")
@click.option(
    "--allow-missing-languages",
    is_flag=True,
    help="Open it although texts are missing: people read the first language there.",
)
@click.option("--draft", is_flag=True, help="Make it, but do not open it.")
@click.option("--organisation", metavar="O", help="By default the only one there is.")
@as_json
def push(file: Path | None, organisation: str | None, json: bool, **given: Any) -> None:
    """Ask a poll of a flow file, or one question with its options, and push it to an audience."""
    line = homeline()
    with inside(organisation or _only_organisation()) as db:
        now = line.clock.now()
        definition = _definition(db, file, given)
        new = NewAsk(
            definition=definition,
            mode=AskMode(given["mode"]),
            audience=_condition(given["audience"]),
            closes_at=now + timedelta(days=given["days"]),
        )
        ask = asks.create(db, new, now=now)
        if not given["draft"]:
            pushing.open_and_push(
                db,
                ask.id,
                new=NewBroadcast(undo=timedelta(minutes=given["undo"])),
                ballot_keys=line.ballots,
                allow_missing_languages=given["allow_missing_languages"],
                # Whoever has a shell here may address few people; that they did is recorded.
                may_be_small=True,
                now=now,
            )
        warned = [str(one) for one in asks.warnings_of(db, ask, now=now)]
        result = {
            "id": ask.id,
            "code": ask.code,
            "url": f"{line.settings.public_url}/j/{ask.code}",
            "result_url": f"{line.settings.public_url}/r/{ask.code}",
            "status": ask.status.value,
            "warnings": warned,
        }
    told = f"The poll is {result['status']}. Its code is {result['code']}: {result['url']}"
    report(result, "\n".join([told, *_when(ask, given["undo"]), *warned]), json=json)


def _when(ask: Ask, undo: int) -> Iterator[str]:
    """When a push begins to leave, and how it is undone."""
    if ask.status is AskStatus.OPEN and ask.audience is not None:
        until = f"in {undo} minutes; until then" if undo else "now, by day where they live;"
        yield f"It leaves {until} POST /api/v1/polls/{ask.id}/cancel ends it."


def _only_organisation() -> str:
    with system_scope(homeline().engine) as db:
        found = db.scalars(select(Organisation.id).limit(2)).all()
    if len(found) != 1:
        raise refuse("Say which organisation asks: --organisation O.")
    return str(found[0])


def _definition(db: Session, file: Path | None, given: Mapping[str, Any]) -> Mapping[str, Any]:
    question: str | None = given["question"]
    options: Sequence[str] = given["options"]
    if (file is None) == (question is None):
        raise refuse("Give a flow file, or --question with two --option or more.")
    if file is not None:
        try:
            return dict(loader.read(file))
        except FlowError as error:
            raise refuse(f"{file}: {error}") from None
    if len(options) < 2:
        raise refuse("Give two --option or more.")
    organisation = organisations.get(db)
    language = given["language"] or organisation.default_language
    return _one_question(question or "", options, language)


def _one_question(question: str, options: Sequence[str], language: str) -> dict[str, Any]:
    """Return the flow of a question asked in passing; who asks more often writes a file."""
    asked = {
        "id": "question",
        "type": "choice",
        "text": {language: question},
        "options": [
            {"value": f"option_{number}", "label": {language: label}}
            for number, label in enumerate(options, start=1)
        ],
    }
    return {
        "flow": _name(question),
        "kind": "poll",
        "purpose": {
            "why": question,
            "owner": "whoever runs this installation",
            "decision": "told with the result",
        },
        "languages": [language],
        "questions": [asked],
    }


def _name(question: str) -> str:
    """Return a flow's id made of the question's own words."""
    plain = re.sub(r"[^a-z0-9]+", "-", question.lower()).strip("-")
    return f"ask-{plain}"[:LONGEST_NAME].rstrip("-")


def _condition(audience: str | None) -> Mapping[str, Any] | None:
    if audience is None:
        return None
    try:
        found = documents.loads(audience)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise refuse('Write the audience as JSON, such as {"country": "ZA"}.')
    return found


COMMANDS = (group,)
