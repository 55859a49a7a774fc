"""Communities, and the people who may pass asks on to them: invited, active, revoked."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from flows.phones import read_phone
from models.address import Address, AddressStatus
from models.base import new_id
from models.contact import Contact, ContactStatus
from models.relay import Community, Leader, LeaderStatus, Relay
from models.sealed import OrganisationKeys, keyed_hash
from models.walls import organisation_of
from services import audit, organisations, retention
from services.audit import Actor
from services.codes import DIGITS, LETTERS
from services.errors import Conflict, Invalid, NotFound

INVITED_FOR = timedelta(days=30)
CODE_LENGTH = 8
MOST_ON_A_PAGE = 200
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation and its one-use code, which is told here and never again."""

    leader: Leader
    code: str


def create_community(db: Session, name: str, *, actor: Actor, now: datetime) -> Community:
    """Add a group the organisation knows; Conflict when one is called so already."""
    name, organisation_id = name.strip(), organisation_of(db)
    if not name:
        raise Invalid("A community needs a name.", place="name")
    called = (Community.organisation_id == organisation_id, Community.name == name)
    if db.scalar(select(Community.id).where(*called)):
        raise Conflict("There is a community of this name already.")
    made = Community(organisation_id=organisation_id, id=new_id(now), name=name, created_at=now)
    db.add(made)
    db.flush()
    audit.record(db, actor, "community.created", ("community", made.id), now=now)
    return made


def list_communities(
    db: Session, *, after: UUID | None = None, most: int = 50
) -> Sequence[Community]:
    """Return communities in the order they were made."""
    wanted = select(Community).where(Community.organisation_id == organisation_of(db))
    if after is not None:
        wanted = wanted.where(Community.id > after)
    return db.scalars(wanted.order_by(Community.id).limit(min(most, MOST_ON_A_PAGE))).all()


def invite(
    db: Session,
    keys: OrganisationKeys,
    number: str | None = None,
    *,
    community_id: UUID | None = None,
    actor: Actor,
    now: datetime,
) -> Invited:
    """Invite somebody to pass asks on: by their number, or by the code alone.

    Whoever writes RELAY from that number, or sends RELAY and the code, is active. Only a keyed
    hash of the number is kept. Invalid for what is no number, Conflict for one invited already.
    """
    organisation_id = organisation_of(db)
    if community_id and db.get(Community, (organisation_id, community_id)) is None:
        raise Invalid("There is no such community.", place="community_id")
    hashed = _number_hash(keys, number) if number else None
    if hashed and _invited_by(db, hashed, now):
        raise Conflict("This number is invited already.")
    code = "".join(secrets.choice(LETTERS + DIGITS) for _ in range(CODE_LENGTH))
    leader = Leader(
        organisation_id=organisation_id,
        id=new_id(now),
        community_id=community_id,
        number_hash=hashed,
        code_hash=_code_hash(keys, code),
        status=LeaderStatus.INVITED,
        invited_at=now,
        expires_at=now + INVITED_FOR,
    )
    db.add(leader)
    db.flush()
    audit.record(db, actor, "leader.invited", ("leader", leader.id), now=now)
    return Invited(leader, code)


def get(db: Session, leader_id: UUID) -> Leader:
    """Return a leader; NotFound when there is none."""
    leader = db.get(Leader, (organisation_of(db), leader_id))
    if leader is None:
        raise NotFound("There is no such leader.")
    return leader


def list_leaders(db: Session, *, after: UUID | None = None, most: int = 50) -> Sequence[Leader]:
    """Return leaders in the order they were invited."""
    wanted = select(Leader).where(Leader.organisation_id == organisation_of(db))
    if after is not None:
        wanted = wanted.where(Leader.id > after)
    return db.scalars(wanted.order_by(Leader.id).limit(min(most, MOST_ON_A_PAGE))).all()


