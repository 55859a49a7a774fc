"""The message path's SQL: what is known of the senders of a batch, and all that the batch changed.

Two statements, each a transaction of its own, on a connection in autocommit mode: ``take_many``
reads, ``apply_many`` writes. The functions live in migration 0002, those of delivery in 0003.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import zip_longest
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson
import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

Record = Mapping[str, Any]

STALE = "HL001"
REPEATED = "HL002"
# Connection lost, resources gone, shutting down or starting, a broken disk, a standby.
AWAY = ("08", "53", "57", "58", "25006")


class ConversationMoved(Exception):
    """A conversation of the batch moved, or a new person came twice: read again and repeat."""


class AlreadyTaken(Exception):
    """A delivery of the batch was taken in before; it has had its effect."""


def is_away(error: BaseException) -> bool:
    """Whether the database could not be worked with; the same may succeed in a moment."""
    if isinstance(error, PoolTimeout):
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state is None:
        return isinstance(error, OperationalError | InterfaceError)
    return str(state).startswith(AWAY)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database knows of one sender as the message arrives; a stranger has no ids.

    `heard_at` is when somebody was last heard from this very address. `shares_number`: a stranger
    whose number another contact has. `alias_of` is whose the second address of the message is;
    `other_alias`: nobody's, while the sender is known by another one. `answer`: the status
    of our latest message to somebody who says what they said lately.
    """

    repeated: bool
    contact_id: UUID | None
    address_id: UUID | None
    address_status: str | None
    wrapped_key: bytes | None
    language: str | None
    contact_status: str | None
    stopped_at: datetime | None
    office_id: UUID | None
    origin: Mapping[str, Any] | None
    seq: int | None
    state: Mapping[str, Any] | None
    session_id: UUID | None
    tags: int | None
    window_started_at: datetime | None
    window_replies: int | None
    last_in_at: datetime | None
    consents: list[str] | None
    time_zone: str | None
    catalogue_version: int
    unconsented_left: int
    case_id: UUID | None = None
    heard_at: datetime | None = None
    shares_number: bool = False
    alias_of: UUID | None = None
    other_alias: bool = False
    registered_at: datetime | None = None
    answer: str | None = None


def take_many(
    connection: Connection,
    organisation_id: UUID,
    channel_id: UUID,
    *,
    address_hashes: Sequence[bytes],
    receipt_keys: Sequence[bytes],
    today: date,
    number_hashes: Sequence[bytes | None] = (),
    alias_hashes: Sequence[bytes | None] = (),
    marks: Sequence[str | None] = (),
) -> list[Standing]:
    """What is known of each sender, in the order of ``address_hashes``; reads and locks nothing."""
    asked = zip_longest(address_hashes, receipt_keys, number_hashes, alias_hashes, marks)
    heard = [
        {
            "place": place,
            "hash": _hex(address),
            "receipt": _hex(receipt),
            "number": _hex(number),
            "alias": _hex(alias),
            "mark": mark,
        }
        for place, (address, receipt, number, alias, mark) in enumerate(asked)
    ]
    rows = _call(
        connection,
        "select * from take_many(%s, %s, %s, %s::json)",
        (organisation_id, channel_id, today, _document(heard)),
    )
    return [Standing(*row[1:]) for row in sorted(rows, key=itemgetter(0))]


def _hex(value: bytes | None) -> str | None:
    return None if value is None else f"\\x{value.hex()}"


def _call(connection: Connection, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
    """The rows of one call by the driver's own means, binary: half the cost of SQLAlchemy's.

    Raises SQLAlchemy's errors all the same.
    """
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    try:
        return driver.execute(query.encode(), values, binary=True).fetchall()
    except psycopg.Error as error:
        raise DBAPIError.instance(query, None, error, psycopg.Error) from error


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one batch changed, as flat lists of JSON-ready rows.

    ``moves`` holds one row a message; ``said`` each message and its reply; the other lists may be
    empty. Bytes are ``\\x`` hex text, instants RFC 3339. ``rare`` is one object of what there is of
    stops, returns, addresses, aliases, windows, dues, cases, echoes, links and counts.
    """

    moves: Sequence[Record]
    newcomers: Sequence[Record]
    said: Sequence[Record]
    answered: Sequence[Record]
    sessions: Sequence[Record]
    consented: Sequence[Record]
    profiled: Sequence[Record]
    rare: Record | None


def apply_many(
    connection: Connection, organisation_id: UUID, channel_id: UUID, batch: Batch
) -> None:
    """Write the whole batch in one transaction, or nothing of it.

    Raises ConversationMoved when a conversation is no longer the one that was read, AlreadyTaken
    when a delivery is a repeat, and SQLAlchemy's own errors otherwise.
    """
    lists = (
        batch.moves,
        batch.newcomers,
        batch.said,
        batch.answered,
        batch.sessions,
        batch.consented,
        batch.profiled,
        batch.rare,
    )
    try:
        _call(
            connection,
            "select apply_many(%s, %s, %s::json, %s::json, %s::json, %s::json, %s::json,"
            " %s::json, %s::json, %s::json)",
            (organisation_id, channel_id, *(_document(rows) for rows in lists)),
        )
    except DBAPIError as error:
        _raise_known(error)
        raise


def _document(rows: Sequence[Record] | Record | None) -> str | None:
    return orjson.dumps(rows).decode() if rows else None


def _raise_known(error: DBAPIError) -> None:
    state = getattr(error.orig, "sqlstate", None)
    if state == REPEATED:
        raise AlreadyTaken from error
    if state in {STALE, "23505", "40P01", "40001"}:
        raise ConversationMoved from error


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
    rows = _call(
        connection,
        "select * from delivery_turn(%s, %s::uuid[], %s::uuid[], %s::json, %s, %s, %s, %s::json)",
        (
            worker,
            _uuids({row["org"] for row in done}),
            _uuids(row["id"] for row in done),
            _document(done),
            wanted,
            lease,
            now,
            _document(limits),
        ),
    )
    return [Claimed(*row) for row in rows]


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
