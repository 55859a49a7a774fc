"""From a sending's condition to its recipients: chunk after chunk, each in its own transaction.

One statement writes a chunk: who gets it on which channel and when, who is left out and why, and
by chance who is named as sender. The first chunks are small, so that the first message leaves at
once.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    Subquery,
    Text,
    Uuid,
    case,
    cast,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session, aliased

from flows.conditions import Names, parse
from models.ask import Ask, Asker, AskMode
from models.base import Instant
from models.broadcast import Broadcast, BroadcastKind, BroadcastStatus, Recipient, RecipientStatus
from models.db import read_in_ranges
from models.profile import Profile
from services import retention
from services.audiences.chunks import Chunk, find_chunk
from services.audiences.eligibility import LeftOut, Sending, eligible
from services.broadcasts.hours import send_times

FIRST, MOST, GROWTH = 100, 10_000, 10
"""People of the first chunk, of the largest, and how much larger each is than the one before."""


def expand(db: Session, broadcast: Broadcast, most: int, *, now: datetime) -> bool:
    """Write the recipients of the next `most` people; False when everybody stands.

    `broadcast` is locked by the caller, and opening. Nobody is written twice.
    """
    chunk = find_chunk(db, broadcast.expanded_to, most)
    if chunk is None:
        broadcast.status = BroadcastStatus.SENDING
        return False
    found = eligible(db, sending_of(db, broadcast), now=now, chunk=chunk)
    times = _times(db, broadcast, chunk, now)
    people = found.subquery("people")
    read_in_ranges(db)
    db.execute(_write(db, broadcast, people, times, now))
    broadcast.expanded_to = chunk.upto
    return True


def next_chunk(chunk: int) -> int:
    """Return how many people the chunk after one of this size has."""
    return min(chunk * GROWTH, MOST)


def sending_of(db: Session, broadcast: Broadcast) -> Sending:
    """Return what is sent to whom, as the dry run asks for it too."""
    ask = db.get_one(Ask, (broadcast.organisation_id, broadcast.ask_id))
    return Sending(
        kind=broadcast.kind,
        ask_kind=ask.kind,
        condition=parse(broadcast.condition, Names(frozenset()), "condition"),
        ask_id=ask.id,
        to_invited=ask.mode is AskMode.SECRET,
    )


def _times(db: Session, broadcast: Broadcast, chunk: Chunk, now: datetime) -> Mapping[str, str]:
    """Return the permitted moment for each place where somebody of this chunk lives."""
    wanted = select(Profile.time_zone, Profile.country).where(
        Profile.organisation_id == broadcast.organisation_id, *chunk.holds(Profile.contact_id)
    )
    places = [(zone, country) for zone, country in db.execute(wanted.distinct())]
    found = send_times(places, max(broadcast.starts_at, now), broadcast.send_hour)
    return {
        f"{zone or ''} {country or ''}": at.isoformat() for (zone, country), at in found.items()
    }


def _write(
    db: Session, broadcast: Broadcast, people: Subquery, times: Mapping[str, str], now: datetime
) -> Insert:
    gets = people.c.reason.is_(None)
    # The moments are looked up in a value: a join with them would be as good as its estimates.
    place = func.concat(people.c.time_zone, " ", people.c.country)
    send_at = cast(literal(times, JSONB())[place].astext, Instant())
    row: dict[str, ColumnElement[Any]] = {
        "organisation_id": literal(broadcast.organisation_id, Uuid()),
        "ask_id": literal(broadcast.ask_id, Uuid()),
        "kind": literal(broadcast.kind.value, Text()),
        "contact_id": people.c.contact_id,
        "broadcast_id": literal(broadcast.id, Uuid()),
        "address_id": case((gets, people.c.address_id)),
        "channel_id": case((gets, people.c.channel_id)),
        "channel_kind": case((gets, cast(people.c.channel_kind, Text))),
        "asker_id": case((gets, _asker(db, broadcast, gets, people.c.contact_id))),
        "status": case((gets, RecipientStatus.WAITING.value), else_=RecipientStatus.LEFT_OUT.value),
        "reason": people.c.reason,
        "send_at": case((gets, send_at)),
        "expires_at": literal(retention.expires_at("recipients", now), Instant()),
    }
    asked_before = people.c.reason.is_not_distinct_from(LeftOut.ALREADY_ASKED.value)
    rows = select(*row.values()).select_from(people).where(~asked_before)
    return _or_instead(insert(Recipient).from_select(list(row), rows, include_defaults=False))


def _or_instead(statement: Any) -> Insert:
    """Who was left out of an earlier sending of this ask may get this one: a row a person."""
    names = ("broadcast_id", "address_id", "channel_id", "channel_kind", "asker_id")
    changed = {name: statement.excluded[name] for name in (*names, "status", "reason", "send_at")}
    done: Insert = statement.on_conflict_do_update(
        index_elements=["organisation_id", "ask_id", "kind", "contact_id"],
        set_=changed,
        where=Recipient.status == RecipientStatus.LEFT_OUT,
    )
    return done


def _invited_by(broadcast: Broadcast, contact_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """Whoever asked somebody also reminds them."""
    invited = aliased(Recipient)
    return (
        select(invited.asker_id)
        .where(
            invited.organisation_id == broadcast.organisation_id,
            invited.ask_id == broadcast.ask_id,
            invited.kind == BroadcastKind.INVITATION,
            invited.contact_id == contact_id,
        )
        .scalar_subquery()
    )


def _asker(
    db: Session,
    broadcast: Broadcast,
    gets: ColumnElement[bool],
    contact_id: ColumnElement[Any],
) -> ColumnElement[Any]:
    """Draw the askers by chance; a chunk is a block, in which each is named equally often."""
    askers = db.scalars(
        select(Asker.id)
        .where(Asker.organisation_id == broadcast.organisation_id, Asker.ask_id == broadcast.ask_id)
        .order_by(Asker.position)
    ).all()
    if not askers or broadcast.kind.tells:
        return cast(null(), Uuid())
    if broadcast.kind is BroadcastKind.REMINDER:
        return _invited_by(broadcast, contact_id)
    drawn = func.row_number().over(partition_by=gets, order_by=func.random())
    turns = {(drawn - 1) % len(askers) == turn: asker for turn, asker in enumerate(askers)}
    return case(*((holds, literal(asker, Uuid())) for holds, asker in turns.items()))
