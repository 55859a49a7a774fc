"""Two passages through one flow become one: the newest answer to each question counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from flows import engine
from flows.state import COMPLETE, SEALED, SKIPPED, State, Value
from models.case import Case
from models.contact import Conversation
from models.due import Due
from models.flow_session import Answer, FlowSession, SessionStatus
from models.message import Message
from models.recording import Recording
from models.walls import organisation_of
from services.catalogue import Catalogue
from services.conversation.scene import base36
from services.people import recordings
from services.people.resealing import place_of_answer, reseal


@dataclass(frozen=True, slots=True)
class Place:
    """Where one conversation stands: the session it is in, and the engine's state of it."""

    session_id: UUID
    state: State
    version_id: UUID
    origin: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The conversation's state with nothing but this in it."""
        return {
            "session": self.state.to_json(),
            "version": str(self.version_id),
            "origin": dict(self.origin),
        }


def place_of(talk: Conversation | None) -> Place | None:
    """Where a conversation waits; a correction of something finished gives way to what it paused.

    (The correction's answer stands until it is replaced, so nothing is lost with it.)
    """
    stored: Mapping[str, Any] = (talk.state if talk else None) or {}
    session_id = talk.session_id if talk else None
    if stored.get("completed_at"):
        stored = stored.get("paused") or {}
        session_id = UUID(stored["id"]) if stored else None
    if session_id is None or not stored.get("session"):
        return None
    return Place(
        session_id,
        State.from_json(stored["session"]),
        UUID(str(stored["version"])),
        dict(stored.get("origin") or {}),
    )


def fold(db: Session, kept: FlowSession, gone: FlowSession, key: bytes, *, now: datetime) -> None:
    """Move what is newer in ``gone`` into ``kept`` and let ``gone`` go.

    Both are passages of one contact, whose ``key`` it is, through one flow.
    """
    mine = {row.question: row for row in _answers(db, kept.id)}
    for row in _answers(db, gone.id):
        other = mine.get(row.question)
        if other is not None and _age(other) >= _age(row):
            continue
        if other is not None:
            db.delete(other)
            db.flush()
        db.add(_moved(row, kept, key))
    _move_what_points(db, kept, gone)
    if SessionStatus.COMPLETE in (kept.status, gone.status):
        kept.status = SessionStatus.COMPLETE
        finished = [each.completed_at for each in (kept, gone) if each.completed_at]
        kept.completed_at = max(finished, default=now)
        kept.expires_at = None
    kept.reminded_at = kept.reminded_at or gone.reminded_at
    kept.started_at = min(kept.started_at, gone.started_at)
    db.flush()
    db.execute(delete(FlowSession).where(FlowSession.id == gone.id))


@dataclass(frozen=True, slots=True)
class Goals:
    """What going on depends on: both places, what was folded into what, and the next tag."""

    places: Mapping[UUID, Place | None]
    folded: Mapping[UUID, UUID]
    catalogue: Catalogue
    tag: int
    now: datetime


def passages_of(db: Session, talking: UUID, other: UUID) -> list[tuple[FlowSession, FlowSession]]:
    """For each flow both contacts are or were in: the passage that stays, and the other.

    It is that of who is talking; an unfinished one stays beside a finished one, and takes over that
    it was finished.
    """
    rows = db.scalars(
        select(FlowSession)
        .where(
            FlowSession.organisation_id == organisation_of(db),
            FlowSession.contact_id.in_((talking, other)),
            FlowSession.status.in_((SessionStatus.WAITING, SessionStatus.COMPLETE)),
        )
        .order_by(FlowSession.updated_at, FlowSession.id)
    ).all()
    newest = {(row.flow, row.contact_id): row for row in rows}
    flows = sorted({flow for flow, _ in newest})
    return [
        (newest[flow, talking], newest[flow, other])
        for flow in flows
        if (flow, talking) in newest and (flow, other) in newest
    ]


