"""`flask templates`: what WhatsApp lets us say outside the 24 hours, submitted and followed."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import click
from flask.cli import AppGroup

from bot import approvals
from bot.channels.base import ChannelError, ChannelView
from commands.demo_phones import settings_for
from commands.terminal import as_json, homeline, refuse, report, sentences
from models.db import transaction
from services import organisations
from services.messages import templates as rows

templates = AppGroup("templates", help="WhatsApp's templates of one channel.")
of_channel = click.option("--channel", "key", required=True, metavar="KEY")


@templates.command("submit")
@of_channel
@as_json
def submit(key: str, json: bool) -> None:
    """Create and submit what is not yet submitted, in the organisation's languages."""
    view, line = _view(key), homeline()
    with transaction(line.engine, view.organisation_id) as db:
        languages = tuple(organisations.get(db).languages)
    done = _run(
        approvals.submit(
            line.engine,
            view,
            settings_for(line, view).twilio_api_url,
            languages=languages,
            now=line.clock.now,
        )
    )
    _tell(view, f"{done} submitted.", json=json)


@templates.command("status")
@of_channel
@as_json
def status(key: str, json: bool) -> None:
    """Ask where every template stands."""
    view, line = _view(key), homeline()
    api_url = settings_for(line, view).twilio_api_url
    asked = _run(approvals.refresh(line.engine, view, api_url, now=line.clock.now))
    _tell(view, f"{asked} asked about.", json=json)


def _run(work: Coroutine[Any, Any, int]) -> int:
    with sentences():
        try:
            return asyncio.run(work)
        except ChannelError as error:
            raise refuse(str(error)) from None


def _tell(view: ChannelView, sentence: str, *, json: bool) -> None:
    with transaction(homeline().engine, view.organisation_id) as db:
        listed = [
            {
                "name": row.name,
                "language": row.language,
                "status": row.status.value,
                "reason": row.reason,
                "sid": row.sid,
                "checked_at": row.checked_at,
            }
            for row in rows.list_current(db, view.id)
        ]
    lines = [f"{one['name']} {one['language']}: {one['status']}" for one in listed]
    report({"templates": listed}, "\n".join([sentence, *lines]), json=json)


def _view(key: str) -> ChannelView:
    with sentences():
        view = homeline().directory.by_key(key)
    if view is None or view.kind != "whatsapp":
        raise refuse(f"There is no WhatsApp channel {key!r}.")
    return view


COMMANDS = (templates,)
