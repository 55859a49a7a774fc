"""What the database holds of one person, and the effects that tell two moments apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Select, select

from commands.playing import in_order, is_consent, saved
from models import Address, Answer, Contact, FlowSession
from models.consent import ConsentEvent
from models.db import transaction


@dataclass(frozen=True)
class Record:
    """The rows of the one person of a test's organisation."""

    language: str | None = None
    address: str | None = None
    answers: Mapping[tuple[UUID, str], Any] = field(default_factory=dict)
    consents: tuple[Any, ...] = ()
    sessions: Mapping[UUID, str] = field(default_factory=dict)


def read(engine: Engine, organisation_id: UUID) -> Record:
    """The person as the database has them now."""
    with transaction(engine, organisation_id) as db:
        contact = db.scalars(select(Contact).order_by(Contact.id)).first()
        address = db.scalars(select(Address).order_by(Address.id)).first()
        answers = db.scalars(select(Answer).where(_has_phone(Answer))).all()
        events = db.scalars(select(ConsentEvent).order_by(ConsentEvent.id)).all()
        return Record(
            language=contact.language if contact else None,
            address=address.status.value if address else None,
            answers={(a.session_id, a.question): a for a in answers},
            consents=tuple(events),
            sessions={s.id: s.status.value for s in db.scalars(_passages())},
        )


def _passages() -> Select[FlowSession]:
    return select(FlowSession).where(_has_phone(FlowSession))


def _has_phone(rows: type[Answer | FlowSession]) -> ColumnElement[bool]:
    """Those of who has a phone here; others only answer (tests/transcripts/relaying.py)."""
    return select(Address.id).where(Address.contact_id == rows.contact_id).exists()


def effects(before: Record, after: Record) -> tuple[str, ...]:
    """What happened between the two, in the words of transcripts."""
    if before.language is not None and after.language is None:
        return ("erased",)
    consents = after.consents[len(before.consents) :]
    granted = {event.question for event in consents if event.action.value == "granted"}
    # An answer that moved to another passage as two contacts became one is not a new one.
    known = {(answer.question, answer.answered_at) for answer in before.answers.values()}
    fresh = [
        answer
        for answer in after.answers.values()
        if (answer.question, answer.answered_at) not in known
    ]
    told = [_answer(a) for a in fresh if not is_consent(a.value, a.question, granted)]
    told += [f"consent {event.action.value}: {event.purpose}" for event in consents]
    told += [
        f"session {status}"
        for session, status in after.sessions.items()
        if status not in (before.sessions.get(session), "waiting")
    ]
    chosen = {answer.value for answer in fresh if answer.question == "language"}
    if before.language not in (None, after.language) and after.language not in chosen:
        told.append(f"language = {after.language}")
    if before.address not in (None, after.address):
        told.append(f"address {after.address}")
    return in_order(told)


def _answer(answer: Answer) -> str:
    if answer.skipped:
        return f"skipped {answer.question}"
    return saved(answer.question, answer.value, sealed=answer.sealed is not None)
