"""How a sending goes: exact counts of messages, for those who may count people; never a name.

To others leaves what the results of the poll tell (asks/publications.py): how many it was sent to,
and how many got it, read it and answered.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from insights.invited import invited_to
from models.ask import AskMode
from models.broadcast import Broadcast, Recipient, RecipientStatus
from models.message import Message
from services.asks import asks

SENT = ("sent", "delivered", "read")


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of people. `sent` includes delivered, `delivered` includes read; `answered` is of all
    invited to the poll, unless it is secret.

    `left_out` and `failed` are by reason; `by_channel` counts whom a message is meant for.
    """

    waiting: int = 0
    queued: int = 0
    sent: int = 0
    delivered: int = 0
    read: int = 0
    answered: int | None = None
    unconfirmed: int = 0
    canceled: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    by_channel: dict[str, int] = field(default_factory=dict)


def progress(db: Session, broadcast: Broadcast) -> Progress:
    """Return how far a sending is."""
    statuses, failed = _statuses(db, broadcast)
    waiting = _counts(db, broadcast, Recipient.status)
    return Progress(
        waiting=waiting.get(RecipientStatus.WAITING, 0),
        queued=statuses.get("queued", 0) + statuses.get("sending", 0),
        sent=sum(statuses.get(one, 0) for one in SENT),
        delivered=statuses.get("delivered", 0) + statuses.get("read", 0),
        read=statuses.get("read", 0),
        answered=_answered(db, broadcast),
        unconfirmed=statuses.get("unknown", 0),
        canceled=statuses.get("canceled", 0),
        left_out=_counts(db, broadcast, Recipient.reason),
        failed=failed,
        by_channel=_counts(db, broadcast, Recipient.channel_kind),
    )


def _statuses(db: Session, broadcast: Broadcast) -> tuple[dict[str, int], dict[str, int]]:
    """Messages by status, and those that failed by reason."""
    is_of = and_(
        Recipient.organisation_id == Message.organisation_id, Recipient.message_id == Message.id
    )
    rows = db.execute(
        select(Message.status, Message.error_code, func.count())
        .join(Recipient, is_of)
        .where(*_of(broadcast))
        .group_by(Message.status, Message.error_code)
    )
    statuses, failed = Counter[str](), Counter[str]()
    for status, error, count in rows:
        statuses[status] += count
        if status == "failed":
            failed[error or "failed"] += count
    return dict(statuses), dict(failed)


def _answered(db: Session, broadcast: Broadcast) -> int | None:
    """Who of all invited to the poll came to the end with an answer; None of a secret one."""
    if asks.get(db, broadcast.ask_id).mode is AskMode.SECRET:
        return None
    invited = invited_to(db, broadcast.ask_id)
    return db.scalars(select(func.count()).select_from(invited).where(invited.c.completed)).one()


def _counts(db: Session, broadcast: Broadcast, column: Any) -> dict[str, int]:
    """People by what a column says of them; those of whom it says nothing are left out."""
    wanted = select(column, func.count()).where(*_of(broadcast), column.is_not(None))
    return {row[0]: row[1] for row in db.execute(wanted.group_by(column))}


def _of(broadcast: Broadcast) -> tuple[ColumnElement[bool], ...]:
    return (
        Recipient.organisation_id == broadcast.organisation_id,
        Recipient.ask_id == broadcast.ask_id,
        Recipient.kind == broadcast.kind,
        Recipient.broadcast_id == broadcast.id,
    )
