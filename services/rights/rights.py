"""DELETE: a person's every row goes at once, and their key with it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
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
from services.audit import Actor
from services.people import contacts


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
    organisation_id = organisation_of(db)
    person = contacts.get(db, contact_id).id
    everyone = everybody(db, person)
    hashes = db.execute(
        select(Address.address_hash, Address.number_hash).where(
            Address.organisation_id == organisation_id, Address.contact_id.in_(everyone)
        )
    ).all()
    _bury(db, [row.address_hash for row in hashes], reason, now)
    known = {h for row in hashes for h in row if h is not None}
    _delete(db, everyone, known)
    audit.record(
        db,
        actor or Actor("contact", person),
        "contact.erased",
        ("contact", person),
        detail={"addresses": len(hashes), "reason": reason},
        now=now,
    )
    db.expire_all()
    return Erased(person, len(hashes))


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
        .distinct()
    ).all()
    people = {contacts.get(db, contact_id).id for contact_id in returned}
    for person in sorted(people):
        erase(db, person, actor=audit.SYSTEM, reason="restored", now=now)
    return len(people)


def everybody(db: Session, person: UUID) -> Sequence[UUID]:
    """Return a person's contact ids: their own and all that were merged into it."""
    found = [person]
    while True:
        more = db.scalars(
            select(Contact.id).where(
                Contact.organisation_id == organisation_of(db),
                Contact.merged_into.in_(found),
                Contact.id.not_in(found),
            )
        ).all()
        if not more:
            return found
        found.extend(more)


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
            for address_hash in address_hashes
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
