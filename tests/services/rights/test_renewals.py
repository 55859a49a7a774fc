"""Before data lapses its person is asked once; silence lets it go, any answer keeps it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Contact, Due
from models.db import transaction
from models.walls import system_scope
from services import retention
from services.conversation import dues
from tests.services.phones import House, Phone

ASKED = "Consulate: in 30 days we erase your answers. Shall we keep them?"


def pass_time(house: House, step: timedelta) -> None:
    """Let time pass as the worker sees it: what is due happens, what has expired goes."""
    house.clock.advance(step)
    dues.run(house.line.engine, house.line.directory.read_catalogue, now=house.clock.now())
    with system_scope(house.line.engine) as db:
        retention.run(db, now=house.clock.now())


def people(house: House) -> int:
    with transaction(house.line.engine, house.organisation.id) as db:
        return len(db.scalars(select(Contact)).all())


@pytest.fixture
def member(house: House) -> Phone:
    phone = house.phone().register()
    pass_time(house, timedelta(days=1))
    phone.read()
    return phone


def test_thirty_days_before_the_end_the_person_is_asked_once(house: House, member: Phone) -> None:
    pass_time(house, timedelta(days=698))
    assert member.read() == ""
    pass_time(house, timedelta(days=2))
    assert member.read() == ASKED
    for _ in range(3):
        pass_time(house, timedelta(days=9))
        assert member.read() == ""
    pass_time(house, timedelta(days=3))
    assert people(house) == 0, "silence lets it go"


def test_yes_keeps_everything_for_two_more_years(house: House, member: Phone) -> None:
    pass_time(house, timedelta(days=701))
    member.read()
    assert member.say("1") == "Thank you. We keep your answers as they are."
    pass_time(house, timedelta(days=690))
    assert people(house) == 1
    pass_time(house, timedelta(days=20))
    assert member.read() == ASKED


def test_change_and_erase_are_a_digit_away(house: House, member: Phone) -> None:
    pass_time(house, timedelta(days=701))
    member.read()
    assert "Which answer" in member.say("2")
    assert "0" not in member.say("0")
    pass_time(house, timedelta(days=701))
    member.read()
    assert "for ever" in member.say("3")
    assert "Receipt" in member.say("1")
    assert people(house) == 0


def test_who_has_stopped_is_not_asked(house: House, member: Phone) -> None:
    member.say("STOP")
    pass_time(house, timedelta(days=725))
    assert member.read() == ""


def test_nobody_is_asked_at_night(house: House, member: Phone) -> None:
    pass_time(house, timedelta(days=701, hours=13))
    assert member.read() == ""
    pass_time(house, timedelta(hours=10))
    assert member.read() == ASKED


def test_who_registered_twice_is_asked_once(house: House, member: Phone) -> None:
    member.say("JOIN nothing")
    with transaction(house.line.engine, house.organisation.id) as db:
        first = db.scalars(select(Due).where(Due.kind == "renewal")).one()
        db.add(
            Due(
                organisation_id=first.organisation_id,
                id=house.organisation.id,
                contact_id=first.contact_id,
                kind="renewal",
                due_at=first.due_at,
            )
        )
    pass_time(house, timedelta(days=702))
    assert member.read() == ASKED
    pass_time(house, timedelta(days=1))
    assert member.read() == ""
