"""Contacts: found by an address, listed for an officer."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.address import Address, AddressStatus
from models.contact import Contact, ContactStatus
from models.message import Direction, Message
from models.sealed import Keyring, OrganisationKeys, keyed_hash, open_sealed
from models.walls import organisation_of
from services.errors import NotFound

MOST_ON_A_PAGE = 200


def get(db: Session, contact_id: UUID) -> Contact:
    """Return a contact, or the one it was merged into; NotFound when there is none."""
    contact = db.get(Contact, (organisation_of(db), contact_id))
    while contact is not None and contact.merged_into is not None:
        contact = db.get(Contact, (organisation_of(db), contact.merged_into))
    if contact is None:
        raise NotFound("There is no such contact.")
    return contact


def find_by_address(db: Session, keys: OrganisationKeys, address: str) -> Contact | None:
    """Return who is reached at an address such as "telegram:1001"."""
    found = db.scalar(
        select(Address.contact_id).where(
            Address.organisation_id == organisation_of(db),
            Address.address_hash == keyed_hash(keys.index, "address", address),
        )
    )
    return None if found is None else get(db, found)


def list_contacts(db: Session, *, after: UUID | None = None, most: int = 50) -> Sequence[Contact]:
    """Return contacts in the order they came, those after a given one; merged ones are left out."""
    wanted = select(Contact).where(
        Contact.organisation_id == organisation_of(db), Contact.status != ContactStatus.MERGED
    )
    if after is not None:
        wanted = wanted.where(Contact.id > after)
    return db.scalars(wanted.order_by(Contact.id).limit(min(most, MOST_ON_A_PAGE))).all()


def list_addresses(db: Session, contact_id: UUID) -> Sequence[Address]:
    """Return a contact's addresses, still sealed."""
    return db.scalars(
        select(Address)
        .where(Address.organisation_id == organisation_of(db), Address.contact_id == contact_id)
        .order_by(Address.id)
    ).all()


def find_last_address(db: Session, contact_id: UUID) -> Address | None:
    """Return the address a contact last wrote from, if it can be written to."""
    last = (
        select(Message.address_id)
        .where(Message.contact_id == contact_id, Message.direction == Direction.IN)
        .order_by(Message.id.desc())
        .limit(1)
    )
    used = select(Address).where(
        Address.organisation_id == organisation_of(db), Address.contact_id == contact_id
    )
    active = used.where(Address.status == AddressStatus.ACTIVE)
    # Messages are kept for 90 days; after that any address that works will do.
    return (
        db.scalars(active.where(Address.id == last.scalar_subquery())).one_or_none()
        or db.scalars(active.order_by(Address.id.desc()).limit(1)).one_or_none()
    )


def open_address(keyring: Keyring, contact: Contact, address: Address) -> str:
    """Return the address in clear; the caller has the right and a reason, and has it recorded."""
    key = keyring.unwrap(contact.wrapped_key, contact.organisation_id, contact.id)
    plain = open_sealed(
        key,
        address.sealed,
        table="addresses",
        column="sealed",
        organisation_id=address.organisation_id,
        row_id=address.id,
    )
    return plain.decode("utf-8", "surrogatepass")
