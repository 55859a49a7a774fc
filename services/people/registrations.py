"""Passages through flows with their answers, for whoever may read rows about people."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from models.contact import Contact
from models.flow_session import Answer, FlowSession, SessionStatus
from models.flow_version import FlowVersion
from models.sealed import Keyring, open_sealed
from models.walls import organisation_of
from services.conversation.props import TEST
from services.errors import NotFound

STATUSES: Mapping[str, tuple[SessionStatus, ...]] = {
    "complete": (SessionStatus.COMPLETE,),
    "partial": (SessionStatus.PARTIAL, SessionStatus.WAITING, SessionStatus.EXPIRED),
    "stopped": (SessionStatus.STOPPED,),
}
"""How far a registration came, as told outside: whoever may still go on is partial too."""
_TOLD = {inner: word for word, inners in STATUSES.items() for inner in inners}


@dataclass(frozen=True, slots=True)
class Registration:
    """One passage; `answers` by question, sealed ones opened, None where skipped."""

    id: UUID
    contact_id: UUID
    flow: str
    version: int
    status: str
    language: str
    channel: str
    answers: Mapping[str, Any] = field(repr=False)
    started_at: datetime
    updated_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which passages; None is any. Without a flow those of registrations, else of that flow."""

    flow: str | None = None
    status: str | None = None
    language: str | None = None
    channel: str | None = None
    contact_id: UUID | None = None
    updated_after: datetime | None = None


def list_registrations(
    db: Session, keyring: Keyring, wanted: Wanted, *, after: UUID | None, most: int
) -> list[Registration]:
    """Return passages in the order they began, those after a given one; tests are none."""
    query = _passages(db).where(~FlowSession.origin.has_key(TEST))
    if wanted.flow is None:
        query = query.where(FlowSession.kind == "registration")
    else:
        query = query.where(FlowSession.flow == wanted.flow)
    if wanted.status is not None:
        query = query.where(FlowSession.status.in_(STATUSES[wanted.status]))
    if wanted.updated_after is not None:
        query = query.where(FlowSession.updated_at > wanted.updated_after)
    for column, value in (
        (FlowSession.language, wanted.language),
        (FlowSession.channel_kind, wanted.channel),
        (FlowSession.contact_id, wanted.contact_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        query = query.where(FlowSession.id > after)
    rows = db.execute(query.order_by(FlowSession.id).limit(most)).all()
    return _told(db, keyring, rows)


def get(db: Session, keyring: Keyring, registration_id: UUID) -> Registration:
    """Return one passage; NotFound when there is none."""
    row = db.execute(_passages(db).where(FlowSession.id == registration_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such registration.")
    return _told(db, keyring, [row])[0]


def _passages(db: Session) -> Select[FlowSession, int]:
    return (
        select(FlowSession, FlowVersion.version)
        .join(
            FlowVersion,
            (FlowVersion.organisation_id == FlowSession.organisation_id)
            & (FlowVersion.id == FlowSession.flow_version_id),
        )
        .where(FlowSession.organisation_id == organisation_of(db))
    )


def _told(
    db: Session, keyring: Keyring, rows: Sequence[Row[FlowSession, int]]
) -> list[Registration]:
    answers = _answers(db, keyring, [row[0].id for row in rows])
    return [
        Registration(
            id=session.id,
            contact_id=session.contact_id,
            flow=session.flow,
            version=version,
            status=_TOLD[session.status],
            language=session.language,
            channel=session.channel_kind,
            answers=answers[session.id],
            started_at=session.started_at,
            updated_at=session.updated_at,
            completed_at=session.completed_at,
        )
        for session, version in rows
    ]


def _answers(
    db: Session, keyring: Keyring, sessions: Collection[UUID]
) -> Mapping[UUID, dict[str, Any]]:
    """Return the answers of these passages, by passage and question, in the order given."""
    organisation_id = organisation_of(db)
    found: defaultdict[UUID, dict[str, Any]] = defaultdict(dict)
    rows = db.scalars(
        select(Answer)
        .where(Answer.organisation_id == organisation_id, Answer.session_id.in_(sessions))
        .order_by(Answer.answered_at, Answer.question)
    ).all()
    keys = person_keys(db, keyring, {row.contact_id for row in rows if row.sealed is not None})
    for row in rows:
        found[row.session_id][row.question] = (
            row.value if row.sealed is None else open_answer(keys[row.contact_id], row)
        )
    return found


def person_keys(
    db: Session, keyring: Keyring, contact_ids: Collection[UUID]
) -> Mapping[UUID, bytes]:
    """Return the open data keys of these people."""
    organisation_id = organisation_of(db)
    rows = db.execute(
        select(Contact.id, Contact.wrapped_key).where(
            Contact.organisation_id == organisation_id, Contact.id.in_(contact_ids)
        )
    ).all()
    return {row.id: keyring.unwrap(row.wrapped_key, organisation_id, row.id) for row in rows}


def open_answer(key: bytes, answer: Answer) -> str:
    """Return what a person typed, opened with their key."""
    plain = open_sealed(
        key,
        answer.sealed or b"",
        table="answers",
        column="sealed",
        organisation_id=answer.organisation_id,
        row_id=f"{answer.session_id}:{answer.question}",
    )
    return plain.decode("utf-8", "replace")
