"""Flows: what is asked; publishing, and the codes by which people come in."""

import re
from typing import Any

from marshmallow import fields
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from api.errors import Fault, Problem
from api.fields import LANGUAGE, NAME, Instant, Strict, described, word
from api.paging import Page, PageQuery, page_of
from api.poll_shapes import WarningRow
from api.resource import PREFIX, Resource
from api.work import Work
from flows.errors import FlowError, FlowInvalid
from flows.flow import Flow, build
from flows.lint import lint
from models.flow_version import EntryCode, FlowVersion
from models.office import Office
from services import flow_warnings, flows, organisations
from services.catalogue import read_inside
from services.errors import Invalid, NotFound

resource = Resource("flows", "What is asked. Published versions never change.")
_MOST_FAULTS = 50


class FlowRow(Strict):
    """A published flow, its newest version."""

    id = fields.String(required=True, attribute="flow")
    version = fields.Integer(required=True)
    kind = fields.String(required=True)
    languages = fields.List(fields.String(), required=True)
    published_at = Instant(required=True)


class EntryCodeRow(Strict):
    """A code that starts a flow."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    url = described(fields.URL(required=True), "The page that opens a chat with it.")
    office_id = fields.UUID(required=True, allow_none=True)
    language = fields.String(required=True, allow_none=True)
    asker = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)
    closed_at = Instant(required=True, allow_none=True)


class FlowDetail(FlowRow):
    """A published flow as its file says it, with its entry codes."""

    versions = described(fields.List(fields.Integer(), required=True), "Every version there is.")
    definition = fields.Dict(required=True)
    entry_codes = fields.List(fields.Nested(EntryCodeRow), required=True)


class FlowFile(Strict):
    """A flow file as JSON, by docs/flows.md."""

    flow = fields.Raw(metadata={"type": "string", "description": "Its id."})
    kind = fields.Raw(metadata={"type": "string"})
    purpose = fields.Raw(metadata={"type": "object", "description": "why, owner, decision"})
    languages = fields.Raw(metadata={"type": "array", "items": {"type": "string"}})
    entry = fields.Raw(metadata={"type": "object", "description": "Words that open it."})
    about = fields.Raw(metadata={"type": "object", "description": "Its subject, by language."})
    questions = fields.Raw(metadata={"type": "array", "items": {"type": "object"}})
    follow_ups = fields.Raw(metadata={"type": "array", "items": {"type": "object"}})


class Published(Strict):
    """What publishing did."""

    id = fields.String(required=True)
    version_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    new = described(
        fields.Boolean(required=True), "False when the newest version says exactly the same."
    )
    warnings = described(
        fields.List(fields.Nested(WarningRow), required=True),
        "What will not work as it is written: words that open something else too, follow-ups that "
        "name what is not published yet.",
    )


class EntryCodeOrder(Strict):
    """What a new code stands for."""

    office_id = described(fields.UUID(load_default=None), "For people of this office.")
    language = word(LANGUAGE, "The language it begins in.", load_default=None)
    asker = word(NAME, "Who is named as the one who asks.", load_default=None)


FlowPage = page_of(FlowRow)


@resource.operation("GET", "/flows", query=PageQuery, gives=FlowPage)
def list_flows(work: Work, query: dict[str, Any]) -> Page:
    """List published flows by their ids, the newest version of each."""
    limit, after = query["limit"], work.cursors.read(query["cursor"])
    wanted = (
        select(FlowVersion)
        .where(FlowVersion.organisation_id == work.holder.organisation_id)
        .ext(distinct_on(FlowVersion.flow))
        .order_by(FlowVersion.flow, FlowVersion.version.desc())
        .limit(limit + 1)
    )
    if after is not None:
        wanted = wanted.where(FlowVersion.flow > after)
    rows = work.db.scalars(wanted).all()
    page = work.cursors.page(rows, limit, lambda row: row.flow)
    return Page([_row(row) for row in rows[:limit]], page.next_cursor)


@resource.operation("POST", "/flows", body=FlowFile, gives=Published, status=201)
def publish_flow(work: Work, body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Publish a flow; faults come back with their places, as `flask flows lint` tells them."""
    flow = _built(body)
    done = flows.publish(work.db, flow, actor=work.actor, now=work.now)
    told = {
        "id": flow.id,
        "version_id": done.version_id,
        "version": done.version,
        "new": done.is_new,
        "warnings": flow_warnings.list_warnings(flow, read_inside(work.db), now=work.now),
    }
    return told, 201, {"Location": f"{PREFIX}/flows/{flow.id}"}


