"""Contacts: people, and erasing them."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from api.fields import (
    CHANNELS,
    COUNTRY,
    LANGUAGE,
    NAME,
    Instant,
    Strict,
    described,
    one_of,
    word,
)
from api.paging import Page, PageQuery, page_of
from api.resource import Resource
from api.scopes import PEOPLE_ADDRESSES
from api.work import Work, find_reason, get_reason
from models.address import Address
from services.people import contacts, profiles
from services.people.profiles import Wanted
from services.rights import rights

resource = Resource("contacts", "People, under an id; their addresses are masked.")
MASK = "•••"


class ContactQuery(PageQuery):
    """Which contacts."""

    status = one_of(["active", "stopped"], "Whether they may be written to.")
    language = word(LANGUAGE, "BCP 47.")
    channel = one_of(CHANNELS, "The channel they wrote on last.")
    country = word(COUNTRY, "Where they live, ISO 3166-1 alpha-2.")
    office_id = described(fields.UUID(), "Served by this office.")
    consent = word(NAME, "Who allow this purpose.")
    seen_after = described(Instant(), "Who wrote after this moment.")


class ContactRow(Strict):
    """One person."""

    id = fields.UUID(required=True)
    status = fields.String(required=True)
    language = fields.String(required=True)
    channel = fields.String(required=True, allow_none=True)
    office_id = fields.UUID(required=True, allow_none=True)
    profile = fields.Dict(
        keys=fields.String(),
        values=fields.Raw(),
        required=True,
        metadata={"description": "What they told: country, place, age_band and so on."},
    )
    consents = fields.List(
        fields.String(), required=True, metadata={"description": "Purposes they allow now."}
    )
    created_at = Instant(required=True)
    registered_at = Instant(required=True, allow_none=True)
    last_seen_at = Instant(required=True)
    stopped_at = Instant(required=True, allow_none=True)


class AddressRow(Strict):
    """Where a person is reached."""

    scheme = fields.String(required=True)
    address = fields.String(
        required=True,
        metadata={"description": "Masked, unless the key may see it and a reason is given."},
    )
    status = fields.String(required=True)
    last_in_at = Instant(required=True, allow_none=True)


class ContactDetail(ContactRow):
    """One person with their addresses."""

    addresses = fields.List(fields.Nested(AddressRow), required=True)


ContactPage = page_of(ContactRow)


@resource.operation("GET", "/contacts", query=ContactQuery, gives=ContactPage)
def list_contacts(work: Work, query: dict[str, Any]) -> Page:
    """List contacts in the order they came."""
    limit, after = query.pop("limit"), work.cursors.read(query.pop("cursor"))
    rows = profiles.list_people(
        work.db, Wanted(**query), after=UUID(after) if after else None, most=limit + 1
    )
    work.note_rows("contact", [row.id for row in rows[:limit]])
    return work.cursors.page(rows, limit, lambda row: row.id)


@resource.operation("GET", "/contacts/<uuid:contact_id>", gives=ContactDetail)
def get_contact(work: Work, contact_id: UUID) -> dict[str, Any]:
    """Read one contact; the view is recorded and shown to the person.

    Addresses come in clear for a key with `people:addresses` that gives a reason.
    """
    person = profiles.get_person(work.db, contact_id)
    clear = work.holder.may(PEOPLE_ADDRESSES) and find_reason() is not None
    addresses = contacts.list_addresses(work.db, person.id)
    work.note_view("contact.viewed", person.id, addresses=clear)
    shown = [_address(work, address, clear=clear) for address in addresses]
    return asdict(person) | {"addresses": shown}


@resource.operation("DELETE", "/contacts/<uuid:contact_id>", status=204)
def erase_contact(work: Work, contact_id: UUID) -> Response:
    """Erase a person: every row goes, their key is destroyed, one tombstone an address stays."""
    contacts.get(work.db, contact_id)
    rights.erase(work.db, contact_id, actor=work.actor, reason=get_reason(), now=work.now)
    return Response(status=204)


def _address(work: Work, address: Address, *, clear: bool) -> dict[str, Any]:
    shown = f"{address.scheme.value}:{MASK}"
    if clear:
        contact = contacts.get(work.db, address.contact_id)
        shown = contacts.open_address(work.line.keyring, contact, address)
    return {
        "scheme": address.scheme.value,
        "address": shown,
        "status": address.status.value,
        "last_in_at": address.last_in_at,
    }
