"""Channels are data: added by command, API or console, their credentials sealed."""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.base import new_id
from models.channel import Channel, ChannelBudget, ChannelKind, ChannelStatus, StopReply
from models.db import transaction
from models.organisation import Organisation
from models.sealed import OrganisationKeys, open_sealed, seal
from models.walls import Door, DoorKind, door_hash, open_door, organisation_of
from services import audit, organisations
from services.audit import Actor
from services.errors import Invalid, NotFound

KEY_BYTES = 16
FASTEST = 100_000


@dataclass(frozen=True, slots=True)
class Budget:
    """Messages a second and in one burst; replies a day to people who have not consented.

    `overdraft` is how far replies may run ahead of the rate: as far as the provider queues them.
    """

    rate: float
    burst: float
    overdraft: float
    unconsented_a_day: int


_NUMBERED = frozenset({ChannelKind.SMS, ChannelKind.WHATSAPP})
_SENDER = re.compile(r"(?:whatsapp:)?\+?[0-9]{3,15}|MG[0-9A-Za-z]{1,32}")
"""A number of E.164, a short code, or a messaging service of Twilio."""
BUDGETS: Mapping[ChannelKind, Budget] = {
    # Telegram allows about 30 a second, https://core.telegram.org/bots/faq, 2026-11
    ChannelKind.TELEGRAM: Budget(25, 25, 0, 50_000),
    # Meta's limit for a business number, 80 a second, 2026-11
    ChannelKind.WHATSAPP: Budget(80, 80, 10_000, 20_000),
    # One part a second is what an ordinary long number may send; a short code gives its own rate.
    ChannelKind.SMS: Budget(1, 10, 10_000, 20_000),
    ChannelKind.SIMULATOR: Budget(1_000, 1_000, 0, 100_000),
}
"""What a new channel may send until somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class OpenChannel:
    """A channel with its credentials in clear, as long as somebody holds it in memory."""

    id: UUID
    organisation_id: UUID
    kind: str
    key: str
    name: str
    sender: str
    credentials: Mapping[str, str] = field(repr=False)
    config: Mapping[str, Any]
    stop_reply: str
    default_language: str
    status: str


@dataclass(frozen=True, slots=True)
class NewChannel:
    """What is needed to add a channel; `rate` is messages a second, by default the usual ones."""

    kind: ChannelKind
    name: str
    credentials: Mapping[str, str] = field(repr=False)
    sender: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    stop_reply: StopReply = StopReply.OURS
    default_language: str | None = None
    rate: float | None = None


def add(
    db: Session,
    keys: OrganisationKeys,
    new: NewChannel,
    *,
    actor: Actor = audit.SYSTEM,
    now: datetime,
) -> Channel:
    """Add a channel with a random key of 128 bits, its budget, and its door.

    Invalid for a rate that is not above zero, a language the organisation does not offer, or, by
    SMS and WhatsApp, a sender that is neither a number nor a messaging service.
    """
    organisation = organisations.get(db)
    language = new.default_language or organisation.default_language
    _check(new, language, organisation)
    channel_id = new_id(now)
    channel = Channel(
        organisation_id=organisation.id,
        id=channel_id,
        kind=new.kind,
        key=secrets.token_hex(KEY_BYTES),  # letters and digits: none begins like an option
        name=new.name,
        credentials=_seal(keys, new.credentials, organisation.id, channel_id),
        sender=new.sender,
        config=dict(new.config),
        stop_reply=new.stop_reply,
        default_language=language,
        status=ChannelStatus.ACTIVE,
        created_at=now,
    )
    db.add(channel)
    db.flush()
    db.add(_budget(channel, new.rate, now))
    open_door(db, DoorKind.CHANNEL, channel.key, organisation.id, channel_id)
    detail = {"kind": new.kind.value}
    audit.record(db, actor, "channel.added", ("channel", channel_id), detail=detail, now=now)
    return channel


def _check(new: NewChannel, language: str, organisation: Organisation) -> None:
    if language not in organisation.languages:
        raise Invalid("The organisation does not offer this language.", place="default_language")
    if new.rate is not None and not 0 < new.rate <= FASTEST:
        raise Invalid("The rate is messages a second, above zero.", place="rate")
    if new.kind in _NUMBERED and not _SENDER.fullmatch(new.sender):
        raise Invalid(
            "Messages go out from a number such as +27821234567 or a messaging service MG…",
            place="sender",
        )


def get(db: Session, key: str) -> Channel:
    """Return the session's organisation's channel with this key; NotFound otherwise."""
    channel = db.scalar(
        select(Channel).where(Channel.organisation_id == organisation_of(db), Channel.key == key)
    )
    if channel is None:
        raise NotFound("There is no such channel.")
    return channel


def find(engine: Engine, keys: organisations.OrganisationKeyring, key: str) -> OpenChannel | None:
    """Return the channel a webhook path names, whosever it is, or None.

    Opens two short transactions of its own: nobody knows the organisation before.
    """
    with Session(engine) as db:
        door = db.get(Door, (DoorKind.CHANNEL, door_hash(key)))
    if door is None:
        return None
    with transaction(engine, door.organisation_id) as db:
        channel = db.get(Channel, (door.organisation_id, door.target_id))
    return None if channel is None else open_channel(keys.open(door.organisation_id), channel)


def open_channel(keys: OrganisationKeys, channel: Channel) -> OpenChannel:
    """Return a channel with its credentials open."""
    plain = open_sealed(
        keys.data,
        channel.credentials,
        table="channels",
        column="credentials",
        organisation_id=channel.organisation_id,
        row_id=channel.id,
    )
    return OpenChannel(
        id=channel.id,
        organisation_id=channel.organisation_id,
        kind=channel.kind.value,
        key=channel.key,
        name=channel.name,
        sender=channel.sender,
        credentials=json.loads(plain),
        config=channel.config,
        stop_reply=channel.stop_reply.value,
        default_language=channel.default_language,
        status=channel.status.value,
    )


def _seal(
    keys: OrganisationKeys, credentials: Mapping[str, str], organisation_id: UUID, channel_id: UUID
) -> bytes:
    return seal(
        keys.data,
        json.dumps(dict(credentials)).encode(),
        table="channels",
        column="credentials",
        organisation_id=organisation_id,
        row_id=channel_id,
    )


def _budget(channel: Channel, rate: float | None, now: datetime) -> ChannelBudget:
    usual = BUDGETS[channel.kind]
    burst = usual.burst if rate is None else max(rate, 1.0)
    return ChannelBudget(
        organisation_id=channel.organisation_id,
        channel_id=channel.id,
        rate=usual.rate if rate is None else rate,
        burst=burst,
        overdraft=usual.overdraft,
        tokens=burst,
        refilled_at=now,
        unconsented_limit=usual.unconsented_a_day,
    )
