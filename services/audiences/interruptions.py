"""Who is in the middle of something, and so not interrupted: as SQL, and of one conversation.

A passage or a talk with an officer counts while it is fresh. A registration, and whatever waits
beneath another passage, counts for as long as it can be gone on with: another question would end
it. Of the very ask that is sent nobody is interrupted: a reminder is meant for those it waits for.
Neither is anybody who only tries a poll.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Select, Text, and_, false, func, literal, or_, select
from sqlalchemy.orm import Session

from models.contact import Conversation
from models.flow_session import FlowSession, SessionStatus
from services.audiences.chunks import EVERYBODY, Chunk
from services.conversation.props import TEST

IN_CONVERSATION: Final = timedelta(hours=24)
"""Who said or was asked something so recently, and has not finished it, is not interrupted."""
_OPEN: Final = ("session", "aside")
_PAUSED: Final = "paused"
_REGISTRATION: Final = "registration"


def interrupted(
    owner: UUID, ask_id: UUID | None, now: datetime, chunk: Chunk = EVERYBODY
) -> Select[UUID]:
    """Return who of a chunk is in the middle of something: a statement for their ids."""
    fresh = Conversation.updated_at > now - IN_CONVERSATION
    opened = func.jsonb_exists_any(Conversation.state, literal(list(_OPEN), ARRAY(Text)))
    origin = Conversation.state["origin"]
    other = and_(
        origin["ask"].astext.is_distinct_from(str(ask_id)),
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


def is_interrupted(
    talk: Conversation, ask_id: UUID | None, registering: Collection[UUID], now: datetime
) -> bool:
    """Return the same of one conversation; `registering` are the passages that register."""
    state = talk.state or {}
    fresh = talk.updated_at > now - IN_CONVERSATION
    if (fresh and talk.case_id is not None) or _PAUSED in state:
        return True
    origin = state.get("origin") or {}
    if origin.get("ask") == str(ask_id) or TEST in origin:
        return False
    return (fresh and any(name in state for name in _OPEN)) or talk.session_id in registering


def find_registering(db: Session, talks: Collection[Conversation]) -> frozenset[UUID]:
    """Return which passages of these conversations are registrations under way."""
    sessions = [talk.session_id for talk in talks if talk.session_id is not None]
    if not sessions:
        return frozenset()
    wanted = select(FlowSession.id).where(
        FlowSession.id.in_(sessions),
        FlowSession.kind == _REGISTRATION,
        FlowSession.status == SessionStatus.WAITING,
    )
    return frozenset(db.scalars(wanted))
