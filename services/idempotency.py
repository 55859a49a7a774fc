"""One effect for a request sent twice: the first answer is kept and given again.

The answer is written in the transaction of its effect, so there is never one without the other,
whenever a process dies. Who repeats a request while the first still runs is told so. Answers are
sealed with the organisation's key: they may hold what is shown only once.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.api_key import IdempotencyKey
from models.sealed import OrganisationKeys, open_sealed, seal
from models.walls import organisation_of
from services import retention
from services.errors import Conflict, Invalid

_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended('idempotency ' || :name, 0))")


class StillRunning(Conflict):
    """The first request with this Idempotency-Key is still running."""

    code = "still_running"


class OtherRequest(Invalid):
    """This Idempotency-Key was used for another request."""

    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may come again: the API key, the name it gave, and a digest of all it says."""

    key_id: UUID
    name: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """The first answer."""

    status: int
    body: bytes


def begin(db: Session, keys: OrganisationKeys, asked: Asked, *, now: datetime) -> Answered | None:
    """Return the answer given before, or None: go on, and `remember` in the same transaction.

    StillRunning when another transaction is at it, OtherRequest when the name was used for
    something else within the last day.
    """
    organisation_id = organisation_of(db)
    name = f"{organisation_id} {asked.key_id} {asked.name}"
    if not db.scalar(_LOCK, {"name": name}):
        raise StillRunning
    row = db.get(IdempotencyKey, (organisation_id, asked.key_id, asked.name))
    if row is None:
        return None
    if row.expires_at <= now or row.status is None or row.body is None:
        db.delete(row)
        db.flush()
        return None
    if row.digest != asked.digest:
        raise OtherRequest
    sealed = base64.b64decode(row.body["sealed"])
    plain = open_sealed(
        keys.data,
        sealed,
        table="idempotency_keys",
        column="body",
        organisation_id=organisation_id,
        row_id=f"{asked.key_id}:{asked.name}",
    )
    return Answered(row.status, plain)


def remember(
    db: Session, keys: OrganisationKeys, asked: Asked, answered: Answered, *, now: datetime
) -> None:
    """Keep an answer for a day."""
    organisation_id = organisation_of(db)
    sealed = seal(
        keys.data,
        answered.body,
        table="idempotency_keys",
        column="body",
        organisation_id=organisation_id,
        row_id=f"{asked.key_id}:{asked.name}",
    )
    db.add(
        IdempotencyKey(
            organisation_id=organisation_id,
            key_id=asked.key_id,
            key=asked.name,
            digest=asked.digest,
            status=answered.status,
            body={"sealed": base64.b64encode(sealed).decode()},
            expires_at=retention.expires_at("idempotency_keys", now),
        )
    )
    db.flush()
