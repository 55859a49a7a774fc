"""The audit chain holds ids only, and names the first link somebody mended."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, text

from models import AuditEvent
from models.base import new_id
from models.db import transaction
from models.sealed import Keyring
from services import audit
from services.audit import GENESIS, SYSTEM, Actor, Broken
from tests.conftest import MadeUp, another_organisation
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]


@pytest.fixture
def chain(making: Making, organisation: MadeUp) -> MadeUp:
    """An organisation with five links more than its creation."""
    with making() as make:
        for number in range(5):
            audit.record(
                make.db,
                Actor("officer", new_id()),
                "contact.viewed",
                ("contact", new_id()),
                detail={"place": number},
                now=make.now,
            )
    return organisation


@pytest.fixture
def tamper(superuser: Engine, organisation: MadeUp) -> Callable[[str], None]:
    """Change the table as only a superuser can, past triggers and walls."""

    def change(statement: str) -> None:
        with superuser.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(statement), {"organisation": organisation.id})

    return change


def verify(engine: Engine, organisation: MadeUp) -> Broken | None:
    with transaction(engine, organisation.id) as db:
        return audit.verify(db)


def test_a_chain_begins_with_nothing_and_holds(engine: Engine, chain: MadeUp) -> None:
    assert verify(engine, chain) is None
    with transaction(engine, chain.id) as db:
        first = db.get_one(AuditEvent, (chain.id, 1))
        second = db.get_one(AuditEvent, (chain.id, 2))
        assert first.previous == GENESIS
        assert second.previous == first.hash


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        (
            "UPDATE audit_events SET detail = '{\"place\": 9}'"
            " WHERE organisation_id = :organisation AND number = 3",
            Broken(3, "its content was changed"),
        ),
        (
            "UPDATE audit_events SET actor_id = NULL"
            " WHERE organisation_id = :organisation AND number = 2",
            Broken(2, "its content was changed"),
        ),
        (
            "DELETE FROM audit_events WHERE organisation_id = :organisation AND number = 4",
            Broken(4, "the link is missing"),
        ),
        (
            "UPDATE audit_events SET hash = sha256('mended'), previous = previous"
            " WHERE organisation_id = :organisation AND number = 3",
            Broken(3, "its content was changed"),
        ),
        (
            "UPDATE audit_events SET previous = sha256('mended')"
            " WHERE organisation_id = :organisation AND number = 5",
            Broken(5, "it does not follow the link before it"),
        ),
        (
            "UPDATE audit_events SET at = at + interval '1 hour'"
            " WHERE organisation_id = :organisation AND number = 1",
            Broken(1, "its content was changed"),
        ),
    ],
    ids=["detail", "actor", "removed", "hash", "previous", "time"],
)
def test_the_first_broken_link_is_named(
    engine: Engine,
    chain: MadeUp,
    tamper: Callable[[str], None],
    statement: str,
    broken: Broken,
) -> None:
    tamper(statement)
    assert verify(engine, chain) == broken


def test_a_chain_longer_than_one_reading_holds(
    engine: Engine, chain: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_CHUNK", 2)  # thousands of links would take the test's seconds
    assert verify(engine, chain) is None


def test_writers_at_once_make_one_chain(engine: Engine, organisation: MadeUp) -> None:
    def write(number: int) -> None:
        with transaction(engine, organisation.id) as db:
            now = datetime(2026, 3, 2, 9, number, tzinfo=UTC)
            audit.record(db, SYSTEM, "contact.viewed", ("contact", None), now=now)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(24)))
    assert verify(engine, organisation) is None
    with transaction(engine, organisation.id) as db:
        assert db.scalar(text("SELECT max(number) FROM audit_events")) == 25


def test_each_organisation_has_its_own_chain(
    engine: Engine, chain: MadeUp, keyring: Keyring, now: datetime
) -> None:
    neighbour = another_organisation(engine, keyring, now, "The neighbour")
    with transaction(engine, neighbour.id) as db:
        assert db.scalar(text("SELECT count(*) FROM audit_events")) == 1
        assert db.scalar(text("SELECT min(number) FROM audit_events")) == 1


def test_a_link_means_the_same_in_every_zone(make: Factory) -> None:
    moved = make.now.astimezone(timezone(timedelta(hours=5)))
    link = audit.record(make.db, SYSTEM, "contact.viewed", ("contact", None), now=moved)
    make.db.flush()
    make.db.expire_all()
    assert audit.link_hash(link) == link.hash


@pytest.mark.parametrize(
    "detail",
    ["+447700900123", "447700900123", "Jane Doe", "jane@example.org", "", "telegram:100100100"],
)
def test_details_that_could_name_a_person_are_refused(make: Factory, detail: str) -> None:
    with pytest.raises(ValueError, match="ids, numbers and words"):
        audit.record(
            make.db,
            SYSTEM,
            "contact.viewed",
            ("contact", None),
            detail={"why": detail},
            now=make.now,
        )


@pytest.mark.parametrize(
    "detail", ["019cadc6-9a80-7000-9a8f-2a39367e3c72", "asked", "people:read", 12, True, None]
)
def test_ids_numbers_and_words_are_taken(make: Factory, detail: audit.Detail) -> None:
    audit.record(
        make.db, SYSTEM, "contact.viewed", ("contact", None), detail={"why": detail}, now=make.now
    )
