"""Consents are added, never changed; the current ones follow from the history."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import DatabaseError

from models import ConsentAction, ConsentEvent, Profile
from models.walls import system_scope
from services.rights import consents
from services.rights.consents import Wording
from tests.conftest import MovedByHand
from tests.factories import Factory

SHOWN = Wording(
    language="fr",
    channel_kind="sms",
    flow="registration-express",
    version=3,
    question="consent",
    text_hash=b"h" * 32,
    provider_message="SM00",
)


def profile_of(make: Factory, contact_id: object) -> list[str]:
    return make.db.scalars(select(Profile.consents).where(Profile.contact_id == contact_id)).one()


def test_a_grant_keeps_the_exact_wording(make: Factory) -> None:
    contact = make.contact()
    event = consents.grant(make.db, contact.id, "events", SHOWN, now=make.now)
    make.db.expire_all()
    assert (event.action, event.purpose) == (ConsentAction.GRANTED, "events")
    assert (event.flow, event.version, event.question) == ("registration-express", 3, "consent")
    assert (event.text_hash, event.provider_message) == (b"h" * 32, "SM00")
    assert event.at == make.now
    assert profile_of(make, contact.id) == ["events"]


def test_the_last_entry_of_a_purpose_holds(make: Factory, clock: MovedByHand) -> None:
    contact = make.contact()
    for purpose, verb in (
        ("events", consents.grant),
        ("polls", consents.grant),
        ("events", consents.withdraw),
        ("alerts", consents.withdraw),
        ("polls", consents.grant),
    ):
        verb(make.db, contact.id, purpose, SHOWN, now=clock.advance(timedelta(hours=1)))
    assert consents.current(make.db, contact.id) == {"polls"}
    assert profile_of(make, contact.id) == ["polls"]
    history = [(e.purpose, e.action.value) for e in consents.list_events(make.db, contact.id)]
    assert history == [
        ("events", "granted"),
        ("polls", "granted"),
        ("events", "withdrawn"),
        ("alerts", "withdrawn"),
        ("polls", "granted"),
    ]


def test_one_persons_consents_are_not_anothers(make: Factory) -> None:
    one, other = make.contact(consented=("polls",)), make.contact()
    assert consents.current(make.db, one.id) == {"polls"}
    assert consents.current(make.db, other.id) == frozenset()


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_an_entry_cannot_be_changed_or_taken_out(make: Factory, verb: str) -> None:
    contact = make.contact(consented=True)
    event = make.db.scalars(select(ConsentEvent).filter_by(contact_id=contact.id)).one()
    if verb == "update":
        event.purpose = "everything"
    else:
        make.db.delete(event)
    with pytest.raises(DatabaseError, match=r"append-only|permission denied"):
        make.db.flush()


def test_not_even_the_system_scope_changes_one(
    making: Callable[[], AbstractContextManager[Factory]], engine: Engine
) -> None:
    with making() as make:
        make.contact(consented=True)
    with (
        pytest.raises(DatabaseError, match=r"append-only|permission denied"),
        system_scope(engine) as db,
    ):
        db.execute(update(ConsentEvent).values(purpose="everything"))
