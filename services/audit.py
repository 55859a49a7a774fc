"""The audit chain: who did what to which row, in links that nobody can quietly mend.

Each organisation has its own chain: `hash` is SHA-256 of the previous hash and the canonical JSON
of the link. Ids, counts and short words only, so erasure never has to break it.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.audit import AuditEvent
from models.walls import organisation_of

GENESIS = bytes(32)
Detail = str | int | bool | None

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('audit ' || :organisation, 0))")
_WORD = re.compile(r"[a-z][a-z0-9_.:*-]{0,63}")
_MANY_DIGITS = re.compile(r"\d{6}")
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: kind "officer", "api_key", "contact" or "system", and the id where there is one."""

    kind: str
    id: UUID | None = None


SYSTEM = Actor("system")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to be written down; `subject` is the kind and id of the row it happened to."""

    actor: Actor
    action: str
    subject: tuple[str, UUID | None]
    detail: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Broken:
    """The first link that does not hold, and why."""

    number: int
    reason: str


def record(
    db: Session,
    actor: Actor,
    action: str,
    subject: tuple[str, UUID | None],
    *,
    detail: Mapping[str, Detail] | None = None,
    organisation_id: UUID | None = None,
    now: datetime,
) -> AuditEvent:
    """Append a link and return it; other writers of the same chain wait until this commits.

    `action` is "noun.verbed", `subject` the kind and id of the row it happened to. ValueError for
    a detail that could name a person: allowed are ids, numbers, and words of small letters.
    """
    entry = Entry(actor, action, subject, detail or {})
    [event] = record_all(db, [entry], organisation_id=organisation_id, now=now)
    return event


def record_all(
    db: Session, entries: Sequence[Entry], *, organisation_id: UUID | None = None, now: datetime
) -> list[AuditEvent]:
    """Append a link for each entry, in their order; see `record`."""
    organisation_id = organisation_id or organisation_of(db)
    for value in (value for entry in entries for value in entry.detail.values()):
        _refuse_personal(value)
    db.execute(_LOCK, {"organisation": str(organisation_id)})
    last = db.scalars(
        select(AuditEvent)
        .where(AuditEvent.organisation_id == organisation_id)
        .order_by(AuditEvent.number.desc())
        .limit(1)
    ).first()
    events: list[AuditEvent] = []
    for entry in entries:
        last = _link(entry, last, organisation_id, now)
        events.append(last)
    db.add_all(events)
    db.flush()
    return events


def _link(
    entry: Entry, last: AuditEvent | None, organisation_id: UUID, now: datetime
) -> AuditEvent:
    event = AuditEvent(
        organisation_id=organisation_id,
        number=last.number + 1 if last else 1,
        at=now.astimezone(UTC),
        actor_kind=entry.actor.kind,
        actor_id=entry.actor.id,
        action=entry.action,
        subject_kind=entry.subject[0],
        subject_id=entry.subject[1],
        detail=dict(entry.detail),
        previous=last.hash if last else GENESIS,
    )
    event.hash = link_hash(event)
    return event


def verify(db: Session) -> Broken | None:
    """Return the first broken link of the session's organisation, or None when the chain holds."""
    organisation_id = organisation_of(db)
    number, previous = 0, GENESIS
    while True:
        links = db.scalars(
            select(AuditEvent)
            .where(AuditEvent.organisation_id == organisation_id, AuditEvent.number > number)
            .order_by(AuditEvent.number)
            .limit(_CHUNK)
        ).all()
        if not links:
            return None
        for link in links:
            if link.number != number + 1:
                return Broken(number + 1, "the link is missing")
            if link.previous != previous:
                return Broken(link.number, "it does not follow the link before it")
            if link.hash != link_hash(link):
                return Broken(link.number, "its content was changed")
            number, previous = link.number, link.hash
        db.expunge_all()


def link_hash(event: AuditEvent) -> bytes:
    """Return the hash a link must carry."""
    content = {
        "organisation": str(event.organisation_id),
        "number": event.number,
        "at": event.at.astimezone(UTC).isoformat(),
        "actor": [event.actor_kind, str(event.actor_id)],
        "action": event.action,
        "subject": [event.subject_kind, str(event.subject_id)],
        "detail": event.detail,
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(event.previous + canonical.encode()).digest()


def _refuse_personal(value: Detail) -> None:
    if value is None or isinstance(value, int):
        return
    if _is_id(value) or (_WORD.fullmatch(value) and not _MANY_DIGITS.search(value)):
        return
    raise ValueError("the audit chain takes ids, numbers and words only")


def _is_id(value: str) -> bool:
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False
