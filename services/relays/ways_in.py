"""The ways into a conversation that begins with a code: one for each app of an organisation."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.channel import Channel, ChannelKind, ChannelStatus
from models.walls import organisation_of


@dataclass(frozen=True, slots=True)
class WayIn:
    """A link that opens an app with the code, and the number or name people see."""

    url: str
    shown: str


def ways_in(db: Session, code: str) -> Mapping[str, WayIn]:
    """Return a way by kind of channel: telegram, whatsapp, sms; the oldest channel of each."""
    channels = db.scalars(
        select(Channel)
        .where(
            Channel.organisation_id == organisation_of(db),
            Channel.status == ChannelStatus.ACTIVE,
            Channel.sender != "",
        )
        .order_by(Channel.created_at, Channel.id)
    ).all()
    found: dict[str, WayIn] = {}
    for channel in channels:
        if way := _way(channel, code.upper()):
            found.setdefault(channel.kind.value, way)
    return {kind: found[kind] for kind in ("telegram", "whatsapp", "sms") if kind in found}


def _way(channel: Channel, code: str) -> WayIn | None:
    sender = channel.sender.rpartition(":")[2]
    number = sender.lstrip("+")
    if channel.kind is ChannelKind.TELEGRAM:
        bot = sender.lstrip("@")
        return WayIn(f"https://t.me/{bot}?start={code.lower()}", f"@{bot}")
    if not number.isdigit():
        return None  # a messaging service has many numbers, none of which is ours to print
    if channel.kind is ChannelKind.WHATSAPP:
        return WayIn(f"https://wa.me/{number}?text=JOIN%20{code}", sender)
    return WayIn(f"sms:{sender}?&body=JOIN%20{code}", sender)