def go_on(db: Session, order: tuple[UUID, UUID], goals: Goals) -> Place | None:
    """Where the one conversation goes on: the first place of ``order`` that still waits.

    A passage that waits at the other place ends as it is.
    """
    going_on: Place | None = None
    for who, other in (order, order[::-1]):
        place = goals.places[who]
        if place is None or place.session_id in goals.folded or not _waits(db, place.session_id):
            continue
        if going_on is None:
            going_on = _resumed(db, place, goals.places[other], goals)
        else:
            _close(db, place.session_id, SessionStatus.PARTIAL, goals.now)
    return going_on


def _resumed(db: Session, place: Place, other: Place | None, goals: Goals) -> Place | None:
    """The place with all answers there are; None when nothing is left to ask.

    Its tag is new, so that the buttons of both older conversations are told from the next ones.
    """
    published = goals.catalogue.version(place.version_id)
    tag = base36(goals.tag)
    if published is None or place.session_id not in goals.folded.values():
        return replace(place, state=replace(place.state, tag=tag))
    shown = other.state.answers if other and other.session_id in goals.folded else {}
    given = {**shown, **place.state.answers, **_values(db, place.session_id)}
    state, _ = engine.start(
        published.flow,
        tag=tag,
        language=place.state.language,
        now=goals.now,
        known={**place.state.known, **given},
    )
    if state.status != COMPLETE:
        return replace(place, state=state)
    _close(db, place.session_id, SessionStatus.COMPLETE, goals.now)
    return None


def _waits(db: Session, session_id: UUID) -> bool:
    status = db.scalar(select(FlowSession.status).where(FlowSession.id == session_id))
    return status == SessionStatus.WAITING


def _close(db: Session, session_id: UUID, status: SessionStatus, now: datetime) -> None:
    done = {"completed_at": now, "expires_at": None} if status == SessionStatus.COMPLETE else {}
    db.execute(
        update(FlowSession)
        .where(FlowSession.id == session_id)
        .values(status=status, updated_at=now, **done)
    )


def _values(db: Session, session_id: UUID) -> dict[str, Value]:
    """The answers of a session as the engine remembers them."""
    return {row.question: _value(row) for row in _answers(db, session_id)}


def _value(row: Answer) -> Value:
    if row.skipped or (row.value is None and row.sealed is None):
        return SKIPPED
    return SEALED if row.sealed is not None else cast(Value, row.value)


def _answers(db: Session, session_id: UUID) -> Sequence[Answer]:
    wanted = select(Answer).where(
        Answer.organisation_id == organisation_of(db), Answer.session_id == session_id
    )
    return db.scalars(wanted.order_by(Answer.question)).all()


def _age(row: Answer) -> tuple[datetime, UUID]:
    return row.answered_at, row.session_id


def _moved(row: Answer, kept: FlowSession, key: bytes) -> Answer:
    """A copy in the other session; a sealed value is bound to its place, so it is sealed anew."""
    moved = Answer(
        organisation_id=row.organisation_id,
        session_id=kept.id,
        question=row.question,
        contact_id=kept.contact_id,
        flow_version_id=row.flow_version_id,
        flow=row.flow,
        value=row.value,
        skipped=row.skipped,
        language=row.language,
        channel_kind=row.channel_kind,
        answered_at=row.answered_at,
        expires_at=row.expires_at,
    )
    if row.sealed is not None:
        moved.sealed = reseal(key, key, row.sealed, place_of_answer(row), place_of_answer(moved))
    return moved


def _move_what_points(db: Session, kept: FlowSession, gone: FlowSession) -> None:
    """Cases, messages and what is due belong to the one session that stays."""
    has_due = set(db.scalars(select(Due.kind).where(Due.session_id == kept.id)))
    db.execute(
        update(Due)
        .where(
            Due.session_id == gone.id,
            Due.kind.not_in(has_due) | (Due.kind == recordings.KIND),
        )
        .values(session_id=kept.id)
    )
    for model in (Case, Recording):
        db.execute(update(model).where(model.session_id == gone.id).values(session_id=kept.id))
    db.execute(
        update(Message)
        .where(Message.contact_id == kept.contact_id, Message.session_id == gone.id)
        .values(session_id=kept.id)
    )
