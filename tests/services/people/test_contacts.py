"""Contacts are found by address and listed page by page."""

import pytest

from models import ContactStatus
from models.base import new_id
from services.errors import NotFound
from services.people import contacts
from tests.factories import Factory


def test_one_is_found_by_any_of_their_addresses(make: Factory) -> None:
    contact = make.contact(address="telegram:1")
    make.address(contact, "sms:+447700900123")
    for address in ("telegram:1", "sms:+447700900123"):
        found = contacts.find_by_address(make.db, make.keys, address)
        assert found is not None
        assert found.id == contact.id
    assert contacts.find_by_address(make.db, make.keys, "whatsapp:+447700900123") is None


def test_a_merged_contact_leads_to_its_survivor(make: Factory) -> None:
    older, middle, newer = make.contact(), make.contact(), make.contact(address="telegram:3")
    for one, into in ((newer, middle), (middle, older)):
        one.status, one.merged_into = ContactStatus.MERGED, into.id
    make.db.flush()
    assert contacts.get(make.db, newer.id).id == older.id
    found = contacts.find_by_address(make.db, make.keys, "telegram:3")
    assert found is not None
    assert found.id == older.id
    assert [c.id for c in contacts.list_contacts(make.db)] == [older.id]


def test_nobody_is_not_found(make: Factory) -> None:
    with pytest.raises(NotFound):
        contacts.get(make.db, new_id())


def test_pages_follow_each_other(make: Factory) -> None:
    people = [make.contact().id for _ in range(5)]
    first = contacts.list_contacts(make.db, most=2)
    second = contacts.list_contacts(make.db, after=first[-1].id, most=2)
    third = contacts.list_contacts(make.db, after=second[-1].id, most=2)
    assert [c.id for c in (*first, *second, *third)] == people
    assert contacts.list_contacts(make.db, after=people[-1]) == []


def test_an_address_opens_with_the_persons_key(make: Factory) -> None:
    contact = make.contact(address="sms:+447700900123")
    (address,) = contacts.list_addresses(make.db, contact.id)
    assert b"447700900123" not in address.sealed
    assert contacts.open_address(make.keyring, contact, address) == "sms:+447700900123"