@resource.operation("GET", "/flows/<flow_id>", gives=FlowDetail)
def get_flow(work: Work, flow_id: str) -> dict[str, Any]:
    """Read the newest version of a flow and its entry codes."""
    versions = _versions(work, flow_id)
    codes = work.db.scalars(
        select(EntryCode)
        .where(EntryCode.organisation_id == work.holder.organisation_id, EntryCode.flow == flow_id)
        .order_by(EntryCode.id)
    ).all()
    newest = versions[-1]
    return _row(newest) | {
        "definition": newest.definition,
        "versions": [one.version for one in versions],
        "entry_codes": [_told(work, code) for code in codes],
    }


@resource.operation(
    "POST", "/flows/<flow_id>/entry-codes", body=EntryCodeOrder, gives=EntryCodeRow, status=201
)
def create_entry_code(work: Work, body: dict[str, Any], flow_id: str) -> dict[str, Any]:
    """Make a random code that starts a flow, for a poster, an office or an asker."""
    _versions(work, flow_id)
    organisation = organisations.get(work.db)
    if body["language"] is not None and body["language"] not in organisation.languages:
        raise Invalid("The organisation does not offer this language.", place="language")
    office_id = body["office_id"]
    if office_id is not None and work.db.get(Office, (organisation.id, office_id)) is None:
        raise Invalid("There is no such office.", place="office_id")
    return _told(work, flows.create_code(work.db, flow_id, now=work.now, **body))


def _versions(work: Work, flow_id: str) -> list[FlowVersion]:
    """Return every version of a flow, oldest first; NotFound when there is none."""
    versions: list[FlowVersion] = []
    if re.fullmatch(NAME, flow_id):
        wanted = select(FlowVersion).where(
            FlowVersion.organisation_id == work.holder.organisation_id,
            FlowVersion.flow == flow_id,
        )
        versions = list(work.db.scalars(wanted.order_by(FlowVersion.version)))
    if not versions:
        raise NotFound("There is no such flow.")
    return versions


def _built(body: dict[str, Any]) -> Flow:
    """Return the flow in a body; Problem 422 with everything lint finds."""
    try:
        flow = build(body)
        faults = [Fault(one.place, one.problem) for one in lint(flow)]
    except FlowInvalid as fault:
        faults = [Fault(fault.place, fault.problem)]
    except FlowError:
        faults = [Fault("flow", "cannot be used")]
    else:
        if flow.kind == "aside":
            faults.append(Fault("kind", "asides are built in"))
    if faults:
        told = "The flow is not published."
        raise Problem(422, "flow_invalid", told, faults=faults[:_MOST_FAULTS])
    return flow


def _row(version: FlowVersion) -> dict[str, Any]:
    return {
        "flow": version.flow,
        "version": version.version,
        "kind": version.kind,
        "languages": version.definition["languages"],
        "published_at": version.published_at,
    }


def _told(work: Work, code: EntryCode) -> dict[str, Any]:
    return {
        "id": code.id,
        "code": code.code,
        "url": f"{work.line.settings.public_url}/j/{code.code}",
        "office_id": code.office_id,
        "language": code.language,
        "asker": code.asker,
        "created_at": code.created_at,
        "closed_at": code.closed_at,
    }
