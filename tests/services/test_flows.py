"""Published flows never change; a changed flow becomes the next version."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import DatabaseError

from flows.flow import Flow, build
from models import DoorKind, EntryCode, FlowVersion, Organisation
from models.db import transaction
from models.sealed import Keyring
from models.walls import find_door
from services import flows
from services.errors import Invalid
from tests.conftest import MadeUp, another_organisation
from tests.factories import FLOW, Factory

Making = Callable[..., AbstractContextManager[Factory]]


def flow(**changed: Any) -> Flow:
    return build(dict(FLOW) | changed)


OTHER_WORDS = [{"id": "when_open", "type": "yes_no", "text": {"en": "Open on Sunday?"}}]


def catalogue_version(make: Factory) -> int:
    return make.db.scalars(select(Organisation.catalogue_version)).one()


def test_the_first_version_can_be_read_back(make: Factory) -> None:
    done = flows.publish(make.db, flow(), now=make.now)
    assert (done.version, done.is_new) == (1, True)
    stored = make.db.get_one(FlowVersion, (make.organisation_id, done.version_id))
    assert (stored.flow, stored.kind, stored.published_at) == ("passport-hours", "poll", make.now)
    assert build(stored.definition, version=stored.version).questions[0].id == "when_open"


def test_the_same_flow_is_not_published_twice(make: Factory) -> None:
    first = flows.publish(make.db, flow(), now=make.now)
    before = catalogue_version(make)
    same = build(dict(reversed(list(FLOW.items()))))
    again = flows.publish(make.db, same, now=make.now)
    assert (again.version_id, again.is_new) == (first.version_id, False)
    assert catalogue_version(make) == before


def test_a_changed_flow_is_the_next_version_and_is_noticed(make: Factory) -> None:
    flows.publish(make.db, flow(), now=make.now)
    before = catalogue_version(make)
    second = flows.publish(make.db, flow(questions=OTHER_WORDS), now=make.now)
    assert (second.version, second.is_new) == (2, True)
    assert catalogue_version(make) > before
    back = flows.publish(make.db, flow(), now=make.now)
    assert back.version == 3, "going back is a new version too: answers point to what was shown"


def test_what_is_published_cannot_be_changed(make: Factory) -> None:
    done = flows.publish(make.db, flow(), now=make.now)
    stored = make.db.get_one(FlowVersion, (make.organisation_id, done.version_id))
    stored.definition = {"flow": "another"}
    with pytest.raises(DatabaseError, match=r"append-only|permission denied"):
        make.db.flush()


def test_two_who_publish_at_once_make_one_version(engine: Engine, organisation: MadeUp) -> None:
    def publish(_: int) -> flows.Publication:
        with transaction(engine, organisation.id) as db:
            moment = db.scalars(select(Organisation.created_at)).one()
            return flows.publish(db, flow(), now=moment)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(publish, range(4)))
    assert sorted(p.is_new for p in done) == [False, False, False, True]
    assert len({p.version_id for p in done}) == 1


class TestEntryCodes:
    def test_a_flow_people_can_start_gets_one_with_its_first_version(self, make: Factory) -> None:
        flows.publish(make.db, flow(), now=make.now)
        flows.publish(make.db, flow(questions=OTHER_WORDS), now=make.now)
        entry = make.db.scalars(select(EntryCode)).one()
        assert entry.flow == "passport-hours"
        assert len(entry.code) == 6
        door = find_door(make.db, DoorKind.ENTRY, entry.code)
        assert door is not None
        assert door.target_id == entry.id

    @pytest.mark.parametrize("kind", ["notice", "aside"])
    def test_one_nobody_starts_by_themselves_gets_none(self, make: Factory, kind: str) -> None:
        flows.publish(make.db, flow(kind=kind), now=make.now)
        assert make.db.scalars(select(EntryCode)).all() == []

    def test_a_code_may_carry_office_language_and_asker(self, make: Factory) -> None:
        flows.publish(make.db, flow(), now=make.now)
        office = make.office()
        before = catalogue_version(make)
        entry = flows.create_code(
            make.db,
            "passport-hours",
            office_id=office.id,
            language="fr",
            asker="leader",
            now=make.now,
        )
        assert (entry.office_id, entry.language, entry.asker) == (office.id, "fr", "leader")
        assert catalogue_version(make) == before + 1

    def test_an_unpublished_flow_gets_none(self, make: Factory) -> None:
        with pytest.raises(Invalid):
            flows.create_code(make.db, "nothing", now=make.now)

    def test_a_code_that_is_taken_by_anybody_is_not_given_again(
        self,
        making: Making,
        engine: Engine,
        keyring: Keyring,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # Chance would need a billion tries to repeat itself. A code of letters only may be a word.
        letters = iter("aaaaa2" + "aaaaa2" + "bbbbbb" + "bbbbb2")
        monkeypatch.setattr("services.codes.secrets.choice", lambda _: next(letters))
        with making() as make:
            flows.publish(make.db, flow(), now=now)
        neighbour = another_organisation(engine, keyring, now, "The neighbour")
        with making(neighbour.id) as make:
            flows.publish(make.db, flow(), now=now)
            assert make.db.scalars(select(EntryCode.code)).all() == ["bbbbb2"]
