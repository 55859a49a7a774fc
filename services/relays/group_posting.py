"""Group polls on their way: what the worker posts and stops, and what came of it.

claim     what is to be posted; never a second time
posted    Telegram took it; `failed` takes the wish back and tells the leader
due_end   polls whose ask takes no answers any more; `ended` closes them
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.filling import filled
from models.ask import AskStatus
from models.relay import GroupPoll, GroupPollStatus
from models.sealed import Keyring, OrganisationKeys, keyed_hash, open_sealed
from models.walls import organisation_of
from services.asks import asks
from services.catalogue import Asked, Catalogue
from services.people import reaching
from services.relays import leaders, relays
from services.relays.group_polls import count, place_of, postable

LONGEST_QUESTION: Final = 300
LONGEST_OPTION: Final = 100
SHORTEST, LONGEST = timedelta(seconds=5), timedelta(seconds=2_628_000)
"""Telegram's limits of the words, and of how long a poll may stay open by itself."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One poll to post: where, what, for how long (None: until it is stopped), and its code."""

    id: UUID
    channel_id: UUID
    chat: str
    question: str
    options: tuple[str, ...]
    language: str
    lasts: timedelta | None
    code: str


@dataclass(frozen=True, slots=True)
class Ending:
    """One poll to stop."""

    id: UUID
    channel_id: UUID
    chat: str
    message: str


def claim(
    db: Session, keys: OrganisationKeys, catalogue: Catalogue, *, now: datetime
) -> Sequence[Posting]:
    """Return the polls to post now; whoever claims them posts them or says `failed`."""
    found = []
    for poll in _under_way(db, GroupPollStatus.WANTED):
        relay = relays.get(db, poll.relay_id)
        ask = catalogue.asks.get(relay.ask_id)
        if ask is None or postable(catalogue, ask, now) is None:
            db.delete(poll)
            continue
        poll.status = GroupPollStatus.POSTING
        found.append(_posting(keys, catalogue, poll, ask, relay.code, now))
    db.flush()
    return found


def _posting(
    keys: OrganisationKeys,
    catalogue: Catalogue,
    poll: GroupPoll,
    ask: Asked,
    code: str,
    now: datetime,
) -> Posting:
    question, published = postable(catalogue, ask, now), catalogue.version(ask.version_id)
    assert question is not None
    assert published is not None
    language = published.flow.language_for(poll.language)
    names = tuple(catalogue.names(ask.office_id).items())
    text = filled(question.in_language(question.text, language), language, names)
    return Posting(
        id=poll.id,
        channel_id=poll.channel_id,
        chat=_open(keys, poll),
        question=_cut(text, LONGEST_QUESTION),
        options=tuple(
            _cut(question.label(value, language), LONGEST_OPTION) for value in question.values()
        ),
        language=language,
        lasts=_lasts(ask, now),
        code=code,
    )


def posted(db: Session, keys: OrganisationKeys, poll_id: UUID, told: str, message: str) -> None:
    """Keep by what Telegram will tell of a poll (its id, hashed) and by what it is stopped."""
    poll = db.get_one(GroupPoll, (organisation_of(db), poll_id))
    poll.status, poll.message = GroupPollStatus.OPEN, message
    poll.poll_hash = keyed_hash(keys.index, "group poll", told)
    db.flush()


def failed(db: Session, keyring: Keyring, poll_id: UUID, *, now: datetime) -> None:
    """Take a wish back that could not be granted, and tell the leader what to do."""
    poll = db.get_one(GroupPoll, (organisation_of(db), poll_id))
    relay = relays.get(db, poll.relay_id)
    db.delete(poll)
    db.flush()
    to = leaders.find_address(db, relay.leader_id) if relay.leader_id else None
    if to is not None:
        reaching.tell(db, keyring, to, "relay_group_failed", {}, now=now)


def due_end(db: Session, keys: OrganisationKeys, *, now: datetime) -> Sequence[Ending]:
    """Return the polls whose ask takes no answers any more."""
    found = []
    for poll in _under_way(db, GroupPollStatus.OPEN):
        ask = asks.get(db, relays.get(db, poll.relay_id).ask_id)
        over = ask.closes_at is not None and ask.closes_at <= now
        if (over or ask.status is not AskStatus.OPEN) and poll.message:
            found.append(Ending(poll.id, poll.channel_id, _open(keys, poll), poll.message))
    return found


def ended(db: Session, poll_id: UUID, counts: Sequence[int] | None, *, now: datetime) -> None:
    """Close a poll with its last counts; without any, with those known."""
    poll = db.get_one(GroupPoll, (organisation_of(db), poll_id), with_for_update=True)
    if poll.status is GroupPollStatus.OPEN:
        count(db, poll, counts or (), closed=True, now=now)


def _under_way(db: Session, status: GroupPollStatus) -> Sequence[GroupPoll]:
    wanted = select(GroupPoll).where(
        GroupPoll.organisation_id == organisation_of(db), GroupPoll.status == status
    )
    return db.scalars(wanted.order_by(GroupPoll.created_at).with_for_update(skip_locked=True)).all()


def _lasts(ask: Asked, now: datetime) -> timedelta | None:
    left = ask.closes_at - now if ask.closes_at else None
    return left if left is not None and SHORTEST <= left <= LONGEST else None


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rsplit(' ', 1)[0]}\u2026"


def _open(keys: OrganisationKeys, poll: GroupPoll) -> str:
    assert poll.chat is not None
    return open_sealed(keys.data, poll.chat, **place_of(poll.organisation_id, poll.id)).decode()
