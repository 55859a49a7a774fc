"""API keys: shown once, kept as a hash, allowed what their scopes say."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.api_key import ApiKey
from models.base import new_id
from models.db import transaction
from models.walls import DoorKind, close_door, door_hash, find_door, open_door, organisation_of
from services import audit
from services.audit import Actor
from services.errors import Invalid, NotFound

PREFIX = "hl_"
LONGEST = timedelta(days=365)
_SECRET_BYTES = 32
_PREFIX_BYTES = 4


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `secret` is nowhere else and cannot be shown again."""

    id: UUID
    prefix: str
    secret: str


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who asks: the organisation, the key and what it may do ("*" is everything)."""

    organisation_id: UUID
    key_id: UUID
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Return whether the key carries this scope."""
        return scope in self.scopes or "*" in self.scopes


def create(
    db: Session,
    name: str,
    *,
    scopes: Collection[str],
    lasts: timedelta = LONGEST,
    actor: Actor = audit.SYSTEM,
    now: datetime,
) -> NewKey:
    """Create a key of 256 random bits; Invalid without a scope, or for longer than a year."""
    if not scopes:
        raise Invalid("A key needs a scope.", place="scopes")
    if not timedelta() < lasts <= LONGEST:
        raise Invalid("A key lasts a year at most.", place="expires_at")
    prefix = PREFIX + secrets.token_hex(_PREFIX_BYTES)
    secret = f"{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    key = ApiKey(
        organisation_id=organisation_of(db),
        id=new_id(now),
        name=name,
        prefix=prefix,
        secret_hash=door_hash(secret),
        scopes=sorted(scopes),
        created_at=now,
        expires_at=now + lasts,
    )
    db.add(key)
    db.flush()
    open_door(db, DoorKind.API_KEY, secret, key.organisation_id, key.id)
    audit.record(db, actor, "api_key.created", ("api_key", key.id), now=now)
    return NewKey(key.id, prefix, secret)


def find_holder(engine: Engine, secret: str, *, now: datetime) -> KeyHolder | None:
    """Return whose key this is, or None when it is unknown, expired or revoked.

    Looked up by its hash, so no comparison tells how much of a guess was right. Opens short
    transactions of its own: nobody knows the organisation before. The day of use is noted once.
    """
    if not secret.startswith(PREFIX):
        return None
    with Session(engine) as db:
        door = find_door(db, DoorKind.API_KEY, secret)
    if door is None:
        return None
    with transaction(engine, door.organisation_id) as db:
        key = db.get(ApiKey, (door.organisation_id, door.target_id))
        if key is None or key.revoked_at or (key.expires_at and key.expires_at <= now):
            return None
        if key.last_used_on != now.date():
            key.last_used_on = now.date()
        return KeyHolder(key.organisation_id, key.id, frozenset(key.scopes))


def revoke(db: Session, key_id: UUID, *, actor: Actor = audit.SYSTEM, now: datetime) -> None:
    """Make a key useless from now on; NotFound when there is none."""
    key = db.get(ApiKey, (organisation_of(db), key_id))
    if key is None:
        raise NotFound("There is no such key.")
    if key.revoked_at is None:
        key.revoked_at = now
        db.flush()
        close_door(db, DoorKind.API_KEY, key_id)
        audit.record(db, actor, "api_key.revoked", ("api_key", key_id), now=now)
