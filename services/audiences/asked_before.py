"""How often somebody is written to in a month without having asked for it, as SQL."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, and_, func, or_, select

from models.ask import Ask, AskKind
from models.broadcast import Broadcast, BroadcastKind, BroadcastStatus, Recipient, RecipientStatus
from models.flow_session import FlowSession
from models.profile import Profile

BY_RULE: Final = "rule"
"""What the origin of a passage holds that a rule began."""


def asks_this_month(owner: UUID, ask_id: UUID | None, now: datetime) -> ColumnElement[int]:
    """Return how many other asks a person of the outer statement's profiles gets this month (UTC).

    These are invitations, and passages that a rule began; notices do not count.
    """
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (month + timedelta(days=32)).replace(day=1)
    return _invited(owner, ask_id, month, following) + _followed(ask_id, month, following)


def _invited(
    owner: UUID, ask_id: UUID | None, month: datetime, following: datetime
) -> ColumnElement[int]:
    own = _own()
    kind = select(Ask.kind).where(Ask.organisation_id == owner, Ask.id == own.c.ask_id)
    goes_on = select(Broadcast.status != BroadcastStatus.CANCELED).where(
        Broadcast.organisation_id == owner, Broadcast.id == own.c.broadcast_id
    )
    waits = and_(own.c.status == RecipientStatus.WAITING, goes_on.scalar_subquery())
    return (
        select(func.count())
        .select_from(own)
        .where(
            own.c.kind == BroadcastKind.INVITATION,
            own.c.ask_id.is_distinct_from(ask_id),
            own.c.sent_at >= month,
            own.c.sent_at < following,
            kind.scalar_subquery() != AskKind.NOTICE,
            or_(own.c.status == RecipientStatus.QUEUED, waits),
        )
        .scalar_subquery()
    )


def _own() -> Subquery:
    """A person's own rows, fenced off so that they are found first, whatever is thought cheap."""
    columns: tuple[Any, ...] = (
        Recipient.ask_id,
        Recipient.broadcast_id,
        Recipient.kind,
        Recipient.status,
        func.coalesce(Recipient.queued_at, Recipient.send_at).label("sent_at"),
    )
    mine = Recipient.contact_id == Profile.contact_id
    return select(*columns).where(mine).offset(0).correlate(Profile).subquery("own")


def _followed(ask_id: UUID | None, month: datetime, following: datetime) -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(FlowSession)
        .where(
            FlowSession.contact_id == Profile.contact_id,
            FlowSession.origin.has_key(BY_RULE),
            FlowSession.kind != AskKind.NOTICE,
            *([FlowSession.ask_id.is_distinct_from(ask_id)] if ask_id else []),
            FlowSession.started_at >= month,
            FlowSession.started_at < following,
        )
        .correlate(Profile)
        .scalar_subquery()
    )
