"""Consents: what people allowed, refused and withdrew, with the wording they saw."""

from typing import Any
from uuid import UUID

from marshmallow import fields
from sqlalchemy import select

from api.fields import NAME, Instant, Strict, described, one_of, word
from api.paging import Page, PageQuery, page_of
from api.resource import Resource
from api.work import Work
from models.consent import ConsentAction, ConsentEvent
from services.people import contacts
from services.rights import consents

resource = Resource("consents", "What people allowed, refused and withdrew; only ever added to.")
ACTIONS = [one.value for one in ConsentAction]


class ConsentQuery(PageQuery):
    """Which entries."""

    contact_id = described(fields.UUID(), "Of one contact.")
    purpose = word(NAME, "For one purpose.")
    action = one_of(ACTIONS, "What happened.")
    after = described(Instant(), "Later than this moment.")


class ConsentRow(Strict):
    """One entry of the consent history."""

    id = fields.UUID(required=True)
    contact_id = fields.UUID(required=True)
    purpose = fields.String(required=True)
    action = one_of(ACTIONS, "What happened.", required=True)
    flow = fields.String(required=True, allow_none=True)
    version = fields.Integer(required=True, allow_none=True)
    question = fields.String(required=True, allow_none=True)
    text_sha256 = fields.Function(
        lambda event: event.text_hash.hex() if event.text_hash else None,
        metadata={"description": "Of the exact text shown.", "type": ["string", "null"]},
    )
    language = fields.String(required=True)
    channel = fields.String(required=True, attribute="channel_kind")
    provider_message = fields.String(required=True, allow_none=True)
    at = Instant(required=True)


class ConsentHistory(Strict):
    """A person's consents, oldest first."""

    data = fields.List(fields.Nested(ConsentRow), required=True)


ConsentPage = page_of(ConsentRow)


@resource.operation("GET", "/consents", query=ConsentQuery, gives=ConsentPage)
def list_consents(work: Work, query: dict[str, Any]) -> Page:
    """List the entries of everybody, oldest first."""
    limit, cursor = query.pop("limit"), work.cursors.read(query.pop("cursor"))
    since = query.pop("after", None)
    wanted = select(ConsentEvent).where(ConsentEvent.organisation_id == work.holder.organisation_id)
    wanted = wanted.filter_by(**query)
    if since is not None:
        wanted = wanted.where(ConsentEvent.at > since)
    if cursor is not None:
        wanted = wanted.where(ConsentEvent.id > UUID(cursor))
    rows = work.db.scalars(wanted.order_by(ConsentEvent.id).limit(limit + 1)).all()
    work.note_rows("consent", [row.id for row in rows[:limit]])
    return work.cursors.page(rows, limit, lambda row: row.id)


@resource.operation("GET", "/contacts/<uuid:contact_id>/consents", gives=ConsentHistory)
def list_consents_of(work: Work, contact_id: UUID) -> dict[str, list[ConsentEvent]]:
    """Read what one person allowed, refused and withdrew; the view is recorded."""
    person = contacts.get(work.db, contact_id)
    work.note_view("consents.viewed", person.id)
    return {"data": list(consents.list_events(work.db, person.id))}
