"""Polls: made as drafts, opened, closed, and reported back on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from api.paging import Page, page_of
from api.poll_shapes import (
    PollChange,
    PollClosing,
    PollDetail,
    PollOpening,
    PollOrder,
    PollQuery,
    PollReport,
    PollRow,
    PollWarned,
)
from api.resource import PREFIX, Resource
from api.scopes import AUDIENCES_COUNT, AUDIENCES_SMALL
from api.work import Work
from models.ask import Ask, AskerKind, AskKind, AskMode, AskStatus
from services import organisations
from services.asks import ask_checks, asks, closing, pushing
from services.asks.asks import NewAsk, NewAsker
from services.audiences import audiences
from services.broadcasts.broadcasts import NewBroadcast
from services.errors import Invalid, NotFound

resource = Resource("polls", "One to five questions put to many, and what came of them.")

PollPage = page_of(PollRow)


@resource.operation("GET", "/polls", query=PollQuery, gives=PollPage)
def list_polls(work: Work, query: dict[str, Any]) -> Page:
    """List polls in the order they were made."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    wanted = select(Ask).where(
        Ask.organisation_id == work.holder.organisation_id, Ask.kind == AskKind.POLL
    )
    if query["status"] is not None:
        wanted = wanted.where(Ask.status == AskStatus(query["status"]))
    if after is not None:
        wanted = wanted.where(Ask.id > UUID(after))
    rows = work.db.scalars(wanted.order_by(Ask.id).limit(limit + 1)).all()
    page = work.cursors.page(rows, limit, lambda row: row.id)
    return Page([_row(work, row) for row in rows[:limit]], page.next_cursor)


