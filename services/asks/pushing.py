"""An ask with its sendings: pushed when it opens, held when it ends, told when it is due."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, exists, select
from sqlalchemy.orm import Session

import logs
from models.ask import Ask, AskStatus
from models.ballot_keys import BallotKeys
from models.broadcast import Broadcast, BroadcastKind, BroadcastStatus
from models.db import transaction
from models.walls import system_scope
from services import audit
from services.asks import asks, closing
from services.audiences import audience_checks, audiences
from services.audit import Actor
from services.broadcasts import broadcasts
from services.broadcasts.broadcasts import EVERYBODY, NewBroadcast
from services.errors import AppError, Conflict

TELL_WITHIN = timedelta(days=1)
"""A word that was given longer ago is not sent by itself any more."""
MOST = 100

Sending = Callable[..., Broadcast]


def open_and_push(
    db: Session,
    ask_id: UUID,
    *,
    new: NewBroadcast | None = None,
    ballot_keys: BallotKeys,
    allow_missing_languages: bool = False,
    may_be_small: bool = False,
    actor: Actor = audit.SYSTEM,
    now: datetime,
) -> Ask:
    """Open an ask, and begin to send it if it has an audience.

    TooFew when that is fewer than ten people and `may_be_small` does not allow it.
    """
    ask = asks.open_ask(
        db,
        ask_id,
        actor=actor,
        ballot_keys=ballot_keys,
        allow_missing_languages=allow_missing_languages,
        now=now,
    )
    if ask.audience is not None:
        wanted = audience_checks.stored(ask.audience)
        audiences.check_size(db, wanted, may_be_small=may_be_small, actor=actor, now=now)
        invitation = BroadcastKind.INVITATION
        broadcasts.begin(db, ask, invitation, new or NewBroadcast(), actor=actor, now=now)
    return ask


def close(
    db: Session,
    ask_id: UUID,
    *,
    report_back: Mapping[str, str] | None = None,
    later_by: date | None = None,
    allow_missing_languages: bool = False,
    actor: Actor = audit.SYSTEM,
    now: datetime,
) -> Ask:
    """Close an ask and send nothing of it any more; see `closing.close`."""
    ask = closing.close(
        db,
        ask_id,
        report_back=report_back,
        later_by=later_by,
        allow_missing_languages=allow_missing_languages,
        actor=actor,
        now=now,
    )
    broadcasts.end_all(db, ask, actor=actor, now=now)
    return ask


def cancel(db: Session, ask_id: UUID, *, actor: Actor = audit.SYSTEM, now: datetime) -> Ask:
    """Cancel an ask and send nothing of it any more; see `asks.cancel`."""
    ask = asks.cancel(db, ask_id, actor=actor, now=now)
    broadcasts.end_all(db, ask, actor=actor, now=now)
    return ask


def pause(db: Session, ask_id: UUID, *, actor: Actor, now: datetime) -> Ask:
    """Hold what is being sent of an ask; it still takes answers."""
    running = {BroadcastStatus.OPENING, BroadcastStatus.SENDING}
    return _each(db, ask_id, running, broadcasts.pause, actor=actor, now=now)


def resume(db: Session, ask_id: UUID, *, actor: Actor, now: datetime) -> Ask:
    """Go on with what was paused."""
    return _each(db, ask_id, {BroadcastStatus.PAUSED}, broadcasts.resume, actor=actor, now=now)


def _each(
    db: Session,
    ask_id: UUID,
    statuses: set[BroadcastStatus],
    verb: Sending,
    *,
    actor: Actor,
    now: datetime,
) -> Ask:
    ask = asks.get(db, ask_id)
    meant = [one for one in broadcasts.of_ask(db, ask_id) if one.status in statuses]
    if not meant:
        raise Conflict("Nothing is being sent that this could be done to.")
    for one in meant:
        verb(db, one.id, actor=actor, now=now)
    return ask


def remind(db: Session, ask_id: UUID, *, actor: Actor, now: datetime) -> Ask:
    """Remind those who were asked and have said nothing, once."""
    ask = asks.get(db, ask_id, for_change=True)
    new = NewBroadcast(condition=EVERYBODY, undo=timedelta(0))
    broadcasts.begin(db, ask, BroadcastKind.REMINDER, new, actor=actor, now=now)
    return ask


def follow(engine: Engine, ballot_keys: BallotKeys, *, now: datetime) -> int:
    """Do what time asks for: open, close, and tell what came of it; return how many asks moved.

    An ask that closes by itself promises its word for its own date. One that cannot open stays a
    draft without an hour, which says why (`not_opened`), as the audit chain does.
    """
    with system_scope(engine) as db:
        found = [
            (row.organisation_id, row.id, verb)
            for verb, condition in _due(now).items()
            for row in db.execute(select(Ask.organisation_id, Ask.id).where(condition).limit(MOST))
        ]
    for organisation_id, ask_id, verb in found:
        try:
            with transaction(engine, organisation_id) as db:
                _DO[verb](db, ask_id, ballot_keys, now)
        except AppError as error:
            logs.event("ask.not_moved", level="error", ask_id=ask_id, error=type(error).__name__)
            if verb == "open":
                _give_up(engine, organisation_id, ask_id, error.code, now)
    return len(found)


def _due(now: datetime) -> Mapping[str, ColumnElement[bool]]:
    of_ask = (Broadcast.organisation_id == Ask.organisation_id, Broadcast.ask_id == Ask.id)
    sent = {
        kind: exists().where(*of_ask, Broadcast.kind == kind)
        for kind in (BroadcastKind.RESULT, BroadcastKind.REPORT_BACK)
    }
    promised = (Ask.reported_at.is_(None)) & (Ask.closed_at > now - TELL_WITHIN)
    closed, reported = Ask.status == AskStatus.CLOSED, Ask.reported_at > now - TELL_WITHIN
    return {
        "open": (Ask.status == AskStatus.DRAFT) & (Ask.opens_at <= now),
        "close": (Ask.status == AskStatus.OPEN) & (Ask.closes_at <= now),
        "promise": closed & promised & ~sent[BroadcastKind.RESULT],
        "tell": closed & reported & ~sent[BroadcastKind.REPORT_BACK],
    }


def _open(db: Session, ask_id: UUID, ballot_keys: BallotKeys, now: datetime) -> None:
    new = NewBroadcast(undo=timedelta(0))
    open_and_push(db, ask_id, new=new, ballot_keys=ballot_keys, now=now)


def _close(db: Session, ask_id: UUID, ballot_keys: BallotKeys, now: datetime) -> None:
    promised = max(asks.get(db, ask_id).report_back_on, now.date())
    close(db, ask_id, later_by=promised, now=now)


def _promise(db: Session, ask_id: UUID, ballot_keys: BallotKeys, now: datetime) -> None:
    """Tell the result at once, and by when people hear what is done with it."""
    ask = asks.get(db, ask_id, for_change=True)
    new = NewBroadcast(condition=EVERYBODY, undo=timedelta(0))
    broadcasts.begin(db, ask, BroadcastKind.RESULT, new, now=now)


def _tell(db: Session, ask_id: UUID, ballot_keys: BallotKeys, now: datetime) -> None:
    """Tell what is done; who has not heard the result yet hears both together."""
    ask = asks.get(db, ask_id, for_change=True)
    for one in broadcasts.of_ask(db, ask_id):
        if one.kind is BroadcastKind.RESULT and one.status in broadcasts.RUNNING:
            broadcasts.cancel(db, one.id, actor=audit.SYSTEM, now=now)
    new = NewBroadcast(condition=EVERYBODY, undo=timedelta(0))
    broadcasts.begin(db, ask, BroadcastKind.REPORT_BACK, new, now=now)


_DO = {"open": _open, "close": _close, "promise": _promise, "tell": _tell}


def _give_up(
    engine: Engine, organisation_id: UUID, ask_id: UUID, reason: str, now: datetime
) -> None:
    with transaction(engine, organisation_id) as db:
        ask = asks.get(db, ask_id, for_change=True)
        ask.opens_at, ask.not_opened = None, reason
        told = {"reason": reason}
        audit.record(db, audit.SYSTEM, "ask.not_opened", ("ask", ask_id), detail=told, now=now)
