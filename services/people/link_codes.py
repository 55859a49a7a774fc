"""The codes that join two addresses: kept as keyed hashes, found by them, and guarded.

Neither a look at the database nor the time a search takes tells digits: what is compared is an HMAC
under the organisation's key. Five wrong codes of one contact in an hour, or a hundred of all in a
quarter, and none is looked at; five wrong ones where one was sent for, and that one is gone.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from models.base import new_id
from models.link_code import LinkCode, LinkTry
from models.sealed import OrganisationKeys, keyed_hash
from models.walls import organisation_of
from services import retention

TRIES, TRIES_IN = 5, timedelta(hours=1)
TRIES_OF_ALL, OF_ALL_IN = 100, timedelta(minutes=15)
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Given:
    """A code for ``owner``; with ``claimant`` only that contact can use it."""

    owner: UUID
    claimant: UUID | None
    value: str = field(repr=False)
    expires_at: datetime


def keep(db: Session, keys: OrganisationKeys, given: Given, *, now: datetime) -> None:
    """Keep a code's hash; one that was given out before for the same purpose ends."""
    db.execute(delete(LinkCode).where(*_purpose(given.owner, given.claimant)))
    db.add(
        LinkCode(
            organisation_id=organisation_of(db),
            id=new_id(now),
            contact_id=given.owner,
            claimant_id=given.claimant,
            code_hash=_hash(keys, given.value, given.claimant),
            created_at=now,
            expires_at=given.expires_at,
        )
    )
    db.flush()


def is_out(db: Session, owner: UUID, claimant: UUID, *, now: datetime) -> bool:
    """Whether a code for this purpose is still good."""
    wanted = select(LinkCode.id).where(*_purpose(owner, claimant), LinkCode.expires_at > now)
    return db.scalar(wanted) is not None


def find(db: Session, keys: OrganisationKeys, value: str, contact_id: UUID) -> LinkCode | None:
    """The code with this value that this contact may use, read anew; maybe an expired one."""
    hashes = (_hash(keys, value, None), _hash(keys, value, contact_id))
    wanted = select(LinkCode).where(
        LinkCode.organisation_id == organisation_of(db), LinkCode.code_hash.in_(hashes)
    )
    return db.scalars(wanted.execution_options(populate_existing=True)).first()


def new_digits(db: Session, keys: OrganisationKeys, claimant: UUID | None) -> str:
    """Six digits that are no code for the same use now."""
    while True:
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        taken = select(LinkCode.id).where(LinkCode.code_hash == _hash(keys, code, claimant))
        if db.scalar(taken) is None:
            return code


def end_all(db: Session, owner: UUID) -> None:
    """End every code given out for a contact: one use is all there is."""
    db.execute(delete(LinkCode).where(LinkCode.contact_id == owner))


def too_often(db: Session, contact_id: UUID, *, now: datetime) -> bool:
    """Whether this contact, or all together, have sent too many wrong ones lately."""
    count = select(func.count()).select_from(LinkTry)
    mine = count.where(LinkTry.contact_id == contact_id, LinkTry.tried_at > now - TRIES_IN)
    everybodys = count.where(LinkTry.tried_at > now - OF_ALL_IN)
    return (db.scalar(mine) or 0) >= TRIES or (db.scalar(everybodys) or 0) >= TRIES_OF_ALL


def count_wrong(db: Session, contact_id: UUID, *, now: datetime) -> None:
    """Count a wrong code of a contact, also against those that were sent on its behalf."""
    db.add(
        LinkTry(
            organisation_id=organisation_of(db),
            id=new_id(now),
            contact_id=contact_id,
            tried_at=now,
            expires_at=retention.expires_at("link_tries", now),
        )
    )
    sent = LinkCode.claimant_id == contact_id
    db.execute(update(LinkCode).where(sent).values(tries=LinkCode.tries + 1))
    db.execute(delete(LinkCode).where(sent, LinkCode.tries >= TRIES))


def _purpose(owner: UUID, claimant: UUID | None) -> tuple[ColumnElement[bool], ...]:
    for_whom = LinkCode.claimant_id.is_(None) if claimant is None else None
    return (
        LinkCode.contact_id == owner,
        for_whom if for_whom is not None else LinkCode.claimant_id == claimant,
    )


def _hash(keys: OrganisationKeys, value: str, claimant: UUID | None) -> bytes:
    return keyed_hash(keys.index, "link", f"{claimant}:{value}" if claimant else value)
