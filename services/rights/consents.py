"""What a contact allows: granted, withdrawn, told in order. Entries are only ever added."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.base import new_id
from models.consent import ConsentAction, ConsentEvent
from models.profile import Profile
from models.walls import organisation_of
from services import retention


@dataclass(frozen=True, slots=True)
class Wording:
    """Where and in which words consent was asked.

    `text_hash` is the SHA-256 of the text as shown, `provider_message` the provider's id of the
    message that answered. Both may be unknown, for instance when an officer records a letter.
    """

    language: str
    channel_kind: str
    flow: str | None = None
    version: int | None = None
    question: str | None = None
    text_hash: bytes | None = None
    provider_message: str | None = None


def grant(
    db: Session, contact_id: UUID, purpose: str, wording: Wording, *, now: datetime
) -> ConsentEvent:
    """Record that a contact allows a purpose, and count them among those who do."""
    event = _event(db, contact_id, purpose, ConsentAction.GRANTED, wording, now)
    db.add(event)
    db.flush()
    without = func.array_remove(Profile.consents, purpose)
    _keep_current(db, [contact_id], func.array_append(without, purpose))
    return event


def withdraw(
    db: Session, contact_id: UUID, purpose: str, wording: Wording, *, now: datetime
) -> ConsentEvent:
    """Record that a contact no longer allows a purpose."""
    [event] = withdraw_all(db, {contact_id: wording}, purpose, now=now)
    return event


def withdraw_all(
    db: Session, wordings: Mapping[UUID, Wording], purpose: str, *, now: datetime
) -> list[ConsentEvent]:
    """Record the same of many contacts, each with where they are taken to have said so."""
    withdrawn = ConsentAction.WITHDRAWN
    events = [
        _event(db, contact_id, purpose, withdrawn, wording, now)
        for contact_id, wording in wordings.items()
    ]
    db.add_all(events)
    db.flush()
    _keep_current(db, wordings, func.array_remove(Profile.consents, purpose))
    return events


def list_events(db: Session, contact_id: UUID) -> Sequence[ConsentEvent]:
    """Return a contact's whole history, oldest first."""
    return db.scalars(
        select(ConsentEvent)
        .where(
            ConsentEvent.organisation_id == organisation_of(db),
            ConsentEvent.contact_id == contact_id,
        )
        .order_by(ConsentEvent.id)
    ).all()


def current(db: Session, contact_id: UUID) -> frozenset[str]:
    """Return the purposes whose last entry is a grant, read from the history itself."""
    latest = {event.purpose: event.action for event in list_events(db, contact_id)}
    return frozenset(p for p, action in latest.items() if action is ConsentAction.GRANTED)


def _event(
    db: Session,
    contact_id: UUID,
    purpose: str,
    action: ConsentAction,
    wording: Wording,
    now: datetime,
) -> ConsentEvent:
    return ConsentEvent(
        organisation_id=organisation_of(db),
        id=new_id(now),
        contact_id=contact_id,
        purpose=purpose,
        action=action,
        flow=wording.flow,
        version=wording.version,
        question=wording.question,
        text_hash=wording.text_hash,
        language=wording.language,
        channel_kind=wording.channel_kind,
        provider_message=wording.provider_message,
        at=now,
        expires_at=retention.expires_at("consent_events", now),
    )


def _keep_current(db: Session, contact_ids: Iterable[UUID], consents: object) -> None:
    theirs = Profile.contact_id.in_(list(contact_ids))
    db.execute(
        update(Profile)
        .where(Profile.organisation_id == organisation_of(db), theirs)
        .values(consents=consents)
    )
