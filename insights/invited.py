"""Who was sent an ask, and what came of it; exact, for the gate only, as in tallies.py."""

from typing import Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    Subquery,
    and_,
    cast,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from models.broadcast import BroadcastKind, Recipient
from models.flow_session import Answer, FlowSession, SessionStatus
from models.message import Message, MessageStatus
from models.walls import organisation_of

NEWEST: Final = (FlowSession.started_at.desc(), FlowSession.id.desc())
"""A person counts with the newest of their passages through an ask."""
_ARRIVED = (MessageStatus.DELIVERED, MessageStatus.READ)
_SENT = (MessageStatus.SENT, *_ARRIVED)


def invited_to(db: Session, ask_id: UUID) -> Subquery:
    """Return everybody the ask was sent to: whether it arrived, who asked, how far they came.

    Columns: contact_id, arrived, read, asker, began, completed. The newest passage is looked up for
    each: joined as a list, it is read through for each where the database has not counted its
    tables yet.
    """
    newest = (
        select(FlowSession.organisation_id, FlowSession.id, FlowSession.status)
        .where(
            FlowSession.organisation_id == Recipient.organisation_id,
            FlowSession.ask_id == ask_id,
            FlowSession.contact_id == Recipient.contact_id,
        )
        .order_by(*NEWEST)
        .limit(1)
        .lateral("newest")
    )
    return (
        select(
            Recipient.contact_id,
            Message.status.in_(_ARRIVED).label("arrived"),
            (Message.status == MessageStatus.READ).label("read"),
            cast(Recipient.asker_id, String).label("asker"),
            func.coalesce(has_begun(newest), False).label("began"),
            func.coalesce(has_ended(newest), False).label("completed"),
        )
        .join(
            Message,
            (Message.organisation_id == Recipient.organisation_id)
            & (Message.id == Recipient.message_id),
        )
        .outerjoin(newest, true())
        .where(
            Recipient.organisation_id == organisation_of(db),
            Recipient.ask_id == ask_id,
            Recipient.kind == BroadcastKind.INVITATION,
            Message.status.in_(_SENT),
        )
        .subquery("invited")
    )


def has_begun(passage: FromClause) -> ColumnElement[bool]:
    """Whether somebody did anything in a passage: answered, skipped, or came to its end."""
    done = passage.c.status == SessionStatus.COMPLETE
    return or_(done, exists().where(answers_of(passage)))


def has_ended(passage: FromClause) -> ColumnElement[bool]:
    """Whether somebody came to the end of a passage and answered anything on the way there.

    Who skips every question has said nothing: that is no response.
    """
    said = exists().where(answers_of(passage), ~Answer.skipped)
    return and_(passage.c.status == SessionStatus.COMPLETE, said)


def answers_of(passage: FromClause) -> ColumnElement[bool]:
    """The condition that an answer is of a passage."""
    return and_(
        Answer.organisation_id == passage.c.organisation_id, Answer.session_id == passage.c.id
    )
