"""Sendings of polls: begun, canceled, and how far each is."""

from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import fields as fields_of
from datetime import timedelta
from typing import Any
from uuid import UUID

from marshmallow import fields, validate
from sqlalchemy import select

from api.fields import Instant, Strict, Whole, described, one_of
from api.paging import Page, PageQuery, page_of
from api.resource import PREFIX, Resource
from api.scopes import AUDIENCES_COUNT, AUDIENCES_SMALL
from api.work import Work, catalogue_of
from insights.disclosure import Reason
from models.broadcast import Broadcast, BroadcastKind, BroadcastStatus
from services.asks import asks, publications
from services.audiences import audience_checks, audiences
from services.audiences.eligibility import GoesTo
from services.broadcasts import broadcasts, progress
from services.broadcasts.broadcasts import NewBroadcast
from services.broadcasts.expanding import sending_of

resource = Resource("broadcasts", "One sending of a poll to people, and how far it is.")
_STATUSES = [status.value for status in BroadcastStatus]
_KINDS = [kind.value for kind in BroadcastKind]
_MOST_UNDO = 60


class BroadcastOrder(Strict):
    """One more sending of an open poll: to whom, and how."""

    send_hour = Whole(
        load_default=None,
        allow_none=True,
        validate=validate.Range(8, 19),
        metadata={"description": "From which hour of each member's own day; null: from 8."},
    )
    undo_minutes = Whole(
        load_default=10,
        validate=validate.Range(0, _MOST_UNDO),
        metadata={"description": "How long nothing leaves yet, so that it can be undone."},
    )

    poll_id = fields.UUID(required=True)
    audience = described(
        fields.Dict(load_default=None, allow_none=True), "A condition; null: the poll's own."
    )
    audience_id = described(
        fields.UUID(load_default=None, allow_none=True), "A saved audience, as it is now."
    )


class BroadcastRow(Strict):
    """A sending."""

    id = fields.UUID(required=True)
    poll_id = fields.UUID(required=True)
    kind = one_of(_KINDS, "What people are told.", required=True)
    status = one_of(_STATUSES, "How far it is.", required=True)
    goes_to = one_of([one.value for one in GoesTo], "Whom it is for.", required=True)
    condition = described(
        fields.Dict(required=True, allow_none=True), "Of `audience`: who that is; else null."
    )
    audience_id = fields.UUID(required=True, allow_none=True)
    audience_version = fields.Integer(required=True, allow_none=True)
    send_hour = fields.Integer(required=True, allow_none=True)
    created_at = Instant(required=True)
    starts_at = described(Instant(required=True), "Before this it can be undone wholly.")
    finished_at = Instant(required=True, allow_none=True)


class ProgressRow(Strict):
    """Counts of people: sent includes delivered, delivered includes read.

    Keys without audiences:count get of an invitation what the results of the poll tell, of all its
    invitations together; everything else is null.
    """

    waiting = fields.Integer(required=True, allow_none=True)
    queued = fields.Integer(required=True, allow_none=True)
    sent = fields.Integer(required=True, allow_none=True)
    delivered = fields.Integer(required=True, allow_none=True)
    read = fields.Integer(required=True, allow_none=True)
    answered = described(
        fields.Integer(required=True, allow_none=True),
        "Who of all invited to the poll came to the end with an answer. Without audiences:count "
        "it is `responded` of the results of the poll.",
    )
    unconfirmed = described(
        fields.Integer(required=True, allow_none=True),
        "The provider never said what became of them.",
    )
    canceled = fields.Integer(required=True, allow_none=True)
    left_out = fields.Dict(required=True, allow_none=True)
    failed = fields.Dict(required=True, allow_none=True)
    by_channel = fields.Dict(required=True, allow_none=True)
    reason = one_of([Reason.ROLE.value], "Why counts are null.", required=True, allow_none=True)


class BroadcastDetail(BroadcastRow):
    """A sending and how far it is."""

    progress = fields.Nested(ProgressRow, required=True)


class BroadcastQuery(PageQuery):
    """Which sendings."""

    poll_id = described(fields.UUID(load_default=None), "Only those of this poll.")


BroadcastPage = page_of(BroadcastRow)