def revoke(db: Session, leader_id: UUID, *, actor: Actor, now: datetime) -> Leader:
    """Take the right back: their codes open nothing any more, what came by them stays counted."""
    leader = get(db, leader_id)
    if leader.status is LeaderStatus.REVOKED:
        raise Conflict("This leader was revoked before.")
    leader.status = LeaderStatus.REVOKED
    db.execute(
        update(Relay)
        .where(
            Relay.organisation_id == leader.organisation_id,
            Relay.leader_id == leader.id,
            Relay.closed_at.is_(None),
        )
        .values(closed_at=now)
    )
    db.flush()
    organisations.renew_catalogue(db)
    audit.record(db, actor, "leader.revoked", ("leader", leader.id), now=now)
    return leader


def find_active(
    db: Session, contact_id: UUID, number_hash: bytes | None, *, now: datetime
) -> Leader | None:
    """Return the leader a contact is, or becomes by the number they write from; None: neither."""
    mine = (Leader.organisation_id == organisation_of(db), Leader.contact_id == contact_id)
    active = select(Leader).where(*mine, Leader.status == LeaderStatus.ACTIVE)
    leader = db.scalars(active.order_by(Leader.id).limit(1)).one_or_none()
    if leader is None and number_hash is not None:
        leader = _invited_by(db, number_hash, now)
        if leader is not None:
            _accept(db, leader, contact_id, now)
    return leader


def find_address(db: Session, leader_id: UUID) -> Address | None:
    """Return where an active leader wrote from last, if they may be written to there."""
    wanted = (
        select(Address)
        .join(Contact, Contact.id == Address.contact_id)
        .join(Leader, Leader.contact_id == Contact.id)
        .where(
            Leader.organisation_id == organisation_of(db),
            Leader.id == leader_id,
            Leader.status == LeaderStatus.ACTIVE,
            Contact.status == ContactStatus.ACTIVE,
            Address.status == AddressStatus.ACTIVE,
        )
        .order_by(Address.last_in_at.desc().nulls_last(), Address.id)
    )
    return db.scalars(wanted.limit(1)).one_or_none()


def accept(
    db: Session, keys: OrganisationKeys, code: str, contact_id: UUID, *, now: datetime
) -> Leader | None:
    """Make whoever sends an invitation's code its leader; None for a code that is none, or used."""
    wanted = _open(db, now).where(Leader.code_hash == _code_hash(keys, code))
    leader = db.scalars(wanted.with_for_update()).one_or_none()
    if leader is not None:
        _accept(db, leader, contact_id, now)
    return leader


def _accept(db: Session, leader: Leader, contact_id: UUID, now: datetime) -> None:
    """Activate; from now on the grant is kept as long as its contact, who is known by id alone."""
    leader.contact_id, leader.number_hash = contact_id, None
    leader.status, leader.accepted_at = LeaderStatus.ACTIVE, now
    leader.expires_at = retention.expires_at("leaders", now)
    db.flush()
    actor = Actor("contact", contact_id)
    audit.record(db, actor, "leader.accepted", ("leader", leader.id), now=now)


def _invited_by(db: Session, number_hash: bytes, now: datetime) -> Leader | None:
    wanted = _open(db, now).where(Leader.number_hash == number_hash).order_by(Leader.id).limit(1)
    return db.scalars(wanted.with_for_update()).one_or_none()


def _open(db: Session, now: datetime) -> Select[Leader]:
    return select(Leader).where(
        Leader.organisation_id == organisation_of(db),
        Leader.status == LeaderStatus.INVITED,
        or_(Leader.expires_at.is_(None), Leader.expires_at > now),
    )


def _number_hash(keys: OrganisationKeys, number: str) -> bytes:
    found = read_phone(number)
    if found is None:
        raise Invalid("Give a telephone number with its country: +27 82 123 4567.", place="number")
    return keyed_hash(keys.index, "number", found)


def _code_hash(keys: OrganisationKeys, code: str) -> bytes:
    return keyed_hash(keys.index, "leader", code.strip().lower())
