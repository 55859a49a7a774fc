"""What was said, in and out, in words, for whoever may read rows about people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.channel import Channel
from models.message import Direction, Message
from models.sealed import Keyring, open_sealed
from models.walls import organisation_of
from services.catalogue import Catalogue
from services.messages.rendering import body_for, read_told, render, withheld
from services.people.registrations import person_keys


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message; `text` is what stood on the screen, None where nothing did."""

    id: UUID
    contact_id: UUID
    channel: str
    direction: str
    status: str
    kind: str | None
    text: str | None = field(repr=False)
    language: str
    provider_id: str | None
    error_code: str | None
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages; None is any."""

    direction: str | None = None
    status: str | None = None
    channel: str | None = None
    contact_id: UUID | None = None


def list_messages(
    db: Session,
    keyring: Keyring,
    catalogue: Catalogue,
    wanted: Wanted,
    *,
    after: UUID | None,
    most: int,
) -> list[Spoken]:
    """Return messages in the order they were made, those after a given one."""
    organisation_id = organisation_of(db)
    query = (
        select(Message, Channel.kind)
        .join(
            Channel,
            (Channel.organisation_id == Message.organisation_id)
            & (Channel.id == Message.channel_id),
        )
        .where(Message.organisation_id == organisation_id)
    )
    for column, value in (
        (Message.direction, wanted.direction),
        (Message.status, wanted.status),
        (Channel.kind, wanted.channel),
        (Message.contact_id, wanted.contact_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        query = query.where(Message.id > after)
    rows = db.execute(query.order_by(Message.id).limit(most)).all()
    sealed = {message.contact_id for message, _ in rows if message.sealed is not None}
    keys = person_keys(db, keyring, sealed)
    return [_spoken(message, kind.value, keys, catalogue) for message, kind in rows]


def _spoken(
    message: Message, channel_kind: str, keys: Mapping[UUID, bytes], catalogue: Catalogue
) -> Spoken:
    return Spoken(
        id=message.id,
        contact_id=message.contact_id,
        channel=channel_kind,
        direction=message.direction.value,
        status=message.status.value,
        kind=message.kind.value if message.kind else None,
        text=_text(message, channel_kind, keys, catalogue),
        language=message.language,
        provider_id=message.provider_id,
        error_code=message.error_code,
        created_at=message.created_at,
        sent_at=message.sent_at,
    )


def _text(
    message: Message, channel_kind: str, keys: Mapping[UUID, bytes], catalogue: Catalogue
) -> str | None:
    told: Mapping[str, str] = {}
    if message.sealed is not None:
        plain = open_sealed(
            keys[message.contact_id],
            message.sealed,
            table="messages",
            column="sealed",
            organisation_id=message.organisation_id,
            row_id=message.id,
        )
        if message.direction is Direction.IN:
            return plain.decode("utf-8", "replace")
        told = withheld(read_told(plain))
    content = message.content
    if not isinstance(content, dict) or "parts" not in content:
        return None
    version = message.flow_version_id
    published = catalogue.version(version) if version else None
    prompt = render(
        content,
        flow=published.flow if published else None,
        language=message.language,
        names=catalogue.names(content.get("office")),
        told=told,
    )
    return body_for(channel_kind, prompt)
