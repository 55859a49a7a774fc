"""Who is in the middle of something, and so not interrupted: as SQL, and of one conversation.

A passage or a talk with an officer counts while it is fresh. A registration, and whatever waits
beneath another passage, counts for as long as it can be gone on with: another question would end
it. Of the very ask that is sent nobody is interrupted: a reminder is meant for those it waits for.
Neither is anybody who only tries a poll, or was asked one that is over.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Select, Text, and_, cast, false, func, literal, or_, select
from sqlalchemy.orm import Session

from models.ask import Ask, AskStatus
from models.contact import Conversation
from models.flow_session import FlowSession, SessionStatus
from services.audiences.chunks import EVERYBODY, Chunk
from services.conversation.props import TEST

IN_CONVERSATION: Final = timedelta(hours=24)
"""Who said or was asked something so recently, and has not finished it, is not interrupted."""
_OPEN: Final = ("session", "aside")
_OVER: Final = (AskStatus.CLOSING, AskStatus.CLOSED, AskStatus.CANCELED)
_PAUSED: Final = "paused"
_REGISTRATION: Final = "registration"


def interrupted(
    owner: UUID, ask_id: UUID | None, now: datetime, chunk: Chunk = EVERYBODY
) -> Select[UUID]:
    """Return who of a chunk is in the middle of something: a statement for their ids."""
    fresh = Conversation.updated_at > now - IN_CONVERSATION
    opened = func.jsonb_exists_any(Conversation.state, literal(list(_OPEN), ARRAY(Text)))
    origin = Conversation.state["origin"]
    over = select(cast(Ask.id, Text)).where(Ask.organisation_id == owner, Ask.status.in_(_OVER))
    other = and_(
        origin["ask"].astext.is_distinct_from(str(ask_id)),
        func.coalesce(origin["ask"].astext.in_(over), false()).is_(False),
        func.coalesce(origin.has_key(TEST), false()).is_(False),
    )
    talks = and_(fresh, Conversation.case_id.is_not(None))
    registers = Conversation.session_id.in_(_registering(chunk))
    passes = and_(other, or_(and_(fresh, opened), registers))
    return select(Conversation.contact_id).where(
        Conversation.organisation_id == owner,
        *chunk.holds(Conversation.contact_id),
        or_(talks, Conversation.state.has_key(_PAUSED), passes),
    )


def _registering(chunk: Chunk) -> Select[UUID]:
    """Fenced off, so that people's own passages are found first, not all who ever registered."""
    columns: tuple[Any, ...] = (FlowSession.id, FlowSession.kind, FlowSession.status)
    theirs = select(*columns).where(*chunk.holds(FlowSession.contact_id)).offset(0).subquery()
    return select(theirs.c.id).where(
        theirs.c.kind == _REGISTRATION, theirs.c.status == SessionStatus.WAITING
    )


@dataclass(frozen=True, slots=True)
class Passages:
    """Of some conversations: the passages that register, and the asks that are over."""

    registering: frozenset[UUID]
    over: frozenset[str]


def is_interrupted(
    talk: Conversation, ask_id: UUID | None, passages: Passages, now: datetime
) -> bool:
    """Return the same of one conversation; `passages` are what find_passages told of it."""
    state = talk.state or {}
    fresh = talk.updated_at > now - IN_CONVERSATION
    if (fresh and talk.case_id is not None) or _PAUSED in state:
        return True
    origin = state.get("origin") or {}
    if origin.get("ask") in (str(ask_id), *passages.over) or TEST in origin:
        return False
    opened = any(name in state for name in _OPEN)
    return (fresh and opened) or talk.session_id in passages.registering


def find_passages(db: Session, talks: Collection[Conversation]) -> Passages:
    """Return what is_interrupted asks of these conversations."""
    origins = ((talk.state or {}).get("origin") or {} for talk in talks)
    asks = {UUID(origin["ask"]) for origin in origins if "ask" in origin}
    ended = select(Ask.id).where(Ask.id.in_(asks), Ask.status.in_(_OVER))
    over = frozenset(str(one) for one in db.scalars(ended)) if asks else frozenset[str]()
    return Passages(_registrations(db, talks), over)


def _registrations(db: Session, talks: Collection[Conversation]) -> frozenset[UUID]:
    sessions = [talk.session_id for talk in talks if talk.session_id is not None]
    if not sessions:
        return frozenset()
    wanted = select(FlowSession.id).where(
        FlowSession.id.in_(sessions),
        FlowSession.kind == _REGISTRATION,
        FlowSession.status == SessionStatus.WAITING,
    )
    return frozenset(db.scalars(wanted))
