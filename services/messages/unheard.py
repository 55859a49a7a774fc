"""Messages a provider took and told nothing more of: which to ask about, an hour and a day later.

Status callbacks get lost, at the provider's or on their way. How far a channel was looked through
stands in its `config`, so a look goes on where the one before ended, whoever does it, and each
message is asked about twice at most: many carriers never say more than that they have it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import first_id
from models.channel import Channel
from models.message import Direction, Message, MessageStatus
from models.walls import organisation_of

LOOKS: Final[Mapping[str, timedelta]] = {
    "after_an_hour": timedelta(hours=1),
    "after_a_day": timedelta(days=1),
}
"""Each look, and how old a message is by then; what left late is asked about early, no harm."""
MOST: Final = 300
"""Messages asked about in one look, whatever is left over."""
BACK: Final = timedelta(days=1)
"""How much earlier messages the first look of a channel begins with."""
_KEPT = "looked_until"


@dataclass(frozen=True, slots=True)
class Look:
    """Messages to ask about, by the provider's ids in order, and what is looked through then."""

    messages: Mapping[UUID, str]
    until: UUID


def find(db: Session, channel_id: UUID, look: str, *, now: datetime) -> Look:
    """Return what a look of a channel should ask about now."""
    until = now - LOOKS[look]
    last = first_id(until)
    rows = db.execute(
        select(Message.id, Message.provider_id)
        .where(
            Message.organisation_id == organisation_of(db),
            Message.id > _looked_until(db, channel_id).get(look, first_id(until - BACK)),
            Message.id < last,
            Message.channel_id == channel_id,
            Message.direction == Direction.OUT,
            Message.status == MessageStatus.SENT,
            Message.provider_id.is_not(None),
        )
        .order_by(Message.id)
        .limit(MOST)
    ).all()
    found = {row.id: str(row.provider_id) for row in rows}
    return Look(found, max(found) if len(found) == MOST else last)


def note(db: Session, channel_id: UUID, look: str, until: UUID) -> None:
    """Remember how far a look has come."""
    key, lock = (organisation_of(db), channel_id), {"key_share": True}
    channel = db.get_one(Channel, key, with_for_update=lock)
    reached = {**channel.config.get(_KEPT, {}), look: str(until)}
    channel.config = {**channel.config, _KEPT: reached}
    db.flush()


def _looked_until(db: Session, channel_id: UUID) -> Mapping[str, UUID]:
    config = db.get_one(Channel, (organisation_of(db), channel_id)).config
    return {look: UUID(until) for look, until in config.get(_KEPT, {}).items()}
