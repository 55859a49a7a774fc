"""Voice notes as answers: fetched after the conversation went on, sealed, and heard by officers.

The message path leaves a row of `due` for each, with the provider's name of the recording sealed
inside. `claim` gives them out, `keep` replaces one by a row of `recordings`, and where nothing can
be kept the person is told so, and how to answer in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session, undefer

from models.base import new_id
from models.contact import Contact, Conversation
from models.db import transaction
from models.due import Due
from models.message import MessageKind
from models.recording import Recording
from models.sealed import Keyring, open_sealed, seal
from models.walls import organisation_of, system_scope
from services import retention
from services.audit import Actor, record
from services.errors import NotFound
from services.messages import outgoing
from services.people import contacts

KIND: Final = "recording"
MOST: Final = 20
LEASE = timedelta(minutes=2)
PAUSES = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 720))
TYPES: Final = frozenset({"audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "audio/amr"})
"""Formats a player may be told; anything else is called bytes."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One voice note to be fetched; whoever claimed it has two minutes."""

    organisation_id: UUID
    due_id: UUID
    channel_id: UUID
    attempts: int
    file: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """One recording opened; `data` in the provider's format."""

    content_type: str
    data: bytes = field(repr=False)


def claim(engine: Engine, keyring: Keyring, *, now: datetime) -> list[Waiting]:
    """Give out what is due to be fetched; nobody else gets it while the lease lasts."""
    with system_scope(engine) as db:
        dues = db.scalars(
            select(Due)
            .where(Due.kind == KIND, Due.due_at <= now)
            .order_by(Due.due_at)
            .limit(MOST)
            .with_for_update(key_share=True, skip_locked=True)
        ).all()
        claimed = [_waiting(db, keyring, due) for due in dues]
        for due in dues:
            due.due_at, due.attempts = now + LEASE, due.attempts + 1
    return claimed


def _waiting(db: Session, keyring: Keyring, due: Due) -> Waiting:
    """Open the name under the key it was sealed with; a merger may have moved the row since."""
    by = db.get_one(Contact, (due.organisation_id, UUID(due.payload["by"])))
    sealed = bytes.fromhex(due.payload["file"].removeprefix("\\x"))
    plain = open_sealed(_key(keyring, by), sealed, **_place("due", due))
    channel_id = UUID(due.payload["channel"])
    return Waiting(due.organisation_id, due.id, channel_id, due.attempts, plain.decode())


def keep(
    engine: Engine,
    keyring: Keyring,
    waiting: Waiting,
    content_type: str,
    data: bytes,
    *,
    now: datetime,
) -> bool:
    """Seal a recording in place of what was due; False when the person is gone meanwhile."""
    with transaction(engine, waiting.organisation_id) as db:
        due = _lock(db, waiting)
        if due is None or due.session_id is None:
            return False
        said_at = datetime.fromisoformat(due.payload["at"])
        recording = Recording(
            organisation_id=due.organisation_id,
            id=new_id(now),
            contact_id=due.contact_id,
            session_id=due.session_id,
            question=due.payload["question"],
            channel_kind=due.payload["channel_kind"],
            content_type=content_type if content_type in TYPES else "application/octet-stream",
            size=len(data),
            said_at=said_at,
            expires_at=retention.expires_at("recordings", said_at),
        )
        key = _key(keyring, contacts.get(db, due.contact_id))
        recording.sealed = seal(key, data, **_place("recordings", recording))
        db.add(recording)
        db.execute(delete(Due).where(Due.id == due.id))
    return True


def _key(keyring: Keyring, contact: Contact) -> bytes:
    return keyring.unwrap(contact.wrapped_key, contact.organisation_id, contact.id)


def _place(table: str, row: Due | Recording) -> dict[str, Any]:
    """Where a sealed value of this row belongs."""
    place: dict[str, Any] = {"table": table, "column": "sealed"}
    return place | {"organisation_id": row.organisation_id, "row_id": row.id}


def put_off(engine: Engine, waiting: Waiting, *, now: datetime) -> None:
    """Try again later; after the last pause it is given up."""
    if waiting.attempts >= len(PAUSES):
        give_up(engine, waiting, "voice_lost", now=now)
        return
    with transaction(engine, waiting.organisation_id) as db:
        later = now + PAUSES[waiting.attempts]
        db.execute(update(Due).where(Due.id == waiting.due_id).values(due_at=later))


def give_up(engine: Engine, waiting: Waiting, phrase: str, *, now: datetime) -> None:
    """Say to the person that their voice note was not kept, and why, by one of our phrases."""
    with transaction(engine, waiting.organisation_id) as db:
        due = _lock(db, waiting)
        if due is None:
            return
        contact = contacts.get(db, due.contact_id)
        talk = db.scalars(
            select(Conversation)
            .where(Conversation.contact_id == contact.id)
            .with_for_update(key_share=True)
        ).one()
        talk.seq += 1
        address = contacts.find_last_address(db, contact.id)
        if address is not None:
            content = {"parts": [{"say": phrase, "params": {}}]}
            kind = MessageKind.NOTICE
            outgoing.queue(db, contact, address, content, seq=talk.seq, now=now, kind=kind)
        db.execute(delete(Due).where(Due.id == due.id))


def _lock(db: Session, waiting: Waiting) -> Due | None:
    return db.scalars(
        select(Due).where(Due.id == waiting.due_id).with_for_update(key_share=True)
    ).one_or_none()


# --- for officers ---


def list_recordings(
    db: Session, *, contact_id: UUID | None = None, after: UUID | None = None, most: int = 50
) -> Sequence[Recording]:
    """Return recordings, all or one person's, in the order they were kept; nothing is opened."""
    query = select(Recording).where(Recording.organisation_id == organisation_of(db))
    if contact_id is not None:
        query = query.where(Recording.contact_id == contact_id)
    if after is not None:
        query = query.where(Recording.id > after)
    return db.scalars(query.order_by(Recording.id).limit(most)).all()


def hear(
    db: Session, keyring: Keyring, recording_id: UUID, *, actor: Actor, reason: str, now: datetime
) -> Heard:
    """Return a recording opened; the person sees in MYDATA that this happened, and why.

    NotFound when there is none, or its 30 days are over.
    """
    found = db.get(Recording, (organisation_of(db), recording_id), options=[undefer("*")])
    if found is None:
        raise NotFound("There is no such voice note; they are kept for 30 days.")
    contact = contacts.get(db, found.contact_id)
    plain = open_sealed(_key(keyring, contact), found.sealed, **_place("recordings", found))
    detail = {"recording": str(found.id), "reason": reason}
    record(db, actor, "recording.heard", ("contact", contact.id), detail=detail, now=now)
    return Heard(found.content_type, plain)
