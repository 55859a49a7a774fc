"""Who is in the middle of something, and so not interrupted: as SQL, and of one conversation.

A passage or a talk with an officer counts while it is fresh. A registration, and whatever waits
beneath another passage, counts for as long as it can be gone on with: another question would end
it. Of the very ask that is sent nobody is interrupted: a reminder is meant for those it waits for.
Neither is anybody who only tries a poll.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, and_, exists, false, func, literal, or_, select
from sqlalchemy.orm import Session

from models.contact import Conversation
from models.flow_session import FlowSession, SessionStatus
from models.profile import Profile
from services.conversation.props import TEST

IN_CONVERSATION: Final = timedelta(hours=24)
"""Who said or was asked something so recently, and has not finished it, is not interrupted."""
_OPEN: Final = ("session", "aside")
_PAUSED: Final = "paused"
_REGISTRATION: Final = "registration"


def interrupts(owner: UUID, ask_id: UUID | None, now: datetime) -> ColumnElement[bool]:
    """Return whether a person of the outer statement's profiles is in the middle of something."""
    fresh = Conversation.updated_at > now - IN_CONVERSATION
    opened = func.jsonb_exists_any(Conversation.state, literal(list(_OPEN), ARRAY(Text)))
    registers = exists().where(
        FlowSession.organisation_id == owner,
        FlowSession.id == Conversation.session_id,
        FlowSession.kind == _REGISTRATION,
        FlowSession.status == SessionStatus.WAITING,
    )
    origin = Conversation.state["origin"]
    other = and_(
        origin["ask"].astext.is_distinct_from(str(ask_id)),
        func.coalesce(origin.has_key(TEST), false()).is_(False),
    )
    talks = and_(fresh, Conversation.case_id.is_not(None))
    passes = and_(other, or_(and_(fresh, opened), registers))
    return exists().where(
        Conversation.organisation_id == owner,
        Conversation.contact_id == Profile.contact_id,
        or_(talks, Conversation.state.has_key(_PAUSED), passes),
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
