"""Registrations: who registered, how far they came and what they answered."""

from typing import Any
from uuid import UUID

from marshmallow import fields

from api.fields import CHANNELS, LANGUAGE, NAME, Instant, Strict, described, one_of, word
from api.paging import Page, PageQuery, page_of
from api.resource import Resource
from api.work import Work
from services.people import registrations
from services.people.registrations import STATUSES, Registration, Wanted

resource = Resource("registrations", "Passages through flows, with what was answered.")


class RegistrationQuery(PageQuery):
    """Which registrations."""

    flow = word(NAME, "Passages of this flow, of whatever kind; without it, of registration flows.")
    status = one_of(list(STATUSES), "How far they came.")
    language = word(LANGUAGE, "BCP 47.")
    channel = one_of(CHANNELS, "The channel they began on.")
    contact_id = described(fields.UUID(), "Of one contact.")
    updated_after = described(Instant(), "Changed after this moment.")


class RegistrationRow(Strict):
    """One passage through a flow."""

    id = fields.UUID(required=True)
    contact_id = fields.UUID(required=True)
    flow = fields.String(required=True)
    version = described(fields.Integer(required=True), "The published version they answered.")
    status = one_of(
        list(STATUSES), "Partial: stopped answering, or still may go on.", required=True
    )
    language = fields.String(required=True)
    channel = fields.String(required=True)
    answers = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(allow_none=True),
        required=True,
        metadata={"description": "By question id; null where skipped."},
    )
    started_at = Instant(required=True)
    updated_at = Instant(required=True)
    completed_at = Instant(required=True, allow_none=True)


RegistrationPage = page_of(RegistrationRow)


@resource.operation("GET", "/registrations", query=RegistrationQuery, gives=RegistrationPage)
def list_registrations(work: Work, query: dict[str, Any]) -> Page:
    """List registrations in the order they began."""
    limit, after = query.pop("limit"), work.cursors.read(query.pop("cursor"))
    rows = registrations.list_registrations(
        work.db,
        work.line.keyring,
        Wanted(**query),
        after=UUID(after) if after else None,
        most=limit + 1,
    )
    work.note_rows("registration", [row.id for row in rows[:limit]])
    return work.cursors.page(rows, limit, lambda row: row.id)


@resource.operation("GET", "/registrations/<uuid:registration_id>", gives=RegistrationRow)
def get_registration(work: Work, registration_id: UUID) -> Registration:
    """Read one registration; the view is recorded."""
    found = registrations.get(work.db, work.line.keyring, registration_id)
    work.note_view("registration.viewed", found.contact_id, registration=str(found.id))
    return found
