"""The audit chain: who did what to which row."""

from typing import Any

from marshmallow import fields
from sqlalchemy import select

from api.fields import Instant, Strict, described, word
from api.paging import Page, PageQuery, page_of
from api.resource import Resource
from api.work import Work
from models.audit import AuditEvent

resource = Resource("audit", "Who did what to which row, in a chain nobody can quietly mend.")


class AuditQuery(PageQuery):
    """Which links."""

    action = word(r"[a-z_]{1,40}\.[a-z_]{1,40}", "Such as contact.viewed.")
    subject_id = described(fields.UUID(), "What happened to this row.")
    actor_id = described(fields.UUID(), "What this key, officer or contact did.")


class AuditRow(Strict):
    """One link: `hash` is SHA-256 of `previous` and the canonical JSON of the rest."""

    number = fields.Integer(required=True)
    at = Instant(required=True)
    actor_kind = fields.String(required=True)
    actor_id = fields.UUID(required=True, allow_none=True)
    action = fields.String(required=True)
    subject_kind = fields.String(required=True)
    subject_id = fields.UUID(required=True, allow_none=True)
    detail = fields.Dict(required=True)
    previous = fields.Function(lambda link: link.previous.hex(), metadata={"type": "string"})
    hash = fields.Function(lambda link: link.hash.hex(), metadata={"type": "string"})


AuditPage = page_of(AuditRow)


@resource.operation("GET", "/audit", query=AuditQuery, gives=AuditPage)
def list_audit(work: Work, query: dict[str, Any]) -> Page:
    """List the links of the chain, oldest first."""
    limit, after = query.pop("limit"), work.cursors.read(query.pop("cursor"))
    wanted = select(AuditEvent).where(AuditEvent.organisation_id == work.holder.organisation_id)
    wanted = wanted.filter_by(**query)
    if after is not None:
        wanted = wanted.where(AuditEvent.number > int(after))
    rows = work.db.scalars(wanted.order_by(AuditEvent.number).limit(limit + 1)).all()
    return work.cursors.page(rows, limit, lambda link: link.number)
