"""Taking a sending back: what no worker has taken never leaves, as if it had never been queued.

Whoever was only going to be asked stands where they stood: in no passage they have not seen, and
free to be asked by another sending.
"""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Text, cast, delete, exists, literal, null, select, update
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import Session

from models.broadcast import Broadcast, Recipient, RecipientStatus
from models.contact import Conversation
from models.flow_session import Answer, FlowSession, SessionStatus
from models.message import Lane, Message, MessageStatus

CANCELED: Final = "canceled"
_PASSAGE: Final = ("session", "version", "origin", "shown")
"""What the state of a conversation says of the passage it is in."""


def unsent(sending: Broadcast) -> tuple[Any, ...]:
    """The messages of a sending that no worker has taken: at most some ten thousand a channel."""
    return (
        Message.organisation_id == sending.organisation_id,
        Message.lane == Lane.BROADCASTS,
        Message.status == MessageStatus.QUEUED,
        Message.content["broadcast"].astext == str(sending.id),
    )


def withdraw(db: Session, sending: Broadcast) -> None:
    """Cancel what waits of a sending, in the outbox or for its hour; its row is locked."""
    _undo_passages(db, sending)
    _cancel_messages(db, sending)
    db.execute(
        update(Recipient)
        .where(*_of(sending), Recipient.status == RecipientStatus.WAITING)
        .values(status=RecipientStatus.LEFT_OUT, reason=CANCELED, send_at=None)
        .execution_options(synchronize_session=False)
    )


def _undo_passages(db: Session, sending: Broadcast) -> None:
    """Leave the passages that began with messages nobody gets; who writes this moment keeps theirs.

    Messages and conversations are locked together without waiting: the ways in and out lock them in
    either order.
    """
    owner = sending.organisation_id
    begun = _begun(sending).cte("begun")
    left = (
        update(Conversation)
        .where(
            Conversation.organisation_id == owner,
            Conversation.contact_id == begun.c.contact_id,
        )
        .values(
            state=Conversation.state.op("-")(cast(array(_PASSAGE), ARRAY(Text))),
            session_id=null(),
            seq=Conversation.seq + 1,
        )
        .returning(begun.c.session_id)
        .cte("left_again")
    )
    db.execute(
        delete(FlowSession)
        .where(FlowSession.organisation_id == owner, FlowSession.id == left.c.session_id)
        .execution_options(synchronize_session=False)
    )


def _begun(sending: Broadcast) -> Select[UUID, UUID]:
    """The conversations that stand at a message of this sending in the outbox, both locked."""
    owner = sending.organisation_id
    stands_there = (
        (Message.contact_id == Conversation.contact_id)
        & (Message.session_id == Conversation.session_id)
        & (Message.seq == Conversation.seq)
    )
    return (
        select(Conversation.contact_id, FlowSession.id.label("session_id"))
        .join(Message, stands_there)
        .join(FlowSession, FlowSession.id == Conversation.session_id)
        .where(
            Conversation.organisation_id == owner,
            *unsent(sending),
            FlowSession.organisation_id == owner,
            FlowSession.status == SessionStatus.WAITING,
            FlowSession.origin["broadcast"].astext == str(sending.id),
            ~exists().where(Answer.organisation_id == owner, Answer.session_id == FlowSession.id),
        )
        .with_for_update(of=[Conversation, Message], key_share=True, skip_locked=True)
    )


def _cancel_messages(db: Session, sending: Broadcast) -> None:
    canceled = (
        update(Message)
        .where(*unsent(sending))
        .values(status=MessageStatus.CANCELED, error_code=CANCELED)
        .returning(Message.contact_id)
        .cte("canceled")
    )
    db.execute(
        update(Recipient)
        .where(*_of(sending), Recipient.contact_id == canceled.c.contact_id)
        .values(
            status=RecipientStatus.LEFT_OUT, reason=literal(CANCELED), send_at=None, message_id=None
        )
        .execution_options(synchronize_session=False)
    )


def _of(sending: Broadcast) -> tuple[Any, ...]:
    return (
        Recipient.organisation_id == sending.organisation_id,
        Recipient.ask_id == sending.ask_id,
        Recipient.kind == sending.kind,
        Recipient.broadcast_id == sending.id,
    )
