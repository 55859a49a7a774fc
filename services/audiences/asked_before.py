"""How often somebody is written to in a month without having asked for it, as SQL."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Subquery, and_, func, or_, select, union_all

from models.ask import Ask, AskKind
from models.broadcast import Broadcast, BroadcastKind, BroadcastStatus, Recipient, RecipientStatus
from models.flow_session import FlowSession
from services.audiences.chunks import Chunk

Span = tuple[datetime, datetime]
BY_RULE: Final = "rule"
"""What the origin of a passage holds that a rule began."""


def asks_this_month(owner: UUID, ask_id: UUID | None, chunk: Chunk, now: datetime) -> Subquery:
    """Return how many `times` people of a chunk get other asks this month (UTC), if any.

    These are invitations, and passages that a rule began; notices do not count.
    """
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    span = month, (month + timedelta(days=32)).replace(day=1)
    each = union_all(_invited(owner, ask_id, chunk, span), _followed(ask_id, chunk, span))
    asked = each.subquery()
    return (
        select(asked.c.contact_id, func.count().label("times"))
        .group_by(asked.c.contact_id)
        .subquery("asked")
    )


def _invited(owner: UUID, ask_id: UUID | None, chunk: Chunk, span: Span) -> Select[Any]:
    own = _own(chunk)
    kind = select(Ask.kind).where(Ask.organisation_id == owner, Ask.id == own.c.ask_id)
    goes_on = select(Broadcast.status != BroadcastStatus.CANCELED).where(
        Broadcast.organisation_id == owner, Broadcast.id == own.c.broadcast_id
    )
    waits = and_(own.c.status == RecipientStatus.WAITING, goes_on.scalar_subquery())
    return select(own.c.contact_id).where(
        own.c.kind == BroadcastKind.INVITATION,
        own.c.ask_id.is_distinct_from(ask_id),
        own.c.sent_at >= span[0],
        own.c.sent_at < span[1],
        kind.scalar_subquery() != AskKind.NOTICE,
        or_(own.c.status == RecipientStatus.QUEUED, waits),
    )


def _own(chunk: Chunk) -> Subquery:
    """People's own rows, fenced off so that they are found first, whatever is thought cheap."""
    columns: tuple[Any, ...] = (
        Recipient.contact_id,
        Recipient.ask_id,
        Recipient.broadcast_id,
        Recipient.kind,
        Recipient.status,
        func.coalesce(Recipient.queued_at, Recipient.send_at).label("sent_at"),
    )
    return select(*columns).where(*chunk.holds(Recipient.contact_id)).offset(0).subquery("own")


def _followed(ask_id: UUID | None, chunk: Chunk, span: Span) -> Select[Any]:
    return select(FlowSession.contact_id).where(
        FlowSession.origin.has_key(BY_RULE),
        FlowSession.kind != AskKind.NOTICE,
        *([FlowSession.ask_id.is_distinct_from(ask_id)] if ask_id else []),
        FlowSession.started_at >= span[0],
        FlowSession.started_at < span[1],
        *chunk.holds(FlowSession.contact_id),
    )
