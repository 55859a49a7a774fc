"""DELETE: a person's every row goes at once, and their key with it."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.address import Address
from models.audit import Tombstone
from models.contact import Contact
from models.receipt import Quarantined
from models.walls import Door, DoorKind, lifted, organisation_of
from services import audit, retention
from services.audit import Actor, Entry
from services.people import contacts

AT_ONCE = 500
"""People erased by one set of statements."""
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did: the person's id, which means nothing any more, and their addresses."""

    contact_id: UUID
    addresses: int


def erase(
    db: Session,
    contact_id: UUID,
    *,
    actor: Actor | None = None,
    reason: str = "asked",
    now: datetime,
) -> Erased:
    """Delete everything about a person, merged contacts included, in this transaction.

    What stays: one tombstone an address (a keyed hash, replayed when a backup is restored), the
    audit link with ids only, and numbers already published. Messages that wait to be sent go too.
    `actor` is the person themselves unless given. NotFound when there is no such contact.
    """
    [erased] = _erase(db, [contacts.get(db, contact_id).id], actor, reason, now)
    return erased


def erase_all(
    db: Session, contact_ids: Iterable[UUID], *, actor: Actor, reason: str, now: datetime
) -> list[Erased]:
    """Do the same to many, each person once, some hundred of them at a time."""
    erased: list[Erased] = []
    for some in in_batches(sorted(set(contact_ids))):
        people = _people(db, some)
        erased += _erase(db, people, actor, reason, now)
    return erased


def in_batches(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    """Give things in their order, some hundred at a time."""
    left = iter(things)
    while some := list(islice(left, AT_ONCE)):
        yield some


def _people(db: Session, contact_ids: Sequence[UUID]) -> list[UUID]:
    """Return who these contacts are, merged ones followed, of those that are still there."""
    known = (Contact.organisation_id == organisation_of(db), Contact.id.in_(contact_ids))
    read = db.scalars(select(Contact).where(*known)).all()
    return sorted({contacts.get(db, contact.id).id for contact in read})


def _erase(
    db: Session, people: Sequence[UUID], actor: Actor | None, reason: str, now: datetime
) -> list[Erased]:
    organisation_id = organisation_of(db)
    everyone = _members(db, people)
    addresses = db.execute(
        select(Address.contact_id, Address.address_hash, Address.number_hash).where(
            Address.organisation_id == organisation_id, Address.contact_id.in_(everyone)
        )
    ).all()
    _bury(db, [row.address_hash for row in addresses], reason, now)
    known = {h for row in addresses for h in (row.address_hash, row.number_hash) if h is not None}
    _delete(db, list(everyone), known)
    had = Counter(everyone[row.contact_id] for row in addresses)
    links = [
        Entry(
            actor or Actor("contact", person),
            "contact.erased",
            ("contact", person),
            {"addresses": had[person], "reason": reason},
        )
        for person in people
    ]
    audit.record_all(db, links, now=now)
    db.expire_all()
    return [Erased(person, had[person]) for person in people]


def _delete(db: Session, everyone: Sequence[UUID], hashes: Collection[bytes]) -> None:
    organisation_id = organisation_of(db)
    # In the system scope: consents are append-only for everybody else.
    with lifted(db):
        db.execute(
            delete(Quarantined).where(
                Quarantined.organisation_id == organisation_id,
                Quarantined.address_hash.in_(hashes),
            )
        )
        db.execute(
            delete(Contact).where(
                Contact.organisation_id == organisation_id, Contact.id.in_(everyone)
            )
        )
    db.execute(
        delete(Door).where(
            Door.organisation_id == organisation_id,
            Door.kind == DoorKind.MEMBER_LINK,
            Door.target_id.in_(everyone),
        )
    )


def replay(db: Session, *, now: datetime) -> int:
    """Erase again everybody a restored backup brought back; return how many.

    Somebody who came anew after their erasure is left alone: their address is younger than it.
    """
    organisation_id = organisation_of(db)
    returned = db.scalars(
        select(Address.contact_id)
        .join(
            Tombstone,
            (Tombstone.organisation_id == Address.organisation_id)
            & (Tombstone.address_hash == Address.address_hash),
        )
        .where(
            Address.organisation_id == organisation_id, Address.created_at <= Tombstone.erased_at
        )
    ).all()
    return len(erase_all(db, returned, actor=audit.SYSTEM, reason="restored", now=now))


def everybody(db: Session, person: UUID) -> Sequence[UUID]:
    """Return a person's contact ids: their own and all that were merged into it."""
    return list(_members(db, [person]))


def _members(db: Session, people: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return each contact id of these people, their own first, with whose it is."""
    found = {person: person for person in people}
    newest = list(people)
    while newest:
        more = db.execute(
            select(Contact.id, Contact.merged_into).where(
                Contact.organisation_id == organisation_of(db),
                Contact.merged_into.in_(newest),
                Contact.id.not_in(found),
            )
        ).all()
        found |= {row.id: found[row.merged_into] for row in more}
        newest = [row.id for row in more]
    return found


def _bury(db: Session, address_hashes: Sequence[bytes], reason: str, now: datetime) -> None:
    if not address_hashes:
        return
    stone = insert(Tombstone).values(
        [
            {
                "organisation_id": organisation_of(db),
                "address_hash": address_hash,
                "reason": reason,
                "erased_at": now,
                "expires_at": retention.expires_at("tombstones", now),
            }
            for address_hash in dict.fromkeys(address_hashes)
        ]
    )
    db.execute(
        stone.on_conflict_do_update(
            index_elements=[Tombstone.organisation_id, Tombstone.address_hash],
            set_={
                "reason": stone.excluded.reason,
                "erased_at": stone.excluded.erased_at,
                "expires_at": stone.excluded.expires_at,
            },
        )
    )
