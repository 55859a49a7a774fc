"""Everybody a sending was meant for: what became of each, and why some got nothing."""

from typing import Any
from uuid import UUID

from marshmallow import fields

from api.fields import NAME, Instant, Strict, described, one_of, word
from api.paging import Page, PageQuery, page_of
from api.resource import Resource
from api.work import Work
from services.broadcasts import broadcasts, recipients
from services.broadcasts.recipients import STATUSES

resource = Resource("recipients", "What became of each person a sending was meant for.")


class RecipientQuery(PageQuery):
    """Which people of it."""

    status = one_of(list(STATUSES), "Only those so far.", load_default=None)
    reason = word(NAME, "Only those for this reason, such as monthly_cap.", load_default=None)


class RecipientRow(Strict):
    """One person of a sending."""

    contact_id = fields.UUID(required=True)
    status = one_of(
        list(STATUSES),
        "waiting for their hour, left_out, or how far the message is.",
        required=True,
    )
    reason = described(
        fields.String(required=True, allow_none=True),
        "Why they were left out, or the error with which it failed.",
    )
    channel = described(
        fields.String(required=True, allow_none=True), "Where they get it; null if left out."
    )
    send_at = described(
        Instant(required=True, allow_none=True), "When it may reach them, by their own day."
    )
    message_id = fields.UUID(required=True, allow_none=True)
    sent_at = Instant(required=True, allow_none=True)


RecipientPage = page_of(RecipientRow)


@resource.operation(
    "GET", "/broadcasts/<uuid:broadcast_id>/recipients", query=RecipientQuery, gives=RecipientPage
)
def list_recipients(work: Work, query: dict[str, Any], broadcast_id: UUID) -> Page:
    """List everybody a sending was meant for, each once, in the order of their ids."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    rows = recipients.list_recipients(
        work.db,
        broadcasts.get(work.db, broadcast_id),
        status=query["status"],
        reason=query["reason"],
        after=UUID(after) if after else None,
        most=limit + 1,
    )
    work.note_rows("recipient", [row.contact_id for row in rows[:limit]])
    return work.cursors.page(rows, limit, lambda row: row.contact_id)
