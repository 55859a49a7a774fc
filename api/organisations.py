"""The organisation a key belongs to."""

from typing import Any

from marshmallow import fields
from sqlalchemy import select

from api.fields import Instant, Strict, described
from api.resource import Resource
from api.work import Work
from models.office import Office
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
    offices = fields.List(fields.Nested(OfficeRow), required=True)
    created_at = Instant(required=True)


@resource.operation("GET", "/organisation", gives=OrganisationRow)
def get_organisation(work: Work) -> dict[str, Any]:
    """Read the organisation this key belongs to."""
    found = organisations.get(work.db)
    offices = work.db.scalars(
        select(Office).where(Office.organisation_id == found.id).order_by(Office.name)
    ).all()
    return {
        "id": found.id,
        "name": found.name,
        "short_name": found.short_name,
        "default_language": found.default_language,
        "languages": found.languages,
        "offices": offices,
        "created_at": found.created_at,
    }
