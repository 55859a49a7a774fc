"""How a sending goes: exact counts for those who run it, never a name."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from models.broadcast import Broadcast, Recipient, RecipientStatus
from models.flow_session import Answer, FlowSession, SessionStatus
from models.message import Message

SENT = ("sent", "delivered", "read")


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of people. `sent` includes delivered, `delivered` includes read.

    `left_out` and `failed` are by reason; `by_channel` counts whom a message is meant for.
    """

    waiting: int = 0
    queued: int = 0
    sent: int = 0
    delivered: int = 0
    read: int = 0
    answered: int = 0
    unknown: int = 0
    canceled: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    by_channel: dict[str, int] = field(default_factory=dict)


def progress(db: Session, broadcast: Broadcast) -> Progress:
    """Return how far a sending is."""
    mine = (
        Recipient.organisation_id == broadcast.organisation_id,
        Recipient.broadcast_id == broadcast.id,
    )
    told = db.execute(
        select(Message.status, Message.error_code, func.count())
        .join(
            Recipient,
            and_(
                Recipient.organisation_id == Message.organisation_id,
                Recipient.message_id == Message.id,
            ),
        )
        .where(*mine)
        .group_by(Message.status, Message.error_code)
    ).all()
    statuses: dict[str, int] = {}
    failed: dict[str, int] = {}
    for status, error, count in told:
        statuses[status.value] = statuses.get(status.value, 0) + count
        if status == "failed":
            failed[error or "failed"] = failed.get(error or "failed", 0) + count
    reasons = select(Recipient.reason, func.count()).where(
        *mine, Recipient.status == RecipientStatus.LEFT_OUT
    )
    channels = select(Recipient.channel_kind, func.count()).where(
        *mine, Recipient.channel_kind.is_not(None)
    )
    waiting = select(func.count()).where(*mine, Recipient.status == RecipientStatus.WAITING)
    return Progress(
        waiting=db.scalar(waiting) or 0,
        queued=statuses.get("queued", 0) + statuses.get("sending", 0),
        sent=sum(statuses.get(one, 0) for one in SENT),
        delivered=statuses.get("delivered", 0) + statuses.get("read", 0),
        read=statuses.get("read", 0),
        answered=_answered(db, broadcast.id, broadcast.ask_id),
        unknown=statuses.get("unknown", 0),
        canceled=statuses.get("canceled", 0),
        left_out=_by_word(db, reasons.group_by(Recipient.reason)),
        failed=failed,
        by_channel=_by_word(db, channels.group_by(Recipient.channel_kind)),
    )


def _by_word(db: Session, counts: Select[*tuple[Any, ...]]) -> dict[str, int]:
    return {row[0] or "": row[1] for row in db.execute(counts)}


def _answered(db: Session, broadcast_id: UUID, ask_id: UUID) -> int:
    """How many began to answer what this sending asked them."""
    answer = (
        select(Answer.session_id)
        .where(
            Answer.organisation_id == FlowSession.organisation_id,
            Answer.session_id == FlowSession.id,
            Answer.skipped.is_(False),
        )
        .exists()
    )
    counted = select(func.count(func.distinct(FlowSession.contact_id))).where(
        FlowSession.ask_id == ask_id,
        FlowSession.origin["broadcast"].astext == str(broadcast_id),
        or_(FlowSession.status == SessionStatus.COMPLETE, answer),
    )
    return db.scalar(counted) or 0
