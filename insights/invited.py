"""Who was sent an ask, and what came of it; exact, for the gate only, as in tallies.py."""

from typing import Final
from uuid import UUID

from sqlalchemy import String, Subquery, cast, func, select
from sqlalchemy.orm import Session

from models.broadcast import BroadcastKind, Recipient
from models.flow_session import FlowSession, SessionStatus
from models.message import Message, MessageStatus
from models.walls import organisation_of

NEWEST: Final = (FlowSession.started_at.desc(), FlowSession.id.desc())
"""A person counts with the newest of their passages through an ask."""
_ARRIVED = (MessageStatus.DELIVERED, MessageStatus.READ)
_SENT = (MessageStatus.SENT, *_ARRIVED)


def invited_to(db: Session, ask_id: UUID) -> Subquery:
    """Return everybody the ask was sent to: whether it arrived, who asked, whether they answered.

    Columns: arrived, read, asker, completed. The newest passage is looked up for each: joined as a
    list, it is read through for each where the database has not counted its tables yet.
    """
    arrived = Message.status.in_(_ARRIVED)
    ended = (
        select(FlowSession.status)
        .where(
            FlowSession.organisation_id == Recipient.organisation_id,
            FlowSession.ask_id == ask_id,
            FlowSession.contact_id == Recipient.contact_id,
        )
        .order_by(*NEWEST)
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            arrived.label("arrived"),
            (Message.status == MessageStatus.READ).label("read"),
            cast(Recipient.asker_id, String).label("asker"),
            func.coalesce(ended == SessionStatus.COMPLETE, False).label("completed"),
        )
        .join(
            Message,
            (Message.organisation_id == Recipient.organisation_id)
            & (Message.id == Recipient.message_id),
        )
        .where(
            Recipient.organisation_id == organisation_of(db),
            Recipient.ask_id == ask_id,
            Recipient.kind == BroadcastKind.INVITATION,
            Message.status.in_(_SENT),
        )
        .subquery("invited")
    )
