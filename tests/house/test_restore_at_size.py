"""The restore drill about many people: how long each of the runbook's commands takes (O-04).

    pytest tests/house/test_restore_at_size.py --people 100000 -s

At any size it holds that everybody erased or stopped since the backup is so again, nobody else is,
and every row is as it was. Wall-clock figures; the aim is 30 minutes from an empty machine.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from flows import loader
from models import Contact, ContactStatus
from models.base import new_id
from models.channel import ChannelKind
from models.db import transaction
from services import flows, organisations
from services.demo import seeded_people, seeded_rows
from services.rights import rights
from tests.conftest import MovedByHand
from tests.databases import migrate
from tests.factories import Factory
from tests.house.test_restore import engine_of, machine, run

AT_ONCE = 5000
DAY = timedelta(days=1)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def timed(request: pytest.FixtureRequest) -> Callable[[str, Callable[[], object]], object]:
    """Does something and says how long it took, for who runs this with -s."""

    def do(name: str, act: Callable[[], object]) -> object:
        began = time.monotonic()
        done = act()
        print(f"{name}: {time.monotonic() - began:.1f} s")
        return done

    return do


def settle(app: Flask, organisation_id: UUID, people: int, clock: MovedByHand) -> None:
    """So many registered people on three channels."""
    keyring = app.extensions["homeline"].keyring
    with transaction(engine_of(app), organisation_id) as db:
        organisations.create(db, "Made-up Consulate", keyring=keyring, now=clock.now())
        make = Factory(db, keyring, clock.now())
        kinds = (ChannelKind.TELEGRAM, ChannelKind.SMS, ChannelKind.WHATSAPP)
        channels = {kind.value: make.channel(kind).id for kind in kinds}
        flow = loader.load(loader.library()[seeded_rows.FLOW])
        published = flows.publish(db, flow, now=clock.now())
    for first in range(0, people, AT_ONCE):
        with transaction(engine_of(app), organisation_id) as db:
            seeded_people.insert_people(
                db, keyring, channels, published.version_id, published.version,
                count=min(AT_ONCE, people - first), now=clock.now(), first=first,
            )  # fmt: skip


def leave(app: Flask, organisation_id: UUID, clock: MovedByHand) -> tuple[set[UUID], set[UUID]]:
    """After the backup, one of a hundred is erased and another one says STOP."""
    clock.advance(DAY)
    with transaction(engine_of(app), organisation_id) as db:
        ids = db.scalars(select(Contact.id).order_by(Contact.id)).all()
    erased, stopped = set(ids[::100]), set(ids[1::100])
    for each in erased:
        with transaction(engine_of(app), organisation_id) as db:
            rights.erase(db, each, now=clock.now())
    with transaction(engine_of(app), organisation_id) as db:
        for contact in db.scalars(select(Contact).where(Contact.id.in_(stopped))):
            contact.status, contact.stopped_at = ContactStatus.STOPPED, clock.now()
    return erased, stopped


def test_many_are_restored_in_time_and_forgotten_again(
    stack: ExitStack,
    tmp_path: Path,
    clock: MovedByHand,
    request: pytest.FixtureRequest,
    timed: Callable[[str, Callable[[], object]], object],
) -> None:
    people = request.config.getoption("--people")
    organisation_id = new_id(clock.now())
    old = machine(stack, tmp_path / "old", clock)
    migrate(old.urls.owner)
    app = old.app(stack)
    timed(f"{people} people made", lambda: settle(app, organisation_id, people, clock))
    backup, facts = tmp_path / "homeline.dump", tmp_path / "homeline.forget"
    timed("pg_dump", lambda: old.back_up(f"--file={backup}"))
    before = old.checksums()
    erased, stopped = leave(app, organisation_id, clock)
    timed("retention export", lambda: run(app, "retention", "export", str(facts)))

    new = machine(stack, tmp_path / "new", clock)
    began = time.monotonic()
    restore = ("--no-owner", "--exit-on-error", str(backup))
    timed("pg_restore", lambda: new.program("pg_restore", *restore))
    assert new.checksums() == before
    again = new.app(stack)
    timed("db upgrade", lambda: run(again, "db", "upgrade"))
    told = timed("retention replay", lambda: run(again, "retention", "replay", str(facts)))
    assert told == {"erased": len(erased), "stopped": len(stopped)}
    timed("retention run", lambda: run(again, "retention", "run"))
    verified = timed("audit verify", lambda: run(again, "audit", "verify"))
    assert isinstance(verified, dict)
    assert verified["ok"]
    assert run(again, "doctor")["ok"]
    took = time.monotonic() - began
    print(f"restored in {took:.1f} s, {backup.stat().st_size // 2**20} MB")
    assert took < 30 * 60

    with transaction(engine_of(again), organisation_id) as db:
        left = set(db.scalars(select(Contact.id)))
        quiet = set(db.scalars(select(Contact.id).filter_by(status=ContactStatus.STOPPED)))
        assert db.scalar(select(func.count()).select_from(Contact)) == people - len(erased)
    assert not left & erased
    assert quiet == stopped
