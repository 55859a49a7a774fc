"""A leader's poll in their Telegram group: anonymous, and kept apart from the results.

A leader wishes it in the group (one poll a group and relay), the worker posts and stops it
(group_posting.py), and Telegram tells what it counts until the poll is closed.

A vote in a group has no consent behind it and can be repeated by whoever leaves and comes back, so
it is never added to answers. Nobody's identity in the group is read but the leader's own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flows.questions.base import Question
from models.address import Address
from models.ask import Ask, AskMode
from models.base import new_id
from models.contact import Contact
from models.relay import GroupPoll, GroupPollStatus, Leader
from models.sealed import OrganisationKeys, keyed_hash, seal
from models.walls import organisation_of
from services.asks import asks
from services.catalogue import Asked, Catalogue
from services.relays import leaders, relays

MOST_OPTIONS: Final = 12
"""Telegram's limit of a poll."""
LOST_AFTER: Final = timedelta(minutes=10)
"""A poll whose worker died as it posted: who asks again after this does not see it."""
TYPES: Final = frozenset({"choice", "yes_no"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who asks for a poll in which group; `code` is the leader's own of one, else the newest."""

    address: str
    chat: str
    channel_id: UUID
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Wished:
    """What is said in the group, and the code by which its members answer in private."""

    phrase: str
    code: str = ""


def postable(catalogue: Catalogue, ask: Asked, now: datetime) -> Question | None:
    """Return the question of an ask that a group can be asked: its first, if it fits a poll.

    A secret poll is not: its live figures would be told in the group.
    """
    published = catalogue.version(ask.version_id)
    if published is None or ask.mode is AskMode.SECRET or not ask.is_open(now):
        return None
    first = next(one for one in published.flow.questions if one.waits)
    fits = first.type in TYPES and 2 <= len(first.values()) <= MOST_OPTIONS
    return first if fits else None


def wish(
    db: Session,
    keys: OrganisationKeys,
    catalogue: Catalogue,
    wanted: Wanted,
    *,
    now: datetime,
) -> Wished | None:
    """Let a leader have their poll posted in a group; None when it is no leader who asks."""
    leader = _leader(db, keys, wanted.address, now)
    if leader is None:
        return None
    ask = _asked(db, catalogue, leader, wanted.code, now)
    if ask is None:
        return Wished("relay_none")
    relay = relays.of_leader(db, leader, ask.id, now=now)
    contact = db.get_one(Contact, (leader.organisation_id, leader.contact_id))
    poll_id = new_id(now)
    made = db.execute(
        insert(GroupPoll)
        .values(
            organisation_id=leader.organisation_id,
            id=poll_id,
            relay_id=relay.id,
            channel_id=wanted.channel_id,
            status=GroupPollStatus.WANTED,
            language=contact.language,
            chat_hash=keyed_hash(keys.index, "group", wanted.chat),
            chat=seal(keys.data, wanted.chat.encode(), **place_of(leader.organisation_id, poll_id)),
            created_at=now,
        )
        .on_conflict_do_update(
            constraint="uq_group_polls_relay_id_chat_hash",
            set_={"status": GroupPollStatus.WANTED, "created_at": now},
            where=(GroupPoll.status == GroupPollStatus.POSTING)
            & (GroupPoll.created_at < now - LOST_AFTER),
        )
        .returning(GroupPoll.id)
    ).first()
    return Wished("group_poll" if made else "group_poll_before", relay.code)


def record(
    db: Session,
    keys: OrganisationKeys,
    told: str,
    counts: Sequence[int],
    *,
    closed: bool,
    now: datetime,
) -> bool:
    """Write down what Telegram counted of a poll; False for one that is none of ours, or over."""
    wanted = select(GroupPoll).where(
        GroupPoll.organisation_id == organisation_of(db),
        GroupPoll.poll_hash == keyed_hash(keys.index, "group poll", told),
        GroupPoll.status == GroupPollStatus.OPEN,
    )
    poll = db.scalars(wanted.with_for_update()).one_or_none()
    return poll is not None and count(db, poll, counts, closed=closed, now=now)


def tallies_of(
    db: Session, relay_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[tuple[GroupPoll, Mapping[str, int]]]]:
    """Return the polls in groups by relay, with Telegram's exact counts: for the gate only."""
    rows = db.scalars(
        select(GroupPoll)
        .where(GroupPoll.organisation_id == organisation_of(db), GroupPoll.relay_id.in_(relay_ids))
        .order_by(GroupPoll.id)
    )
    found: dict[UUID, list[tuple[GroupPoll, Mapping[str, int]]]] = {}
    for poll in rows:
        counts = {option: int(count) for option, count in poll.tallies.items()}
        found.setdefault(poll.relay_id, []).append((poll, counts))
    return found


def _leader(db: Session, keys: OrganisationKeys, address: str, now: datetime) -> Leader | None:
    wanted = select(Address).where(
        Address.organisation_id == organisation_of(db),
        Address.address_hash == keyed_hash(keys.index, "address", address),
    )
    known = db.scalars(wanted).one_or_none()
    return leaders.find_active(db, known.contact_id, None, now=now) if known else None


def _asked(
    db: Session, catalogue: Catalogue, leader: Leader, code: str | None, now: datetime
) -> Asked | None:
    fitting = {one.id: one for one in catalogue.asks.values() if postable(catalogue, one, now)}
    entry = catalogue.entry(code) if code else None
    if entry is not None and entry.relay_id is not None:
        mine = relays.get(db, entry.relay_id).leader_id == leader.id
        return fitting.get(entry.ask_id) if mine and entry.ask_id else None
    return fitting[max(fitting)] if fitting else None


def count(
    db: Session, poll: GroupPoll, counts: Sequence[int], *, closed: bool, now: datetime
) -> bool:
    """Write counts down in the order of the options; after the last ones the group is forgotten."""
    relay = relays.get(db, poll.relay_id)
    ask = db.get_one(Ask, (relay.organisation_id, relay.ask_id))
    first = next(one for one in asks.flow_of(db, ask).questions if one.waits)
    if len(counts) == len(first.values()):
        poll.tallies = dict(zip(first.values(), counts, strict=True))
    if closed:
        poll.status, poll.closed_at, poll.chat = GroupPollStatus.CLOSED, now, None
    db.flush()
    return True


def place_of(organisation_id: UUID, poll_id: UUID) -> dict[str, Any]:
    """Return where the name of a group is sealed."""
    return {
        "table": "group_polls",
        "column": "chat",
        "organisation_id": organisation_id,
        "row_id": poll_id,
    }