@resource.operation("POST", "/polls", body=PollOrder, gives=PollDetail, status=201)
def create_poll(work: Work, body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Make a draft, asked of nobody yet; faults come back with their places."""
    _check_chosen(work, body)
    ask = asks.create(work.db, _new(NewAsk(), body), actor=work.actor, now=work.now)
    _check_kind(ask)
    return detail(work, ask), 201, {"Location": f"{PREFIX}/polls/{ask.id}"}


@resource.operation("GET", "/polls/<uuid:poll_id>", gives=PollDetail)
def get_poll(work: Work, poll_id: UUID) -> dict[str, Any]:
    """Read one poll."""
    return detail(work, poll_of(work, poll_id))


@resource.operation("PATCH", "/polls/<uuid:poll_id>", body=PollChange, gives=PollDetail)
def change_poll(work: Work, body: dict[str, Any], poll_id: UUID) -> dict[str, Any]:
    """Change a draft; what is left out stays as it is."""
    _check_chosen(work, body)
    new = _new(asks.as_new(work.db, poll_of(work, poll_id)), body)
    ask = asks.change(work.db, poll_id, new, actor=work.actor, now=work.now)
    _check_kind(ask)
    return detail(work, ask)


@resource.operation(
    "POST", "/polls/<uuid:poll_id>/open", body=PollOpening, gives=PollWarned, status=202
)
def open_poll(work: Work, body: dict[str, Any], poll_id: UUID) -> dict[str, Any]:
    """Let people answer from now on, and push it to its audience, if it has one."""
    new = NewBroadcast(send_hour=body["send_hour"], undo=timedelta(minutes=body["undo_minutes"]))
    opened = _done(
        work,
        poll_id,
        pushing.open_and_push,
        new=new,
        ballot_keys=work.line.ballots,
        allow_missing_languages=body["allow_missing_languages"],
        may_be_small=work.holder.may(AUDIENCES_SMALL),
    )
    warnings = asks.warnings_of(work.db, asks.get(work.db, poll_id), now=work.now)
    return opened | {"warnings": warnings}


@resource.operation("POST", "/polls/<uuid:poll_id>/pause", gives=PollRow, status=202)
def pause_poll(work: Work, poll_id: UUID) -> dict[str, Any]:
    """Hold what is being sent; the poll still takes answers."""
    return _done(work, poll_id, pushing.pause)


@resource.operation("POST", "/polls/<uuid:poll_id>/resume", gives=PollRow, status=202)
def resume_poll(work: Work, poll_id: UUID) -> dict[str, Any]:
    """Go on sending what was paused."""
    return _done(work, poll_id, pushing.resume)


@resource.operation("POST", "/polls/<uuid:poll_id>/remind", gives=PollRow, status=202)
def remind_of_poll(work: Work, poll_id: UUID) -> dict[str, Any]:
    """Remind those who were asked and have said nothing, once."""
    return _done(work, poll_id, pushing.remind)


@resource.operation("POST", "/polls/<uuid:poll_id>/cancel", gives=PollRow, status=202)
def cancel_poll(work: Work, poll_id: UUID) -> dict[str, Any]:
    """End a poll without a result; nothing more is sent."""
    return _done(work, poll_id, pushing.cancel)


@resource.operation(
    "POST", "/polls/<uuid:poll_id>/close", body=PollClosing, gives=PollRow, status=202
)
def close_poll(work: Work, body: dict[str, Any], poll_id: UUID) -> dict[str, Any]:
    """Take no more answers; needs what you will do, or the date you promise it for."""
    return _done(work, poll_id, pushing.close, **body)


@resource.operation(
    "POST", "/polls/<uuid:poll_id>/report-back", body=PollReport, gives=PollRow, status=202
)
def report_back_on_poll(work: Work, body: dict[str, Any], poll_id: UUID) -> dict[str, Any]:
    """Say what you will do, when it was not known at close."""
    words = {"texts": body.pop("report_back"), **body}
    return _done(work, poll_id, closing.report_back, **words)


def _done(work: Work, poll_id: UUID, verb: Callable[..., Ask], **more: Any) -> dict[str, Any]:
    poll_of(work, poll_id)
    return _row(work, verb(work.db, poll_id, actor=work.actor, now=work.now, **more))


def poll_of(work: Work, poll_id: UUID) -> Ask:
    """Return a poll; NotFound for no ask, or an ask of another kind."""
    ask = asks.get(work.db, poll_id)
    if ask.kind is not AskKind.POLL:
        raise NotFound("There is no such poll.")
    return ask


def _check_chosen(work: Work, body: dict[str, Any]) -> None:
    may_count = work.holder.may(AUDIENCES_COUNT)
    audiences.check_chosen(work.db, body.get("audience"), may_count=may_count)


def _check_kind(ask: Ask) -> None:
    if ask.kind is not AskKind.POLL:
        raise Invalid("This is the place for polls: say kind poll.", place="flow.kind")


def _new(before: NewAsk, body: dict[str, Any]) -> NewAsk:
    """Return what was there with what a body changes of it."""
    given = dict(body)
    if "flow" in given:
        flow = given.pop("flow")
        named = isinstance(flow, str)
        given |= {"flow": flow if named else None, "definition": None if named else flow}
    if "mode" in given:
        given["mode"] = AskMode(given["mode"])
    if "askers" in given:
        given["askers"] = [NewAsker(AskerKind(a["kind"]), a["name"]) for a in given["askers"]]
    return replace(before, **given)


def _row(work: Work, ask: Ask) -> dict[str, Any]:
    public = work.line.settings.public_url
    told = {name: getattr(ask, name) for name in PollRow().fields if hasattr(ask, name)}
    return told | {
        "url": f"{public}/j/{ask.code}",
        "result_url": f"{public}/r/{ask.code}",
        "overdue": closing.is_overdue(ask, work.now),
    }


def detail(work: Work, ask: Ask) -> dict[str, Any]:
    """Return all that is told of one poll."""
    flow = asks.flow_of(work.db, ask)
    offered = organisations.get(work.db).languages
    return _row(work, ask) | {
        "purpose": dict(flow.purpose),
        "definition": flow.definition,
        "askers": asks.askers_of(work.db, ask),
        "missing_languages": ask_checks.missing_languages(flow, offered),
        "warnings": asks.warnings_of(work.db, ask, now=work.now),
    }
