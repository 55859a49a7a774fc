"""WhatsApp outside the 24 hours: another way for what waits to be said.

Inside the window anything may be said; outside it an approved template, or a text message to
somebody who also writes to us by SMS (reference channels.md 4).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.address import Address, AddressStatus, Scheme
from models.base import new_id
from models.channel import Channel, ChannelStatus
from models.contact import Contact, ContactStatus, Conversation
from models.message import Direction, Message, MessageKind, MessageStatus
from models.profile import Profile
from models.walls import organisation_of
from services import retention

OUTSIDE = "63016"
"""Twilio's code for a message that came too late, told only after it was taken."""

MARGIN = timedelta(minutes=10)
"""A window that closes so soon counts as closed: the message may still wait at the provider."""


def is_closed(channel_kind: str, window_until: datetime | None, now: datetime) -> bool:
    """Whether only a template may be said on this channel now."""
    if channel_kind != "whatsapp":
        return False
    return window_until is None or window_until - MARGIN <= now


def mark_template(db: Session, message_id: UUID, *, by_template: bool) -> None:
    """Write down whether a template says a message, so that it reads as it stood on the screen."""
    message = db.get_one(Message, (organisation_of(db), message_id))
    message.content = _changed(message.content, by_template=by_template)
    db.flush()


def move_to_sms(db: Session, message_id: UUID) -> bool:
    """Let a message go by SMS instead; False when the person cannot be written to there.

    They can when they have agreed to be registered, have not stopped, and an SMS address of theirs
    is active: addresses come only from people who wrote from them or confirmed them by a code.
    """
    message = db.get_one(Message, (organisation_of(db), message_id))
    address = _sms_address(db, message.contact_id)
    if address is None:
        return False
    message.address_id, message.channel_id = address.id, address.channel_id
    message.edits = None
    db.flush()
    return True


def _sms_address(db: Session, contact_id: UUID) -> Address | None:
    organisation_id = organisation_of(db)
    return db.scalars(
        select(Address)
        .join(
            Channel,
            (Channel.organisation_id == organisation_id) & (Channel.id == Address.channel_id),
        )
        .join(Contact, (Contact.organisation_id == organisation_id) & (Contact.id == contact_id))
        .join(
            Profile,
            (Profile.organisation_id == organisation_id) & (Profile.contact_id == contact_id),
        )
        .where(
            Address.organisation_id == organisation_id,
            Address.contact_id == contact_id,
            Address.scheme == Scheme.SMS,
            Address.status == AddressStatus.ACTIVE,
            Channel.status == ChannelStatus.ACTIVE,
            Contact.status == ContactStatus.ACTIVE,
            Profile.consents != [],
        )
        .order_by(Address.last_in_at.desc().nulls_last(), Address.id.desc())
        .limit(1)
    ).one_or_none()


def say_again(db: Session, channel_id: UUID, provider_id: str, *, now: datetime) -> bool:
    """Queue once more what WhatsApp refused too late; the delivery then finds another way.

    The refused message stays as it is, so that late callbacks about it reach nothing else. Once:
    what is said again is not said a third time; nor is a question said whose person wrote since.
    """
    organisation_id = organisation_of(db)
    lost = db.scalars(
        select(Message).where(
            Message.organisation_id == organisation_id,
            Message.channel_id == channel_id,
            Message.provider_id == provider_id,
            Message.direction == Direction.OUT,
            Message.status == MessageStatus.FAILED,
        )
    ).first()
    if lost is None:
        return False
    db.execute(
        update(Address)
        .where(Address.organisation_id == organisation_id, Address.id == lost.address_id)
        .values(window_until=now)
    )
    sealed = lost.sealed is not None  # bound to the row it stands in
    if sealed or not lost.content or lost.content.get("again") or _is_stale(db, lost):
        return False
    db.add(_copy(lost, now))
    db.flush()
    return True


def _is_stale(db: Session, lost: Message) -> bool:
    talk = db.get(Conversation, (organisation_of(db), lost.contact_id))
    asked = lost.kind is MessageKind.QUESTION
    return asked and talk is not None and talk.seq != (lost.seq or talk.seq)


def _copy(lost: Message, now: datetime) -> Message:
    return Message(
        organisation_id=lost.organisation_id,
        id=new_id(now),
        contact_id=lost.contact_id,
        address_id=lost.address_id,
        channel_id=lost.channel_id,
        direction=Direction.OUT,
        status=MessageStatus.QUEUED,
        lane=lost.lane,
        kind=lost.kind,
        content=_changed(lost.content, by_template=False) | {"again": True},
        flow_version_id=lost.flow_version_id,
        question=lost.question,
        language=lost.language,
        seq=lost.seq,
        session_id=lost.session_id,
        due_at=now,
        created_at=now,
        expires_at=min(lost.expires_at, retention.expires_at("messages", now)),
    )


def _changed(content: Mapping[str, Any] | None, *, by_template: bool) -> dict[str, Any]:
    kept = {name: value for name, value in (content or {}).items() if name != "by_template"}
    return kept | ({"by_template": True} if by_template else {})
