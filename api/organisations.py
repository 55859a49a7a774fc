"""The organisation a key belongs to."""

from typing import Any

from marshmallow import fields, validate
from sqlalchemy import select

from api.fields import Instant, Strict, described
from api.resource import Resource
from api.work import Work
from models.office import Office
from models.organisation import Organisation
from services import organisations

resource = Resource("organisation", "The data controller a key belongs to, and its offices.")


class OfficeRow(Strict):
    """A consulate inside the organisation."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    countries = fields.List(fields.String(), required=True)
    time_zone = fields.String(required=True)


class OrganisationRow(Strict):
    """One data controller."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    short_name = described(fields.String(required=True), "What messages show.")
    default_language = fields.String(required=True)
    languages = fields.List(fields.String(), required=True)
    emergency_line = described(
        fields.String(required=True, allow_none=True), "What people in danger are told to call."
    )
    offices = fields.List(fields.Nested(OfficeRow), required=True)
    created_at = Instant(required=True)


class OrganisationChange(Strict):
    """What may be changed."""

    emergency_line = described(
        fields.String(required=True, allow_none=True, validate=validate.Length(max=24)),
        "A telephone number; null for none.",
    )


@resource.operation("GET", "/organisation", gives=OrganisationRow)
def get_organisation(work: Work) -> dict[str, Any]:
    """Read the organisation this key belongs to."""
    return _row(work, organisations.get(work.db))


@resource.operation("PATCH", "/organisation", body=OrganisationChange, gives=OrganisationRow)
def change_organisation(work: Work, body: dict[str, Any]) -> dict[str, Any]:
    """Set what people in danger are told to call; within moments everybody is told so."""
    line = body["emergency_line"]
    changed = organisations.set_emergency_line(work.db, line, actor=work.actor, now=work.now)
    return _row(work, changed)


def _row(work: Work, found: Organisation) -> dict[str, Any]:
    offices = work.db.scalars(
        select(Office).where(Office.organisation_id == found.id).order_by(Office.name)
    ).all()
    return {
        "id": found.id,
        "name": found.name,
        "short_name": found.short_name,
        "default_language": found.default_language,
        "languages": found.languages,
        "emergency_line": found.settings.get("emergency_line"),
        "offices": offices,
        "created_at": found.created_at,
    }
