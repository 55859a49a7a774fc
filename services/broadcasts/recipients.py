"""Everybody one sending was meant for: what became of each, and why some got nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, and_, case, cast, func, literal, select
from sqlalchemy.orm import Session

from models.broadcast import Broadcast, Recipient, RecipientStatus
from models.message import Message, MessageStatus

LEFT_OUT = RecipientStatus.LEFT_OUT.value
WAITING = RecipientStatus.WAITING.value
STATUSES = (WAITING, LEFT_OUT, *(one.value for one in MessageStatus if one != "received"))


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one person: `waiting` for their hour, `left_out`, or how far the message is.

    `reason` says why they were left out, or the error with which it failed.
    """

    contact_id: UUID
    status: str
    reason: str | None
    channel: str | None
    send_at: datetime | None
    message_id: UUID | None
    sent_at: datetime | None


def list_recipients(
    db: Session,
    broadcast: Broadcast,
    *,
    status: str | None = None,
    reason: str | None = None,
    after: UUID | None = None,
    most: int = 50,
) -> Sequence[Told]:
    """Return people in the order of their ids, those after a given one; each stands there once."""
    wanted = _each(broadcast)
    if after is not None:
        wanted = wanted.where(Recipient.contact_id > after)
    if status is not None:
        wanted = wanted.where(_how_far == status)
    if reason is not None:
        wanted = wanted.where(_why == reason)
    rows = db.execute(wanted.order_by(Recipient.contact_id).limit(most))
    return [Told(row[0], str(row[1]), *row[2:]) for row in rows]


# A message is kept for 90 days; afterwards it is only known that it was queued.
_how_far: Any = case(
    (
        Recipient.status == RecipientStatus.QUEUED,
        func.coalesce(cast(Message.status, Text), literal(MessageStatus.UNKNOWN.value)),
    ),
    else_=cast(Recipient.status, Text),
)
_why: Any = func.coalesce(Recipient.reason, Message.error_code)


def _each(broadcast: Broadcast) -> Select[Any]:
    is_theirs = and_(
        Message.organisation_id == Recipient.organisation_id, Message.id == Recipient.message_id
    )
    return (
        select(
            Recipient.contact_id,
            _how_far,
            _why,
            Recipient.channel_kind,
            Recipient.send_at,
            Recipient.message_id,
            Message.sent_at,
        )
        .outerjoin(Message, is_theirs)
        .where(
            Recipient.organisation_id == broadcast.organisation_id,
            Recipient.ask_id == broadcast.ask_id,
            Recipient.kind == broadcast.kind,
            Recipient.broadcast_id == broadcast.id,
        )
    )
