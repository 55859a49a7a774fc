"""Relays: personal codes through which a poll is passed on, and in bands how many came by them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from api.fields import Instant, Strict, Whole, described
from api.paging import Page, PageQuery, page_of
from api.resource import PREFIX, Resource
from api.work import Work
from insights.disclosure import RULE, figure
from insights.reach import band, marked_band
from insights.tables import people, told_apart
from models.relay import FlagKind, GroupPoll, Relay
from services.relays import group_polls, relays
from services.relays.reach import own_reach, reach
from services.relays.relays import NewRelay

resource = Resource("relays", "Codes through which a poll is passed on, and how many came by them.")
_BAND = "The middle of a band of twenty; null for few here or beside: never who."


class RelaysQuery(PageQuery):
    """Which relays."""

    poll_id = described(fields.UUID(load_default=None), "Of this poll; by default of all.")


class RelayOrder(Strict):
    """A code to be made."""

    poll_id = fields.UUID(required=True)
    leader_id = described(
        fields.UUID(load_default=None), "Whose it is; null: the organisation's own, as on a poster."
    )
    parent_id = described(fields.UUID(load_default=None), "The relay whose helper gets this one.")
    asker_id = described(fields.UUID(load_default=None), "Who is named as sender to who comes.")
    quota = Whole(
        load_default=None,
        validate=validate.Range(RULE.fewest, relays.MOST_QUOTA),
        metadata={
            "description": "How many answers are hoped for; what comes after is marked over_quota."
        },
    )


class FlagsRow(Strict):
    """How many answers are marked, by why; marked ones are counted all the same."""

    velocity = described(fields.Integer(required=True, allow_none=True), _BAND)
    straight_line = described(fields.Integer(required=True, allow_none=True), _BAND)
    over_quota = described(fields.Integer(required=True, allow_none=True), _BAND)


class GroupOptionRow(Strict):
    """One option of a poll in a group."""

    value = fields.String(required=True)
    count = described(fields.Integer(required=True, allow_none=True), "Votes, as Telegram counts.")
    share = described(fields.Integer(required=True, allow_none=True), "Whole percent of them.")


class GroupPollRow(Strict):
    """An anonymous poll in a leader's Telegram group: told once it is closed, and never added up.

    Nobody in it consented, and a vote can be repeated: it stands beside the results, not in them.
    """

    posted_at = Instant(required=True)
    closed_at = Instant(required=True, allow_none=True)
    n = described(
        fields.Integer(required=True, allow_none=True), "Votes, from ten on, once it is closed."
    )
    options = fields.List(fields.Nested(GroupOptionRow), required=True)


class RelayRow(Strict):
    """A code through which a poll is passed on."""

    id = fields.UUID(required=True)
    poll_id = fields.UUID(required=True)
    leader_id = fields.UUID(required=True, allow_none=True)
    parent_id = fields.UUID(required=True, allow_none=True)
    asker_id = fields.UUID(required=True, allow_none=True)
    code = described(fields.String(required=True), "What people send to answer through it.")
    url = described(fields.URL(required=True), "The page that opens a chat with it.")
    quota = fields.Integer(required=True, allow_none=True)
    answered = described(fields.Integer(required=True, allow_none=True), _BAND)
    flagged = fields.Nested(FlagsRow, required=True)
    groups = described(
        fields.List(fields.Nested(GroupPollRow), required=True),
        "Polls in Telegram groups of the leader, kept apart.",
    )
    created_at = Instant(required=True)
    closed_at = Instant(required=True, allow_none=True)


RelayPage = page_of(RelayRow)


@resource.operation("GET", "/relays", query=RelaysQuery, gives=RelayPage)
def list_relays(work: Work, query: dict[str, Any]) -> Page:
    """List relays in the order they were made."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    rows = relays.list_relays(
        work.db,
        ask_id=query["poll_id"],
        after=UUID(after) if after else None,
        most=limit + 1,
    )
    page = work.cursors.page(rows, limit, lambda row: row.id)
    return Page(_told(work, rows[:limit]), page.next_cursor)


@resource.operation("POST", "/relays", body=RelayOrder, gives=RelayRow, status=201)
def create_relay(work: Work, body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Make a code: the organisation's own, a leader's, or one of a leader's helper."""
    new = NewRelay(
        ask_id=body["poll_id"],
        leader_id=body["leader_id"],
        parent_id=body["parent_id"],
        asker_id=body["asker_id"],
        quota=body["quota"],
    )
    made = relays.create(work.db, new, actor=work.actor, now=work.now)
    return _told(work, [made])[0], 201, {"Location": f"{PREFIX}/relays/{made.id}"}


@resource.operation("GET", "/relays/<uuid:relay_id>", gives=RelayRow)
def get_relay(work: Work, relay_id: UUID) -> dict[str, Any]:
    """Read one relay."""
    return _told(work, [relays.get(work.db, relay_id)])[0]


@resource.operation("POST", "/relays/<uuid:relay_id>/close", gives=RelayRow, status=202)
def close_relay(work: Work, relay_id: UUID) -> tuple[dict[str, Any], int]:
    """Let a code open nothing any more; what came through it stays counted."""
    closed = relays.close(work.db, relay_id, actor=work.actor, now=work.now)
    return _told(work, [closed])[0], 202


def _told(work: Work, rows: Sequence[Relay]) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    own, flagged = own_reach(work.db, rows), relays.count_flags(work.db, ids)
    answered = reach(work.db, rows, own)
    groups = group_polls.tallies_of(work.db, ids)
    base = work.line.settings.public_url
    return [
        {
            "id": row.id,
            "poll_id": row.ask_id,
            "leader_id": row.leader_id,
            "parent_id": row.parent_id,
            "asker_id": row.asker_id,
            "code": row.code,
            "url": f"{base}/j/{row.code}",
            "quota": row.quota,
            "answered": band(answered[row.id]).value,
            "flagged": {
                kind.value: marked_band(
                    flagged.get(row.id, {}).get(kind, 0), own.get(row.id, 0)
                ).value
                for kind in FlagKind
            },
            "groups": [_group(poll, counts) for poll, counts in groups.get(row.id, ())],
            "created_at": row.created_at,
            "closed_at": row.closed_at,
        }
        for row in rows
    ]


def _group(poll: GroupPoll, counts: Mapping[str, int]) -> dict[str, Any]:
    """A poll in a group as it may leave: nothing of fewer than ten, nothing before its end."""
    told = told_apart(counts) if poll.closed_at is not None else None
    shown = {
        option: figure(count, people(counts)) if told and option in told else None
        for option, count in counts.items()
    }
    return {
        "posted_at": poll.created_at,
        "closed_at": poll.closed_at,
        "n": None if told is None else figure(people(counts)).value,
        "options": [
            {"value": option, "count": one and one.value, "share": one and one.share}
            for option, one in shown.items()
        ],
    }
