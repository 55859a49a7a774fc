"""Messages that could not be handled: kept sealed, tried again with growing pauses, never lost.

``keep`` also writes the receipt, so the provider's repeats end there. A retry takes the message in
under a second receipt derived from the first, so that a crash in its middle cannot double it.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

import logs
from models.base import new_id
from models.db import transaction
from models.receipt import Quarantined, Receipt
from models.sealed import CannotOpen, open_sealed, seal
from models.walls import system_scope
from services import retention
from services.organisations import OrganisationKeyring

PAUSES = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 720))
MOST = 100


@dataclass(frozen=True, slots=True)
class Kept:
    """One message that waits for another try; ``payload`` is what the edge gave, opened."""

    id: UUID
    organisation_id: UUID
    channel_id: UUID
    payload: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Failed:
    """One message that failed; ``again`` is False for what nobody can ever read."""

    organisation_id: UUID
    channel_id: UUID
    receipt_key: bytes
    address_hash: bytes | None
    payload: bytes = field(repr=False)
    error_code: str
    again: bool


def keep(engine: Engine, keys: OrganisationKeyring, failed: Failed, *, now: datetime) -> None:
    """Keep a message that failed, with its receipt; the same delivery is kept once."""
    organisation_id = failed.organisation_id
    row_id = new_id(now)
    sealed = seal(
        keys.open(organisation_id).data,
        failed.payload,
        table="quarantine",
        column="sealed",
        organisation_id=organisation_id,
        row_id=row_id,
    )
    with transaction(engine, organisation_id) as db:
        if not _is_fresh(db, failed, now):
            return
        db.add(
            Quarantined(
                organisation_id=organisation_id,
                id=row_id,
                channel_id=failed.channel_id,
                receipt_key=failed.receipt_key,
                address_hash=failed.address_hash,
                sealed=sealed,
                error_code=failed.error_code,
                attempts=0,
                next_try_at=now + PAUSES[0] if failed.again else None,
                created_at=now,
                expires_at=retention.expires_at("quarantine", now),
            )
        )


def _is_fresh(db: Session, failed: Failed, now: datetime) -> bool:
    """Write the receipt; False when this delivery has one."""
    row = db.execute(
        insert(Receipt)
        .values(
            organisation_id=failed.organisation_id,
            channel_id=failed.channel_id,
            key=failed.receipt_key,
            received_at=now,
            expires_at=retention.expires_at("receipts", now),
        )
        .on_conflict_do_nothing()
        .returning(Receipt.key)
    ).first()
    return row is not None


def second_receipt(receipt_key: bytes) -> bytes:
    """The receipt under which a retry takes the message in."""
    return hashlib.sha256(b"retry|" + receipt_key).digest()


def retry(
    engine: Engine, keys: OrganisationKeyring, take: Callable[[Kept], bool], *, now: datetime
) -> int:
    """Try again what waits; ``take`` says whether it worked. The number of messages tried."""
    with system_scope(engine) as db:
        found = db.execute(
            select(Quarantined.organisation_id, Quarantined.id)
            .where(Quarantined.next_try_at <= now)
            .order_by(Quarantined.next_try_at)
            .limit(MOST)
        ).all()
    for organisation_id, row_id in found:
        try:
            _retry(engine, keys, take, organisation_id, row_id, now)
        except CannotOpen as error:  # a key is missing: it must not hold up all that follow
            logs.event("quarantine.unopened", level="error", error=type(error).__name__)
            with transaction(engine, organisation_id) as db:
                _count(db, row_id, now)
    return len(found)


def _retry(
    engine: Engine,
    keys: OrganisationKeyring,
    take: Callable[[Kept], bool],
    organisation_id: UUID,
    row_id: UUID,
    now: datetime,
) -> None:
    with transaction(engine, organisation_id) as db:
        row = db.scalars(select(Quarantined).where(Quarantined.id == row_id)).one_or_none()
    if row is None or row.next_try_at is None:
        return
    payload = open_sealed(
        keys.open(organisation_id).data,
        row.sealed,
        table="quarantine",
        column="sealed",
        organisation_id=organisation_id,
        row_id=row_id,
    )
    done = take(Kept(row_id, organisation_id, row.channel_id, payload, row.attempts))
    with transaction(engine, organisation_id) as db:
        if done:
            db.execute(delete(Quarantined).where(Quarantined.id == row_id))
        else:
            _count(db, row_id, now)


def _count(db: Session, row_id: UUID, now: datetime) -> None:
    """Count a try that failed; after the last one the message waits for an officer."""
    row = db.scalars(select(Quarantined).where(Quarantined.id == row_id)).one_or_none()
    if row is not None:
        row.attempts += 1
        last = row.attempts >= len(PAUSES)
        row.next_try_at = None if last else now + PAUSES[row.attempts]
