"""Publishing flows, and the codes by which people enter them."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flows.flow import Flow
from models.base import new_id
from models.flow_version import EntryCode, FlowVersion
from models.organisation import Organisation
from models.walls import Door, DoorKind, door_hash, open_door, organisation_of
from services import audit
from services.audit import Actor
from services.errors import Invalid

CODE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""No 0, 1, i, l, o: codes are read from posters and typed."""
CODE_LENGTH = 6
OPEN_TO_ANYBODY = frozenset({"registration", "module", "poll", "consultation"})


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing did; `is_new` is False when this very flow was published before."""

    version_id: UUID
    version: int
    is_new: bool


def publish(db: Session, flow: Flow, *, actor: Actor = audit.SYSTEM, now: datetime) -> Publication:
    """Publish a flow as the next version, unless its newest version says exactly the same.

    A flow that people can start gets a public entry code with its first version. Running sessions
    stay with the version they began with. Others publishing meanwhile wait for this commit.
    """
    organisation_id = organisation_of(db)
    db.execute(
        select(Organisation.id)
        .where(Organisation.id == organisation_id)
        .with_for_update(key_share=True)
    )
    newest = _newest(db, flow.id)
    digest = digest_of(flow)
    if newest is not None and newest.digest == digest:
        return Publication(newest.id, newest.version, is_new=False)
    published = FlowVersion(
        organisation_id=organisation_id,
        id=new_id(now),
        flow=flow.id,
        version=newest.version + 1 if newest else 1,
        kind=flow.kind,
        definition=dict(flow.definition),
        digest=digest,
        published_at=now,
    )
    db.add(published)
    db.execute(
        update(Organisation)
        .where(Organisation.id == organisation_id)
        .values(catalogue_version=Organisation.catalogue_version + 1)
    )
    db.flush()
    if newest is None and flow.kind in OPEN_TO_ANYBODY:
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
    if _newest(db, flow) is None:
        raise Invalid("This flow was never published.", place="flow")
    code = _free_code(db)
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
    db.execute(
        update(Organisation)
        .where(Organisation.id == entry.organisation_id)
        .values(catalogue_version=Organisation.catalogue_version + 1)
    )
    return entry


def digest_of(flow: Flow) -> bytes:
    """Return the SHA-256 of a flow's definition, the same however its file was laid out."""
    canonical = json.dumps(
        flow.definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(canonical.encode()).digest()


def _newest(db: Session, flow: str) -> FlowVersion | None:
    return db.scalars(
        select(FlowVersion)
        .where(FlowVersion.organisation_id == organisation_of(db), FlowVersion.flow == flow)
        .order_by(FlowVersion.version.desc())
        .limit(1)
    ).first()


def _free_code(db: Session) -> str:
    """Return a code no organisation uses: the public page knows it before the organisation."""
    while True:
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        if db.get(Door, (DoorKind.ENTRY, door_hash(code))) is None:
            return code
