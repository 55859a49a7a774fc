"""The way of messages in: what is known of the senders of a batch, and all that the batch changed.

Two statements, each a transaction of its own, on a connection in autocommit mode: ``take_many``
reads, ``apply_many`` writes. The functions live in migration 0002; ``delivery_path.py`` is the way
out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import zip_longest
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from models.driver import Record, call, document

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
    rows = call(
        connection,
        "select * from take_many(%s, %s, %s, %s::json)",
        (organisation_id, channel_id, today, document(heard)),
    )
    return [Standing(*row[1:]) for row in sorted(rows, key=itemgetter(0))]


def _hex(value: bytes | None) -> str | None:
    return None if value is None else f"\\x{value.hex()}"


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


@dataclass(frozen=True, slots=True)
class Ahead:
    """The worker that sends replies of a batch at once, and for how long it holds them."""

    worker: str
    lease: timedelta


def apply_many(
    connection: Connection,
    organisation_id: UUID,
    channel_id: UUID,
    batch: Batch,
    ahead: Ahead | None = None,
) -> list[str]:
    """Write the whole batch in one transaction, or nothing of it.

    Replies are queued. With ``ahead`` those that nothing holds back, neither their channel's budget
    nor an earlier message to the same address, are written as claimed by that worker instead; for
    each there is a letter (``delivery_path.claimed_in``) to hand over after the commit.

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
    claim = (ahead.worker, ahead.lease) if ahead else (None, None)
    try:
        rows = call(
            connection,
            "select * from apply_many(%s, %s, %s::json, %s::json, %s::json, %s::json, %s::json,"
            " %s::json, %s::json, %s::json, %s, %s)",
            (organisation_id, channel_id, *(document(rows) for rows in lists), *claim),
        )
    except DBAPIError as error:
        _raise_known(error)
        raise
    return [letter for (letter,) in rows]


def _raise_known(error: DBAPIError) -> None:
    state = getattr(error.orig, "sqlstate", None)
    if state == REPEATED:
        raise AlreadyTaken from error
    if state in {STALE, "23505", "40P01", "40001"}:
        raise ConversationMoved from error
