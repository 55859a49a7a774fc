"""The way of messages out: claimed under a lease, what became of them, and what providers report.

The functions live in migration 0003. Calls are transactions of their own, on a connection in
autocommit mode.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection

from models.driver import Record, call, document

LEASE = timedelta(seconds=8)
"""How long a worker may take for a message before it is taken for dead."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One message taken for sending under a lease, with all that rendering it needs."""

    organisation_id: UUID
    id: UUID
    contact_id: UUID
    channel_id: UUID
    kind: str
    lane: int
    content: Mapping[str, Any]
    flow_version_id: UUID | None
    question: str | None
    language: str
    sealed: bytes | None
    edits: str | None
    session_id: UUID | None
    attempts: int
    seq: int
    scheme: str
    address_id: UUID
    sealed_address: bytes
    address_status: str
    window_until: datetime | None
    wrapped_key: bytes
    contact_status: str
    superseded: bool


def delivery_turn(
    connection: Connection,
    worker: str,
    *,
    done: Sequence[Record],
    wanted: int,
    lease: timedelta,
    now: datetime,
    rooms: Mapping[UUID, int] | None = None,
    room: int | None = None,
) -> list[Claimed]:
    """Record what became of messages, and claim up to ``wanted`` due ones, in one transaction.

    A status never moves backwards. Claimed are messages of all channels with budget left, of each
    address only the first unsent one, leased to ``worker`` by the database's clock. ``rooms`` says
    how many each channel may take at most in this turn, ``room`` how many any other.
    ``superseded`` marks a question that waited for another try, or for its turn in a sending, while
    its person wrote.
    """
    limits = {str(channel): most for channel, most in (rooms or {}).items()} | {"others": room}
    rows = call(
        connection,
        "select * from delivery_turn(%s, %s::uuid[], %s::uuid[], %s::json, %s, %s, %s, %s::json)",
        (
            worker,
            _uuids({row["org"] for row in done}),
            _uuids(row["id"] for row in done),
            document(done),
            wanted,
            lease,
            now,
            document(limits),
        ),
    )
    return [Claimed(*row) for row in rows]


def claimed_in(letter: str | bytes) -> Claimed:
    """The message of a letter that ``message_path.apply_many`` wrote for a worker."""
    told = orjson.loads(letter)
    told |= {name: UUID(told[name]) for name in _IDS if told[name]}
    told |= {name: bytes.fromhex(told[name][2:]) for name in _BYTES if told[name]}
    if told["window_until"]:
        told["window_until"] = datetime.fromisoformat(told["window_until"])
    return Claimed(**told)


_IDS = (
    "organisation_id", "id", "contact_id", "channel_id", "flow_version_id", "session_id",
    "address_id",
)  # fmt: skip
_BYTES = ("sealed", "sealed_address", "wrapped_key")


def _uuids(values: Iterable[UUID]) -> str:
    """An array as PostgreSQL reads it, at a fraction of what the driver takes to write one."""
    return f"{{{','.join(map(str, values))}}}"


def renew_leases(
    connection: Connection, worker: str, ids: Sequence[UUID], lease: timedelta
) -> None:
    """Keep the messages that are still being sent from being taken for lost."""
    connection.exec_driver_sql(
        "select renew_leases(%s, %s::uuid[], %s)", (worker, list(ids), lease)
    )


def give_back(connection: Connection, worker: str, begun: Sequence[UUID]) -> tuple[int, int]:
    """Queue again what a dead worker had claimed but not ``begun``; how many, and how many not."""
    row = connection.exec_driver_sql(
        "select given, held from give_back(%s, %s::uuid[])", (worker, list(begun))
    ).one()
    return row.given, row.held


def hand_back(
    connection: Connection, organisation_id: UUID, worker: str, ids: Sequence[UUID]
) -> None:
    """Queue replies that were written as claimed by a worker who was not there to take them."""
    call(
        connection,
        "select hand_back(%s, %s, %s::uuid[])",
        (organisation_id, worker, _uuids(ids)),
    )


def recover_messages(connection: Connection, most: int = 1000) -> dict[str, int]:
    """Decide what becomes of messages whose sender died or never heard back, counted by outcome."""
    rows = connection.exec_driver_sql("select * from recover_messages(%s)", (most,))
    return {f"{kind}.{outcome}": count for kind, outcome, count in rows}


@dataclass(frozen=True, slots=True)
class Reported:
    """Whom a provider's status concerned, and whether it moved the message on."""

    contact_id: UUID
    address_id: UUID
    kind: str
    moved: bool


def record_status(
    connection: Connection,
    organisation_id: UUID,
    channel_id: UUID,
    *,
    reference: UUID | None,
    provider_id: str,
    status: str,
    error_code: str | None,
) -> Reported | None:
    """Take in one status callback; None when it names no message of ours."""
    row = connection.exec_driver_sql(
        "select * from record_status(%s, %s, %s, %s, %s, %s)",
        (organisation_id, channel_id, reference, provider_id, status, error_code),
    ).first()
    return Reported(*row) if row else None


def record_statuses(
    connection: Connection, organisation_id: UUID, channel_id: UUID, told: Sequence[Record]
) -> set[UUID]:
    """Take in good news of many messages, one of each; the ids of those that now stand.

    Each has its ``reference``, the ``provider``'s id and what is ``reported``. The others are no
    messages of this channel, or held by somebody at this moment: ``record_status`` waits for those.
    """
    rows = call(
        connection,
        "select * from record_statuses(%s, %s, %s::json)",
        (organisation_id, channel_id, document(told)),
    )
    return {row[0] for row in rows}
