"""Publishing flows, and the codes by which people enter them."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.flow import Flow
from models.base import new_id
from models.flow_version import EntryCode, FlowVersion
from models.organisation import Organisation
from models.walls import DoorKind, open_door, organisation_of
from services import audit, organisations
from services.audit import Actor
from services.codes import free_code
from services.errors import Invalid
from services.rules import follow_ups

OPEN_TO_ANYBODY = frozenset({"registration", "module", "poll", "consultation"})


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing did; `is_new` is False when this very flow was published before."""

    version_id: UUID
    version: int
    is_new: bool


def publish(
    db: Session,
    flow: Flow,
    *,
    coded: bool = True,
    actor: Actor = audit.SYSTEM,
    now: datetime,
) -> Publication:
    """Publish a flow as the next version, unless its newest version says exactly the same.

    A flow that people can start gets a public entry code with its first version, unless it is not
    to be `coded` because what it is asked for has a code of its own. Running sessions
    stay with the version they began with. Others publishing meanwhile wait for this commit.
    """
    organisation_id = organisation_of(db)
    db.execute(
        select(Organisation.id)
        .where(Organisation.id == organisation_id)
        .with_for_update(key_share=True)
    )
    newest = find_newest(db, flow.id)
    if newest is not None and newest.digest == digest_of(flow):
        return Publication(newest.id, newest.version, is_new=False)
    published = _next(flow, newest, organisation_id, now)
    db.add(published)
    organisations.renew_catalogue(db)
    db.flush()
    follow_ups.follow(db, flow, published.id, now=now)
    if coded and newest is None and flow.kind in OPEN_TO_ANYBODY:
        create_code(db, flow.id, now=now)
    audit.record(
        db,
        actor,
        "flow.published",
        ("flow_version", published.id),
        detail={"version": published.version},
        now=now,
    )
    return Publication(published.id, published.version, is_new=True)


def create_code(
    db: Session,
    flow: str,
    *,
    office_id: UUID | None = None,
    language: str | None = None,
    asker: str | None = None,
    now: datetime,
) -> EntryCode:
    """Create a random public code that starts a flow; Invalid for a flow never published."""
    if find_newest(db, flow) is None:
        raise Invalid("This flow was never published.", place="flow")
    code = free_code(db)
    entry = EntryCode(
        organisation_id=organisation_of(db),
        id=new_id(now),
        code=code,
        flow=flow,
        office_id=office_id,
        language=language,
        asker=asker,
        created_at=now,
    )
    db.add(entry)
    db.flush()
    open_door(db, DoorKind.ENTRY, code, entry.organisation_id, entry.id)
    organisations.renew_catalogue(db)
    return entry


def find_newest(db: Session, flow: str) -> FlowVersion | None:
    """Return the newest published version of a flow, or None."""
    return db.scalars(
        select(FlowVersion)
        .where(FlowVersion.organisation_id == organisation_of(db), FlowVersion.flow == flow)
        .order_by(FlowVersion.version.desc())
        .limit(1)
    ).first()


def digest_of(flow: Flow) -> bytes:
    """Return the SHA-256 of a flow's definition, the same however its file was laid out."""
    canonical = json.dumps(
        flow.definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(canonical.encode()).digest()


def _next(
    flow: Flow, newest: FlowVersion | None, organisation_id: UUID, now: datetime
) -> FlowVersion:
    return FlowVersion(
        organisation_id=organisation_id,
        id=new_id(now),
        flow=flow.id,
        version=newest.version + 1 if newest else 1,
        kind=flow.kind,
        definition=dict(flow.definition),
        digest=digest_of(flow),
        published_at=now,
    )
