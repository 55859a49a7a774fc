"""Organisations are made with keys of their own, and master keys can be exchanged."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import pytest
from sqlalchemy import Engine, select

from models import AuditEvent, Contact, Organisation
from models.base import new_id
from models.db import transaction
from models.sealed import CannotOpen, Keyring
from models.walls import system_scope
from services import organisations
from services.catalogue import read_inside
from services.errors import Conflict, Invalid, NotFound
from services.organisations import OrganisationKeyring
from services.people import contacts
from settings import MasterKey
from tests.conftest import MadeUp, another_organisation
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]


def create(engine: Engine, keyring: Keyring, now: datetime, name: str, **more: object) -> None:
    with transaction(engine, new_id(now)) as db:
        organisations.create(db, name, keyring=keyring, now=now, **more)  # type: ignore[arg-type]


def test_one_is_made_with_its_keys_and_said_so(
    engine: Engine, organisation: MadeUp, keyring: Keyring
) -> None:
    with transaction(engine, organisation.id) as db:
        made = organisations.get(db)
        assert (made.name, made.short_name) == ("Made-up Consulate", "Consulate")
        assert (made.default_language, made.languages) == ("en", ["en", "fr", "es", "pt", "ar"])
        assert made.catalogue_version == 0
        keys = organisations.open_keys(db, keyring)
        assert keys.data != keys.index
        assert db.scalars(select(AuditEvent.action)).all() == ["organisation.created"]


def test_two_organisations_never_share_keys(
    engine: Engine, organisation: MadeUp, keyring: Keyring, now: datetime
) -> None:
    other = another_organisation(engine, keyring, now, "The neighbour")
    keyrings = OrganisationKeyring(engine, keyring)
    assert keyrings.open(organisation.id).index != keyrings.open(other.id).index
    assert keyrings.open(organisation.id) is keyrings.open(organisation.id)
    with pytest.raises(NotFound):
        keyrings.open(new_id())


@pytest.mark.parametrize(
    ("name", "more", "place"),
    [
        ("  ", {}, "name"),
        ("Consulate General of Somewhere Far", {}, "short_name"),
        ("Consulate", {"short_name": "x" * 25}, "short_name"),
        ("Consulate", {"languages": ()}, "languages"),
    ],
)
def test_what_does_not_fit_in_a_message_is_refused(
    engine: Engine, keyring: Keyring, now: datetime, name: str, more: dict[str, object], place: str
) -> None:
    with pytest.raises(Invalid) as refused:
        create(engine, keyring, now, name, **more)
    assert refused.value.place == place


@pytest.mark.parametrize("line", ["+27 12 345 6789", "112", "(012) 345-6789", " 10111 "])
def test_people_in_danger_are_told_the_emergency_line(make: Factory, line: str) -> None:
    """Processes that run notice it, since the catalogue's version rises."""
    before = organisations.get(make.db).catalogue_version
    organisations.set_emergency_line(make.db, line, now=make.now)
    found = read_inside(make.db)
    assert (found.emergency_line, found.version_number) == (line.strip(), before + 1)
    organisations.set_emergency_line(make.db, "", now=make.now)
    assert read_inside(make.db).emergency_line is None
    event = make.db.scalars(select(AuditEvent).order_by(AuditEvent.number.desc())).first()
    assert event is not None
    assert event.detail == {"setting": "emergency_line", "set": False}


@pytest.mark.parametrize(
    "line", ["call us", "1", "+", "12", "<b>112</b>", "1" * 25, "112\n113", "{line}", "١١٢"]
)
def test_what_is_no_number_is_no_emergency_line(make: Factory, line: str) -> None:
    with pytest.raises(Invalid, match="telephone number"):
        organisations.set_emergency_line(make.db, line, now=make.now)


def test_one_is_found_by_id_name_or_short_name(engine: Engine, organisation: MadeUp) -> None:
    with system_scope(engine) as db:
        for wanted in (str(organisation.id), "made-up consulate", " CONSULATE "):
            found = organisations.find(db, wanted)
            assert found is not None
            assert found.id == organisation.id
        assert organisations.find(db, "another") is None


def test_a_name_two_share_decides_nothing(
    engine: Engine, organisation: MadeUp, keyring: Keyring, now: datetime
) -> None:
    create(engine, keyring, now, "Made-up Consulate", short_name="Second")
    with system_scope(engine) as db, pytest.raises(Conflict):
        organisations.find(db, "Made-up Consulate")


class TestRotation:
    old = MasterKey("test", b"0123456789abcdef" * 2)  # the one of the fixture `keyring`
    new = MasterKey("next", b"n" * 32)

    def test_afterwards_the_old_master_key_is_not_needed(
        self, making: Making, engine: Engine, organisation: MadeUp
    ) -> None:
        with making() as make:
            people = [make.contact(address=f"telegram:{n}").id for n in range(5)]
        both = Keyring([self.new, self.old])
        done: list[int] = []
        while not done or done[-1]:
            with transaction(engine, organisation.id) as db:
                done.append(organisations.rotate_keys(db, both, most=2))
        assert done == [4, 2, 1, 0]
        only_new = Keyring([self.new])
        with transaction(engine, organisation.id) as db:
            keys = organisations.open_keys(db, only_new)
            assert contacts.find_by_address(db, keys, "telegram:0") is not None
            for number, contact_id in enumerate(people):
                contact = contacts.get(db, contact_id)
                (address,) = contacts.list_addresses(db, contact_id)
                opened = contacts.open_address(only_new, contact, address)
                assert opened == f"telegram:{number}"

    def test_half_way_everything_can_be_read(
        self, making: Making, engine: Engine, organisation: MadeUp, keyring: Keyring
    ) -> None:
        with making() as make:
            for _ in range(3):
                make.contact()
        both = Keyring([self.new, self.old])
        with transaction(engine, organisation.id) as db:
            organisations.rotate_keys(db, both, most=1)
        with transaction(engine, organisation.id) as db:
            for contact in db.scalars(select(Contact)):
                both.unwrap(contact.wrapped_key, organisation.id, contact.id)
            with pytest.raises(CannotOpen):
                organisations.open_keys(db, keyring)

    def test_a_neighbour_is_left_alone(
        self, making: Making, engine: Engine, organisation: MadeUp, keyring: Keyring, now: datetime
    ) -> None:
        other = another_organisation(engine, keyring, now, "The neighbour")
        with transaction(engine, organisation.id) as db:
            organisations.rotate_keys(db, Keyring([self.new, self.old]))
        with transaction(engine, other.id) as db:
            kept = db.scalars(select(Organisation.wrapped_key)).one()
            assert kept.startswith(keyring.current)