@resource.operation("GET", "/broadcasts", query=BroadcastQuery, gives=BroadcastPage)
def list_broadcasts(work: Work, query: dict[str, Any]) -> Page:
    """List sendings in the order they were begun."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    wanted = select(Broadcast).where(Broadcast.organisation_id == work.holder.organisation_id)
    if query["poll_id"] is not None:
        wanted = wanted.where(Broadcast.ask_id == query["poll_id"])
    if after is not None:
        wanted = wanted.where(Broadcast.id > UUID(after))
    rows = work.db.scalars(wanted.order_by(Broadcast.id).limit(limit + 1)).all()
    page = work.cursors.page(rows, limit, lambda row: row.id)
    return Page([_row(work, row) for row in rows[:limit]], page.next_cursor)


@resource.operation("POST", "/broadcasts", body=BroadcastOrder, gives=BroadcastDetail, status=201)
def create_broadcast(
    work: Work, body: dict[str, Any]
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Send an open poll to more people; who was asked before is not asked again."""
    ask, condition, audience = asks.get(work.db, body["poll_id"]), body["audience"], None
    if body["audience_id"] is not None:
        saved = audiences.get(work.db, body["audience_id"])
        condition = saved.version.condition
        audience = (saved.audience.id, saved.version.version)
    may_count = work.holder.may(AUDIENCES_COUNT)
    audiences.check_chosen(work.db, condition, may_count=may_count)
    new = NewBroadcast(condition, audience, body["send_hour"], _undo(body))
    _check_size(work, condition if condition is not None else ask.audience)
    kind = BroadcastKind.INVITATION
    begun = broadcasts.begin(work.db, ask, kind, new, actor=work.actor, now=work.now)
    return _detail(work, begun), 201, {"Location": f"{PREFIX}/broadcasts/{begun.id}"}


@resource.operation("GET", "/broadcasts/<uuid:broadcast_id>", gives=BroadcastDetail)
def get_broadcast(work: Work, broadcast_id: UUID) -> dict[str, Any]:
    """Read one sending with its progress."""
    return _detail(work, broadcasts.get(work.db, broadcast_id))


@resource.operation(
    "POST", "/broadcasts/<uuid:broadcast_id>/cancel", gives=BroadcastDetail, status=202
)
def cancel_broadcast(work: Work, broadcast_id: UUID) -> dict[str, Any]:
    """End a sending: what has not left stays here."""
    ended = broadcasts.cancel(work.db, broadcast_id, actor=work.actor, now=work.now)
    return _detail(work, ended)


def _check_size(work: Work, condition: Mapping[str, Any] | None) -> None:
    """Check that a push goes to ten people, or that this key may address fewer."""
    wanted = broadcasts.EVERYBODY if condition is None else condition
    audiences.check_size(
        work.db,
        audience_checks.read(wanted, catalogue_of(work), "audience"),
        may_be_small=work.holder.may(AUDIENCES_SMALL),
        actor=work.actor,
        now=work.now,
    )


def _undo(body: dict[str, Any]) -> timedelta:
    return timedelta(minutes=body["undo_minutes"])


def _row(work: Work, row: Broadcast) -> dict[str, Any]:
    goes_to = sending_of(work.db, row).goes_to
    return {
        "id": row.id,
        "poll_id": row.ask_id,
        "kind": row.kind.value,
        "status": row.status.value,
        "goes_to": goes_to.value,
        "condition": row.condition if goes_to is GoesTo.AUDIENCE else None,
        "audience_id": row.audience_id,
        "audience_version": row.audience_version,
        "send_hour": row.send_hour,
        "created_at": row.created_at,
        "starts_at": row.starts_at,
        "finished_at": row.finished_at,
    }


def _detail(work: Work, row: Broadcast) -> dict[str, Any]:
    if work.holder.may(AUDIENCES_COUNT):
        told = asdict(progress.progress(work.db, row)) | {"reason": None}
    else:
        ask = asks.get(work.db, row.ask_id)
        results = publications.results_of(work.db, work.keys(), ask, now=work.now)
        whole = results if row.kind is BroadcastKind.INVITATION else {}
        told = {one.name: whole.get(one.name) for one in fields_of(progress.Progress)}
        told |= {"answered": results["responded"], "reason": Reason.ROLE}
    return _row(work, row) | {"progress": told}
