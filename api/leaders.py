"""Communities, and the people in them who pass polls on."""

from typing import Any
from uuid import UUID

from marshmallow import fields

from api.fields import Instant, Strict, described, one_of, text
from api.paging import Page, PageQuery, page_of
from api.resource import PREFIX, Resource
from api.work import Work
from models.relay import Community, Leader, LeaderStatus
from services.relays import leaders

resource = Resource("leaders", "Communities, and the people in them who pass polls on.")
_STATUSES = [status.value for status in LeaderStatus]


class CommunityOrder(Strict):
    """A group the organisation knows."""

    name = text(leaders.LONGEST_NAME, "What it is called.", required=True)


class CommunityRow(Strict):
    """A group the organisation knows."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    created_at = Instant(required=True)


class LeaderOrder(Strict):
    """Somebody who is to pass polls on."""

    number = text(
        40, "Their number with its country; only a keyed hash of it is kept.", load_default=None
    )
    community_id = described(fields.UUID(load_default=None), "The community they speak for.")


class LeaderRow(Strict):
    """Somebody who may pass polls on. Who they are is not told here."""

    id = fields.UUID(required=True)
    community_id = fields.UUID(required=True, allow_none=True)
    status = one_of(_STATUSES, "Whether they were invited, relay, or no longer may.", required=True)
    invited_at = Instant(required=True)
    accepted_at = Instant(required=True, allow_none=True)


class LeaderInvited(LeaderRow):
    """An invitation; its code is told here only."""

    code = described(fields.String(required=True), "Told once; it works once, for 30 days.")
    send = described(fields.String(required=True), "What they send us on any channel.")


CommunityPage = page_of(CommunityRow)
LeaderPage = page_of(LeaderRow)


@resource.operation("GET", "/communities", query=PageQuery, gives=CommunityPage)
def list_communities(work: Work, query: dict[str, Any]) -> Page:
    """List communities in the order they were made."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    rows = leaders.list_communities(work.db, after=UUID(after) if after else None, most=limit + 1)
    page = work.cursors.page(rows, limit, lambda row: row.id)
    return Page([_community(row) for row in rows[:limit]], page.next_cursor)


@resource.operation("POST", "/communities", body=CommunityOrder, gives=CommunityRow, status=201)
def create_community(
    work: Work, body: dict[str, Any]
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Add a community."""
    made = leaders.create_community(work.db, body["name"], actor=work.actor, now=work.now)
    return _community(made), 201, {"Location": f"{PREFIX}/communities"}


@resource.operation("GET", "/leaders", query=PageQuery, gives=LeaderPage)
def list_leaders(work: Work, query: dict[str, Any]) -> Page:
    """List leaders in the order they were invited."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    rows = leaders.list_leaders(work.db, after=UUID(after) if after else None, most=limit + 1)
    page = work.cursors.page(rows, limit, lambda row: row.id)
    return Page([_leader(row) for row in rows[:limit]], page.next_cursor)


@resource.operation("POST", "/leaders", body=LeaderOrder, gives=LeaderInvited, status=201)
def invite_leader(work: Work, body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Invite somebody to pass polls on: by their number, or by the code you give them."""
    invited = leaders.invite(
        work.db,
        work.keys(),
        body["number"],
        community_id=body["community_id"],
        actor=work.actor,
        now=work.now,
    )
    code = invited.code.upper()
    told = _leader(invited.leader) | {"code": code, "send": f"RELAY {code}"}
    return told, 201, {"Location": f"{PREFIX}/leaders"}


@resource.operation("POST", "/leaders/<uuid:leader_id>/revoke", gives=LeaderRow, status=202)
def revoke_leader(work: Work, leader_id: UUID) -> tuple[dict[str, Any], int]:
    """Take the right to pass polls on back; what came through their codes stays counted."""
    return _leader(leaders.revoke(work.db, leader_id, actor=work.actor, now=work.now)), 202


def _community(row: Community) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "created_at": row.created_at}


def _leader(row: Leader) -> dict[str, Any]:
    return {
        "id": row.id,
        "community_id": row.community_id,
        "status": row.status.value,
        "invited_at": row.invited_at,
        "accepted_at": row.accepted_at,
    }
