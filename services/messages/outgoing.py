"""Putting a message of ours into the outbox from outside the message path."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from models.address import Address
from models.base import new_id
from models.contact import Contact
from models.message import Direction, Lane, Message, MessageKind, MessageStatus
from services import retention


def queue(
    db: Session,
    contact: Contact,
    address: Address,
    content: dict[str, Any],
    *,
    seq: int,
    now: datetime,
    kind: MessageKind = MessageKind.QUESTION,
    lane: Lane = Lane.REPLIES,
    **columns: Any,
) -> Message:
    """Queue a message to somebody and return it; it is sent once the caller has committed.

    `content` holds its parts without text, `seq` the conversation's number after this move, and
    `columns` what else the row has: a question, its version and session, an id, sealed words.
    """
    message = Message(
        organisation_id=contact.organisation_id,
        contact_id=contact.id,
        address_id=address.id,
        channel_id=address.channel_id,
        direction=Direction.OUT,
        status=MessageStatus.QUEUED,
        lane=lane,
        kind=kind,
        content=content,
        language=contact.language,
        seq=seq,
        due_at=now,
        created_at=now,
        expires_at=retention.expires_at("messages", now),
        **{"id": new_id(now), **columns},
    )
    db.add(message)
    db.flush()
    return message
