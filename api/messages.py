"""Messages: what was said, in and out."""

from typing import Any
from uuid import UUID

from marshmallow import fields

from api.fields import CHANNELS, Instant, Strict, described, one_of
from api.paging import Page, PageQuery, page_of
from api.resource import Resource
from api.work import Work, catalogue_of
from models.message import Direction, MessageStatus
from services.messages import messages
from services.messages.messages import Wanted

resource = Resource("messages", "What was said, in and out.")
DIRECTIONS = [one.value for one in Direction]
STATUSES = [one.value for one in MessageStatus]


class MessageQuery(PageQuery):
    """Which messages."""

    direction = one_of(DIRECTIONS, "From people, or to them.")
    status = one_of(STATUSES, "How far they came.")
    channel = one_of(CHANNELS, "The kind of channel.")
    contact_id = described(fields.UUID(), "With one contact.")


class MessageRow(Strict):
    """One message."""

    id = fields.UUID(required=True)
    contact_id = fields.UUID(required=True)
    channel = fields.String(required=True)
    direction = one_of(DIRECTIONS, "From people, or to them.", required=True)
    status = one_of(STATUSES, "Statuses only move up.", required=True)
    kind = described(fields.String(required=True, allow_none=True), "Why we write.")
    text = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "As it stood on the screen; what a person wrote is opened."},
    )
    language = fields.String(required=True)
    provider_id = fields.String(required=True, allow_none=True)
    error_code = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)
    sent_at = Instant(required=True, allow_none=True)


MessagePage = page_of(MessageRow)


@resource.operation("GET", "/messages", query=MessageQuery, gives=MessagePage)
def list_messages(work: Work, query: dict[str, Any]) -> Page:
    """List messages in the order they were made."""
    limit, after = query.pop("limit"), work.cursors.read(query.pop("cursor"))
    rows = messages.list_messages(
        work.db,
        work.line.keyring,
        catalogue_of(work),
        Wanted(**query),
        after=UUID(after) if after else None,
        most=limit + 1,
    )
    if query.get("contact_id") and rows:
        work.note_view("messages.viewed", query["contact_id"], rows=len(rows[:limit]))
    else:
        work.note_rows("message", [row.id for row in rows[:limit]])
    return work.cursors.page(rows, limit, lambda row: row.id)
