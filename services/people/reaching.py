"""Addresses of a person beside the one they write from, and a sentence put into their outbox."""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.address import Address, AddressStatus
from models.base import new_id
from models.channel import Channel, ChannelKind, ChannelStatus
from models.contact import Contact, ContactStatus
from models.message import Direction, Lane, Message, MessageKind, MessageStatus
from models.sealed import Keyring, seal
from models.walls import organisation_of
from services import retention
from services.conversation.opening import SILENT_AFTER


def same_number(db: Session, number_hash: bytes, besides: UUID, *, now: datetime) -> Address | None:
    """Another contact's address of this number, that may be written to and is not long silent."""
    return db.scalars(
        select(Address)
        .join(Contact, Contact.id == Address.contact_id)
        .join(Channel, Channel.id == Address.channel_id)
        .where(
            Address.organisation_id == organisation_of(db),
            Address.number_hash == number_hash,
            Address.contact_id != besides,
            Address.status == AddressStatus.ACTIVE,
            Contact.status == ContactStatus.ACTIVE,
            Channel.status == ChannelStatus.ACTIVE,
            func.coalesce(Address.last_in_at, Address.created_at) > now - SILENT_AFTER,
        )
        .order_by(Address.last_in_at.desc().nulls_last(), Address.id)
    ).first()


def links(db: Session, token: str, *, besides: str) -> list[str]:
    """How each other app the organisation is on opens a chat that begins with the token."""
    channels = db.scalars(
        select(Channel)
        .where(
            Channel.organisation_id == organisation_of(db),
            Channel.status == ChannelStatus.ACTIVE,
            Channel.kind != besides,
            Channel.sender != "",
        )
        .order_by(Channel.created_at, Channel.id)
    ).all()
    found: dict[str, str] = {}
    for channel in channels:
        if channel.kind == ChannelKind.TELEGRAM:
            found[channel.kind] = f"https://t.me/{channel.sender.lstrip('@')}?start={token}"
        elif channel.kind == ChannelKind.WHATSAPP:
            number = channel.sender.rpartition("+")[2]
            found[channel.kind] = f"https://wa.me/{number}?text=JOIN%20{token}"
    return list(found.values())


def tell(
    db: Session,
    keyring: Keyring,
    address: Address,
    phrase: str,
    params: Mapping[str, str],
    *,
    language: str | None = None,
    due_at: datetime | None = None,
    now: datetime,
) -> None:
    """Put one phrase into the outbox for an address; its params are stored sealed.

    It is said in the person's language, or in the one given; at once, or at `due_at`.
    """
    contact = _contact(db, address.contact_id)
    key = keyring.unwrap(contact.wrapped_key, contact.organisation_id, contact.id)
    message_id = new_id(now)
    part = {"say": phrase, "sealed": True} if params else {"say": phrase, "params": {}}
    sealed = _seal(key, json.dumps(dict(params)), "messages", contact, message_id)
    db.add(
        Message(
            organisation_id=contact.organisation_id,
            id=message_id,
            contact_id=contact.id,
            address_id=address.id,
            channel_id=address.channel_id,
            direction=Direction.OUT,
            status=MessageStatus.QUEUED,
            lane=Lane.REPLIES,
            kind=MessageKind.NOTICE,
            content={"parts": [part], "tag": ""},
            language=language or contact.language,
            sealed=sealed if params else None,
            due_at=due_at or now,
            created_at=now,
            expires_at=retention.expires_at("messages", now),
        )
    )
    db.flush()


def silence(db: Session, address: Address, reason: str) -> None:
    """Let nothing that still waits be sent to an address."""
    db.execute(
        update(Message)
        .where(
            Message.contact_id == address.contact_id,
            Message.address_id == address.id,
            Message.status == MessageStatus.QUEUED,
        )
        .values(status=MessageStatus.CANCELED, error_code=reason)
    )


def sealed_address(
    db: Session, keyring: Keyring, contact_id: UUID, address_id: UUID, address: str
) -> bytes:
    """An address as its row holds it, under the key of whose it is."""
    contact = _contact(db, contact_id)
    key = keyring.unwrap(contact.wrapped_key, contact.organisation_id, contact.id)
    return _seal(key, address, "addresses", contact, address_id)


def _contact(db: Session, contact_id: UUID) -> Contact:
    return db.get_one(Contact, (organisation_of(db), contact_id))


def _seal(key: bytes, plain: str, table: str, contact: Contact, row_id: UUID) -> bytes:
    return seal(
        key,
        plain.encode(),
        table=table,
        column="sealed",
        organisation_id=contact.organisation_id,
        row_id=row_id,
    )
