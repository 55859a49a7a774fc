"""What was put off for one contact and is due now: reminder, renewal of their data, follow-up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

import logs
from flows import engine as conversation
from flows.events import Asked, Said, as_part
from flows.state import State
from models.contact import Contact, ContactStatus, Conversation
from models.db import transaction
from models.due import Due
from models.flow_session import FlowSession
from models.profile import Profile
from models.walls import system_scope
from services.catalogue import Catalogue
from services.conversation.moments import out_of_quiet_hours, remind_at
from services.messages import outgoing
from services.people import contacts, recordings
from services.rights import renewals
from services.rules import firings, following

MOST = 200
PAUSES = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 720))

CatalogueOf = Callable[[UUID], Catalogue]


@dataclass(frozen=True, slots=True)
class _Found:
    """A due row and whose it is."""

    organisation_id: UUID
    id: UUID


def run(engine: Engine, catalogue_of: CatalogueOf, *, now: datetime) -> int:
    """Do what is due, each in a transaction of its own; the number of rows looked at."""
    with system_scope(engine) as db:
        found = [
            _Found(*row)
            for row in db.execute(
                select(Due.organisation_id, Due.id)
                .where(Due.due_at <= now, Due.kind != recordings.KIND)
                .order_by(Due.due_at)
                .limit(MOST)
            )
        ]
    for each in found:
        try:
            with transaction(engine, each.organisation_id) as db:
                _do(db, each, catalogue_of, now)
        except Exception as error:  # noqa: BLE001 - one row must not hold up all that follow
            logs.event("due.failed", level="error", due_id=each.id, error=type(error).__name__)
            _put_off(engine, each, now)
    return len(found)


def _put_off(engine: Engine, found: _Found, now: datetime) -> None:
    """Try a row that failed again later; after the last pause it is given up."""
    with transaction(engine, found.organisation_id) as db:
        due = db.scalars(
            select(Due).where(Due.id == found.id).with_for_update(key_share=True, skip_locked=True)
        ).one_or_none()
        if due is None:
            return
        if due.attempts >= len(PAUSES):
            db.delete(due)
        else:
            due.due_at = now + PAUSES[due.attempts]
            due.attempts += 1


def _do(db: Session, found: _Found, catalogue_of: CatalogueOf, now: datetime) -> None:
    due = db.scalars(
        select(Due)
        .where(Due.id == found.id, Due.due_at <= now)
        .with_for_update(key_share=True, skip_locked=True)
    ).one_or_none()
    if due is None:
        return
    again_at = None
    if due.kind == "reminder":
        again_at = _remind(db, due, catalogue_of, now)
    elif due.kind == "renewal":
        again_at = renewals.ask(db, due, now=now)
    elif due.kind == firings.KIND:
        again_at = following.follow(db, due, catalogue_of(due.organisation_id), now=now)
    if again_at is not None:
        due.due_at = again_at
        return
    db.execute(delete(Due).where(Due.id == due.id))


def _remind(db: Session, due: Due, catalogue_of: CatalogueOf, now: datetime) -> datetime | None:
    """Remind once; the instant to look again when it is too early or quiet there."""
    talk = db.scalars(
        select(Conversation)
        .where(Conversation.contact_id == due.contact_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    session = db.scalars(select(FlowSession).where(FlowSession.id == due.session_id)).one_or_none()
    contact = db.scalars(select(Contact).where(Contact.id == due.contact_id)).one()
    if talk is None or session is None or not _waits(talk, session, contact):
        return None
    early = remind_at(session.channel_kind, talk.updated_at)
    zone = db.scalar(select(Profile.time_zone).where(Profile.contact_id == due.contact_id))
    wanted = out_of_quiet_hours(max(early, now), zone)
    if wanted > now:
        return wanted
    _send_reminder(db, talk, session, contact, catalogue_of, now)
    return None


def _waits(talk: Conversation, session: FlowSession, contact: Contact) -> bool:
    return (
        talk.session_id == session.id
        and session.status == "waiting"
        and session.reminded_at is None
        and contact.status == ContactStatus.ACTIVE
        and bool(talk.state and talk.state.get("session"))
    )


def _send_reminder(
    db: Session,
    talk: Conversation,
    session: FlowSession,
    contact: Contact,
    catalogue_of: CatalogueOf,
    now: datetime,
) -> None:
    assert talk.state is not None
    published = catalogue_of(contact.organisation_id).version(session.flow_version_id)
    address = contacts.find_last_address(db, contact.id)
    if published is None or address is None:
        return
    state, events = conversation.resume(
        published.flow, State.from_json(talk.state["session"]), now=now
    )
    talk.state = {**talk.state, "session": state.to_json()}
    talk.seq += 1
    session.reminded_at = now
    parts = [as_part(Said("reminder"))]
    parts += [as_part(event) for event in events if isinstance(event, Asked | Said)]
    outgoing.queue(
        db,
        contact,
        address,
        {"parts": parts, "tag": state.tag, "template": {"name": "reminder"}},
        seq=talk.seq,
        now=now,
        flow_version_id=published.version_id,
        question=state.asked,
        session_id=session.id,
    )


__all__ = ["CatalogueOf", "out_of_quiet_hours", "run"]
