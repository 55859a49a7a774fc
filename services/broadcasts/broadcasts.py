"""Sendings of an ask: begun, paused, gone on with, canceled.

opening    recipients are written (expanding.py); the first ones are sent meanwhile
sending    everybody stands; messages are queued at each one's hour (feeding.py)
finished   nothing is left to send
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Interval, literal, select, update
from sqlalchemy.orm import Session

from models.ask import Ask, AskMode, AskStatus
from models.base import new_id
from models.broadcast import Broadcast, BroadcastKind, BroadcastStatus
from models.message import Message
from models.walls import organisation_of
from services import audit
from services.audit import Actor
from services.broadcasts.withdrawing import unsent, withdraw
from services.errors import Conflict, Invalid, NotFound

UNDO = timedelta(minutes=10)
EVERYBODY: Mapping[str, Any] = {"all": []}
RUNNING = (BroadcastStatus.OPENING, BroadcastStatus.SENDING, BroadcastStatus.PAUSED)
HELD = timedelta(days=3650)
"""How far ahead the messages of a paused sending are put, so that no worker takes them."""


@dataclass(frozen=True, slots=True)
class NewBroadcast:
    """How to send: to whom (None: the ask's audience), from which hour, and after how long.

    `undo` is the time in which nothing leaves yet; `send_hour` the hour of each member's own day
    from 8 to 19, None for any of them.
    """

    condition: Mapping[str, Any] | None = None
    audience: tuple[UUID, int] | None = None
    send_hour: int | None = None
    undo: timedelta = UNDO


def begin(
    db: Session,
    ask: Ask,
    kind: BroadcastKind,
    new: NewBroadcast,
    *,
    actor: Actor = audit.SYSTEM,
    now: datetime,
) -> Broadcast:
    """Begin a sending and return it; who gets it is worked out by a worker from this moment on.

    Conflict when the ask is not in a state for it, or is being sent already.
    """
    _check(db, ask, kind)
    if new.send_hour is not None and not 8 <= new.send_hour <= 19:
        told = "Choose an hour from 8 to 19: nobody is written to at night."
        raise Invalid(told, place="send_hour")
    condition = new.condition if new.condition is not None else ask.audience
    sending = Broadcast(
        organisation_id=ask.organisation_id,
        id=new_id(now),
        ask_id=ask.id,
        kind=kind,
        status=BroadcastStatus.OPENING,
        condition=dict(condition if condition is not None else EVERYBODY),
        audience_id=new.audience[0] if new.audience else None,
        audience_version=new.audience[1] if new.audience else None,
        send_hour=new.send_hour,
        created_at=now,
        starts_at=now + new.undo,
    )
    db.add(sending)
    db.flush()
    _note(db, sending, "broadcast.begun", actor, now)
    return sending


def _check(db: Session, ask: Ask, kind: BroadcastKind) -> None:
    wanted = AskStatus.CLOSED if kind.tells else AskStatus.OPEN
    if ask.status is not wanted:
        raise Conflict(
            "Close it first: then people can be told what came of it."
            if wanted is AskStatus.CLOSED
            else "It is not open, so nobody can be asked."
        )
    if kind is BroadcastKind.REMINDER and ask.mode is AskMode.SECRET:
        told = "Nobody knows who is silent in a secret poll, so nobody can be reminded."
        raise Conflict(told)
    earlier = [one for one in of_ask(db, ask.id) if one.kind is kind]
    if any(one.status in RUNNING for one in earlier):
        raise Conflict("This is being sent already: wait for its end, or cancel it.")
    once = kind is not BroadcastKind.INVITATION
    if once and any(one.status is BroadcastStatus.FINISHED for one in earlier):
        raise Conflict("It was sent once: nobody is reminded or told twice.")


def of_ask(db: Session, ask_id: UUID) -> list[Broadcast]:
    """Return the sendings of an ask, oldest first."""
    wanted = select(Broadcast).where(
        Broadcast.organisation_id == organisation_of(db), Broadcast.ask_id == ask_id
    )
    return list(db.scalars(wanted.order_by(Broadcast.id)))


def get(db: Session, broadcast_id: UUID, *, for_change: bool = False) -> Broadcast:
    """Return a sending, locked if it is to change; NotFound when there is none."""
    wanted = select(Broadcast).where(
        Broadcast.organisation_id == organisation_of(db), Broadcast.id == broadcast_id
    )
    if for_change:
        wanted = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = db.scalars(wanted).one_or_none()
    if found is None:
        raise NotFound("There is no such sending.")
    return found


def pause(db: Session, broadcast_id: UUID, *, actor: Actor, now: datetime) -> Broadcast:
    """Hold a sending where it is: what no worker has taken yet waits too."""
    sending = get(db, broadcast_id, for_change=True)
    if sending.status not in (BroadcastStatus.OPENING, BroadcastStatus.SENDING):
        raise Conflict("It is not being sent, so there is nothing to hold.")
    sending.paused_from, sending.status = sending.status.value, BroadcastStatus.PAUSED
    _shift(db, sending, HELD)
    _note(db, sending, "broadcast.paused", actor, now)
    return sending


def resume(db: Session, broadcast_id: UUID, *, actor: Actor, now: datetime) -> Broadcast:
    """Go on with a sending that was paused; hours that are over by now are chosen anew."""
    sending = get(db, broadcast_id, for_change=True)
    if sending.status is not BroadcastStatus.PAUSED or sending.paused_from is None:
        raise Conflict("It was not paused.")
    sending.status, sending.paused_from = BroadcastStatus(sending.paused_from), None
    _shift(db, sending, -HELD)
    _note(db, sending, "broadcast.resumed", actor, now)
    return sending


def _shift(db: Session, sending: Broadcast, by: timedelta) -> None:
    """Move the messages that wait in the outbox out of the workers' sight, or back."""
    db.execute(
        update(Message)
        .where(*unsent(sending))
        .values(due_at=Message.due_at + literal(by, Interval()))
        .execution_options(synchronize_session=False)
    )


def cancel(db: Session, broadcast_id: UUID, *, actor: Actor, now: datetime) -> Broadcast:
    """End a sending: nothing of it leaves any more. Before `starts_at` this undoes it wholly."""
    sending = get(db, broadcast_id, for_change=True)
    if sending.status not in RUNNING:
        raise Conflict("It has ended already.")
    sending.status, sending.finished_at = BroadcastStatus.CANCELED, now
    withdraw(db, sending)
    _note(db, sending, "broadcast.canceled", actor, now)
    return sending


def end_all(db: Session, ask: Ask, *, actor: Actor, now: datetime) -> None:
    """Cancel whatever still asks or reminds: the ask takes no more answers."""
    for one in of_ask(db, ask.id):
        if not one.kind.tells and one.status in RUNNING:
            cancel(db, one.id, actor=actor, now=now)


def _note(db: Session, sending: Broadcast, action: str, actor: Actor, now: datetime) -> None:
    audit.record(
        db,
        actor,
        action,
        ("broadcast", sending.id),
        detail={"kind": sending.kind.value},
        now=now,
    )
