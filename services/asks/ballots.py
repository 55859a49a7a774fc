"""Secret polls: one sealed vote a person, counted once at close, and then no key is left.

    prepare      at opening: keys on disk first, then the public one in the database
    cast         one transaction: the tag that says who voted, and apart from it the sealed vote
    settle       count, publish and delete in one transaction; then destroy the keys

Until `settle` has committed, nothing is destroyed; after it, running it again only destroys keys.
"""

import hmac
import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

import logs
from models.ask import Ask, AskMode, AskStatus
from models.ballot import Ballot, BallotBox, VoterTag
from models.ballot_keys import BallotKeys, BallotKeysMissing, PollKeys, open_vote, seal_vote
from models.db import transaction
from models.walls import organisation_of, system_scope
from services import audit
from services.asks import ask_states
from services.errors import Unavailable


class NoBallotKeys(Unavailable):
    """A secret poll needs HOMELINE_BALLOT_KEYS: a folder we can write to, outside all backups."""

    code = "no_ballot_keys"


class Cast(StrEnum):
    """What became of a vote."""

    TAKEN = "taken"
    BEFORE = "before"
    CLOSED = "closed"


class CountsDiffer(Exception):
    """There are not as many votes as voters; nothing is published until somebody has looked."""


def prepare(db: Session, keys: BallotKeys, ask: Ask) -> None:
    """Make a secret poll ready to be opened; raises NoBallotKeys.

    The keys are on disk before the caller commits: a crash leaves a file too many, never one too
    few.
    """
    try:
        made = keys.make(ask.id)
    except BallotKeysMissing as error:
        raise NoBallotKeys from error
    box = {"organisation_id": ask.organisation_id, "ask_id": ask.id, "public_key": made.public}
    db.execute(insert(BallotBox).values(**box).on_conflict_do_nothing())


def cast(db: Session, keys: BallotKeys, ask_id: UUID, contact_id: UUID, value: str) -> Cast:
    """Take one person's vote in the caller's transaction; the first one counts.

    Raises BallotKeysMissing when the poll's keys cannot be read; then nothing is written.
    """
    organisation_id = organisation_of(db)
    here = {"organisation_id": organisation_id, "ask_id": ask_id}
    box = db.scalars(
        select(BallotBox)
        .join(Ask, (Ask.organisation_id == organisation_id) & (Ask.id == ask_id))
        .where(BallotBox.organisation_id == organisation_id, BallotBox.ask_id == ask_id)
        .where(Ask.status == AskStatus.OPEN)
        .with_for_update(key_share=True, of=Ask, read=True)
    ).one_or_none()
    if box is None:
        return Cast.CLOSED
    tag = _tag(keys.read(ask_id), contact_id)
    fresh = db.execute(
        insert(VoterTag).values(**here, tag=tag).on_conflict_do_nothing().returning(VoterTag.tag)
    ).first()
    if fresh is None:
        return Cast.BEFORE
    sealed = seal_vote(box.public_key, value, ask_id)
    db.execute(insert(Ballot).values(**here, id=uuid.uuid4(), sealed=sealed))
    return Cast.TAKEN


def _tag(keys: PollKeys, contact_id: UUID) -> bytes:
    return hmac.digest(keys.tags, contact_id.bytes, "sha256")


def settle(engine: Engine, keys: BallotKeys, ask: tuple[UUID, UUID], *, now: datetime) -> None:
    """Bring a secret poll that is closing, closed or canceled to its end, from wherever it stands.

    `ask` is its organisation and id. Raises BallotKeysMissing or CountsDiffer, and then has changed
    nothing.
    """
    organisation_id, ask_id = ask
    with transaction(engine, organisation_id) as db:
        ended = _count(db, keys, ask_id, now)
    if ended and keys.destroy(ask_id):
        with transaction(engine, organisation_id) as db:
            audit.record(db, audit.SYSTEM, "ballot_keys.destroyed", ("ask", ask_id), now=now)


def _count(db: Session, keys: BallotKeys, ask_id: UUID, now: datetime) -> bool:
    """Count and delete the votes of a poll that is closing; whether its keys may go."""
    ask = db.scalars(select(Ask).where(Ask.id == ask_id).with_for_update()).one_or_none()
    if ask is None or ask.mode is not AskMode.SECRET:
        return ask is None
    if ask.status is AskStatus.CLOSING:
        ask.tally = dict(sorted(_tally(db, keys, ask_id).items()))
        ask.closed_at = now
        audit.record(db, audit.SYSTEM, "ballots.counted", ("ask", ask_id), now=now)
        ask_states.settle(db, ask, now=now)
    elif ask.status not in (AskStatus.CLOSED, AskStatus.CANCELED):
        return False
    for table in (Ballot, VoterTag, BallotBox):
        db.execute(delete(table).where(table.ask_id == ask_id))
    return True


def _tally(db: Session, keys: BallotKeys, ask_id: UUID) -> Mapping[str, int]:
    """The number of votes by value, read in the order of ids that are pure chance."""
    private = keys.read(ask_id)
    sealed = db.scalars(select(Ballot.sealed).where(Ballot.ask_id == ask_id).order_by(Ballot.id))
    counts = Counter(open_vote(private, vote, ask_id) for vote in sealed)
    voters = db.scalar(select(func.count()).where(VoterTag.ask_id == ask_id))
    if counts.total() != voters:
        raise CountsDiffer
    return counts


def settle_all(engine: Engine, keys: BallotKeys, *, now: datetime) -> None:
    """Settle every secret poll that waits for it; one that cannot be is logged and waits."""
    with system_scope(engine) as db:
        waiting = db.execute(
            select(Ask.organisation_id, Ask.id).where(
                Ask.mode == AskMode.SECRET,
                (Ask.status == AskStatus.CLOSING)
                | Ask.id.in_(keys.kept()) & Ask.status.in_((AskStatus.CLOSED, AskStatus.CANCELED)),
            )
        ).all()
    for organisation_id, ask_id in waiting:
        try:
            settle(engine, keys, (organisation_id, ask_id), now=now)
        except (BallotKeysMissing, CountsDiffer) as error:
            logs.event(
                "ballots.unsettled", level="error", ask_id=ask_id, error=type(error).__name__
            )
