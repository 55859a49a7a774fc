"""Relays: personal codes for one ask, whose answers carry them; how many came is told in bands."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.ask import Ask, Asker, AskerKind, AskStatus
from models.base import new_id
from models.relay import Flag, FlagKind, Leader, LeaderStatus, Relay
from models.walls import DoorKind, open_door, organisation_of
from services import audit, organisations
from services.audit import Actor
from services.codes import free_code
from services.errors import Conflict, Invalid, NotFound

MOST_ON_A_PAGE = 200
MOST_QUOTA = 1_000_000


@dataclass(frozen=True, slots=True)
class NewRelay:
    """A code to be made: of a leader, or without one of the organisation's own (a poster).

    `parent_id` is the relay whose helper gets this one; `quota` how many answers are hoped for:
    those after it are marked.
    """

    ask_id: UUID
    leader_id: UUID | None = None
    parent_id: UUID | None = None
    asker_id: UUID | None = None
    quota: int | None = None


def create(db: Session, new: NewRelay, *, actor: Actor = audit.SYSTEM, now: datetime) -> Relay:
    """Make a code through which an ask is entered; Invalid or Conflict says what does not fit."""
    _check(db, new)
    organisation_id, relay_id, code = organisation_of(db), new_id(now), free_code(db)
    relay = Relay(
        organisation_id=organisation_id,
        id=relay_id,
        ask_id=new.ask_id,
        leader_id=new.leader_id,
        parent_id=new.parent_id,
        asker_id=new.asker_id or _asker_of_leaders(db, new),
        code=code,
        quota=new.quota,
        created_at=now,
    )
    db.add(relay)
    db.flush()
    open_door(db, DoorKind.RELAY, code, organisation_id, relay_id)
    organisations.renew_catalogue(db)
    audit.record(db, actor, "relay.created", ("relay", relay_id), now=now)
    return relay


def of_leader(db: Session, leader: Leader, ask_id: UUID, *, now: datetime) -> Relay:
    """Return a leader's own code for an ask; it is made when it is first asked for."""
    found = _own(db, leader.id, ask_id)
    if found is not None:
        return found
    return create(db, NewRelay(ask_id, leader.id), actor=_as_contact(leader), now=now)


def _own(db: Session, leader_id: UUID, ask_id: UUID) -> Relay | None:
    """The code a leader passes an ask on by, which the bot gives them; not those of helpers."""
    mine = (
        Relay.organisation_id == organisation_of(db),
        Relay.leader_id == leader_id,
        Relay.ask_id == ask_id,
        Relay.parent_id.is_(None),
        Relay.closed_at.is_(None),
    )
    return db.scalars(select(Relay).where(*mine).order_by(Relay.id).limit(1)).one_or_none()


def for_helper(db: Session, leader: Leader, ask_id: UUID, *, now: datetime) -> Relay:
    """Return a new code below a leader's own, for somebody who helps them."""
    parent = of_leader(db, leader, ask_id, now=now)
    new = NewRelay(ask_id, leader.id, parent.id, parent.asker_id)
    return create(db, new, actor=_as_contact(leader), now=now)


def get(db: Session, relay_id: UUID) -> Relay:
    """Return a relay; NotFound when there is none."""
    relay = db.get(Relay, (organisation_of(db), relay_id))
    if relay is None:
        raise NotFound("There is no such relay.")
    return relay


def list_relays(
    db: Session, *, ask_id: UUID | None = None, after: UUID | None = None, most: int = 50
) -> Sequence[Relay]:
    """Return relays in the order they were made, of one ask or of all."""
    wanted = select(Relay).where(Relay.organisation_id == organisation_of(db))
    if ask_id is not None:
        wanted = wanted.where(Relay.ask_id == ask_id)
    if after is not None:
        wanted = wanted.where(Relay.id > after)
    return db.scalars(wanted.order_by(Relay.id).limit(min(most, MOST_ON_A_PAGE))).all()


def close(db: Session, relay_id: UUID, *, actor: Actor, now: datetime) -> Relay:
    """Let a code open nothing any more; what came through it stays counted."""
    relay = get(db, relay_id)
    if relay.closed_at is not None:
        raise Conflict("This relay is closed already.")
    relay.closed_at = now
    db.flush()
    organisations.renew_catalogue(db)
    audit.record(db, actor, "relay.closed", ("relay", relay.id), now=now)
    return relay


def count_flags(db: Session, relay_ids: Collection[UUID]) -> Mapping[UUID, Mapping[FlagKind, int]]:
    """Count the marked passages of each relay by why they are marked; exact, for the gate only."""
    rows = db.execute(
        select(Flag.relay_id, Flag.kind, func.count())
        .where(Flag.organisation_id == organisation_of(db), Flag.relay_id.in_(relay_ids))
        .group_by(Flag.relay_id, Flag.kind)
    ).all()
    found: dict[UUID, dict[FlagKind, int]] = {}
    for relay_id, kind, count in rows:
        found.setdefault(relay_id, {})[kind] = count
    return found


def _check(db: Session, new: NewRelay) -> None:
    organisation_id = organisation_of(db)
    ask = db.get(Ask, (organisation_id, new.ask_id))
    if ask is None:
        raise Invalid("There is no such poll.", place="poll_id")
    if ask.status not in (AskStatus.DRAFT, AskStatus.OPEN):
        raise Conflict("This poll is over: nobody can come by a new code.")
    for place, holds in _REFUSALS.items():
        if (told := holds(db, organisation_id, new)) is not None:
            raise Invalid(told, place=place)
    if new.leader_id and not new.parent_id and _own(db, new.leader_id, new.ask_id):
        told = "This leader has a code for this poll already. Close that one to make another."
        raise Conflict(told)


def _leader_fault(db: Session, organisation_id: UUID, new: NewRelay) -> str | None:
    leader = db.get(Leader, (organisation_id, new.leader_id)) if new.leader_id else None
    fits = new.leader_id is None or (leader and leader.status is not LeaderStatus.REVOKED)
    return None if fits else "There is no such leader, or they were revoked."


def _parent_fault(db: Session, organisation_id: UUID, new: NewRelay) -> str | None:
    parent = db.get(Relay, (organisation_id, new.parent_id)) if new.parent_id else None
    fits = new.parent_id is None or (
        parent and parent.ask_id == new.ask_id and parent.parent_id is None
    )
    return None if fits else "The relay above must be of the same poll, and be below none itself."


def _asker_fault(db: Session, organisation_id: UUID, new: NewRelay) -> str | None:
    asker = db.get(Asker, (organisation_id, new.asker_id)) if new.asker_id else None
    fits = new.asker_id is None or (asker and asker.ask_id == new.ask_id)
    return None if fits else "There is no such asker in this poll."


_REFUSALS: Mapping[str, Callable[[Session, UUID, NewRelay], str | None]] = {
    "leader_id": _leader_fault,
    "parent_id": _parent_fault,
    "asker_id": _asker_fault,
}


def _asker_of_leaders(db: Session, new: NewRelay) -> UUID | None:
    """Return the asker "leader" of the ask, if it names one: who relays is who asks."""
    if new.leader_id is None:
        return None
    mine = (Asker.organisation_id == organisation_of(db), Asker.ask_id == new.ask_id)
    wanted = select(Asker.id).where(*mine, Asker.kind == AskerKind.LEADER)
    return db.scalar(wanted.order_by(Asker.position).limit(1))


def _as_contact(leader: Leader) -> Actor:
    return Actor("contact", leader.contact_id)
