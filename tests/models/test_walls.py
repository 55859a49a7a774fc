"""The walls, as a session meets them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime

import pytest
from sqlalchemy import Engine, func, insert, select, text, update
from sqlalchemy.exc import DatabaseError, IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from models import Contact, Door, DoorKind, Message, Organisation, Profile
from models.base import new_id
from models.db import make_engine, open_engine, transaction
from models.sealed import Keyring
from models.walls import (
    APP_ROLE,
    RoleTooStrong,
    check_role,
    close_door,
    enter,
    find_door,
    lifted,
    open_door,
    organisation_of,
    system_scope,
)
from tests.conftest import MadeUp, another_organisation
from tests.databases import Urls
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]


@pytest.fixture
def neighbour(engine: Engine, keyring: Keyring, now: datetime) -> MadeUp:
    return another_organisation(engine, keyring, now, "The neighbour")


def test_without_an_organisation_nothing_is_seen(engine: Engine, making: Making) -> None:
    with making() as make:
        make.contact()
    with Session(engine) as db:
        assert db.scalar(select(func.count()).select_from(Contact)) == 0
        assert db.scalar(select(func.count()).select_from(Organisation)) == 0


def test_each_organisation_sees_its_own(
    engine: Engine, making: Making, organisation: MadeUp, neighbour: MadeUp
) -> None:
    with making() as make:
        mine = make.contact().id
    with making(neighbour.id) as make:
        theirs = make.contact().id
    with transaction(engine, organisation.id) as db:
        assert db.scalars(select(Contact.id)).all() == [mine]
        assert db.scalars(select(Organisation.id)).all() == [organisation.id]
    with transaction(engine, neighbour.id) as db:
        assert db.scalars(select(Contact.id)).all() == [theirs]


def test_writing_into_another_organisation_is_refused(
    engine: Engine, making: Making, organisation: MadeUp, neighbour: MadeUp
) -> None:
    with making(neighbour.id) as make:
        theirs = make.contact()
    with transaction(engine, organisation.id) as db:
        changed = db.execute(update(Profile).values(country="ZA"))
        assert changed.rowcount == 0  # type: ignore[attr-defined]
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction(engine, organisation.id) as db,
    ):
        db.execute(
            insert(Contact).values(
                organisation_id=neighbour.id,
                id=new_id(),
                wrapped_key=b"",
                language="en",
                created_at=theirs.created_at,
                last_seen_at=theirs.created_at,
                expires_at=theirs.created_at,
            )
        )


def test_a_key_cannot_point_into_another_organisation(
    engine: Engine, making: Making, organisation: MadeUp, neighbour: MadeUp, now: datetime
) -> None:
    with making(neighbour.id) as make:
        theirs = make.contact().id
    with (
        pytest.raises(IntegrityError, match="fk_profiles_contact_id"),
        transaction(engine, organisation.id) as db,
    ):
        db.add(
            Profile(
                organisation_id=organisation.id,
                contact_id=theirs,
                joined_at=now,
                last_seen_at=now,
            )
        )


def test_a_message_cannot_go_to_somebody_elses_address(make: Factory) -> None:
    one, other = make.contact(), make.contact()
    message = make.message(one)
    with pytest.raises(IntegrityError, match="fk_messages_address_id"):
        make.db.execute(update(Message).values(contact_id=other.id))
    assert message.contact_id == one.id


def test_an_organisation_ends_with_its_transaction(
    urls: Urls, organisation: MadeUp, making: Making
) -> None:
    """One connection, as behind a pool: the next transaction sees nothing."""
    with making() as make:
        make.contact()
    single = open_engine(urls.app, development=True, pool_size=1, max_overflow=0)
    with transaction(single, organisation.id) as db:
        assert db.scalar(select(func.count()).select_from(Contact)) == 1
    with Session(single) as db:
        assert db.scalar(select(func.count()).select_from(Contact)) == 0
    single.dispose()


def test_an_error_commits_nothing(engine: Engine, organisation: MadeUp, making: Making) -> None:
    def write_and_fail() -> None:
        with making() as make:
            make.contact()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    with transaction(engine, organisation.id) as db:
        assert db.scalar(select(func.count()).select_from(Contact)) == 0


class TestSystemScope:
    def test_sees_the_listed_tables_of_everybody(
        self, engine: Engine, making: Making, neighbour: MadeUp
    ) -> None:
        with making() as make:
            make.contact()
        with making(neighbour.id) as make:
            make.contact()
        with system_scope(engine) as db:
            assert db.scalar(select(func.count()).select_from(Contact)) == 2

    def test_sees_no_other_table(self, engine: Engine, making: Making) -> None:
        with making() as make:
            make.office()
        with system_scope(engine) as db:
            assert db.scalar(text("SELECT count(*) FROM offices")) == 0

    def test_only_reads_organisations(self, engine: Engine, organisation: MadeUp) -> None:
        with system_scope(engine) as db:
            changed = db.execute(update(Organisation).values(name="Mine now"))
            assert changed.rowcount == 0  # type: ignore[attr-defined]

    def test_has_no_organisation(self, engine: Engine) -> None:
        with system_scope(engine) as db, pytest.raises(LookupError):
            organisation_of(db)

    def test_is_lifted_for_a_few_statements_only(
        self, db: Session, making: Making, neighbour: MadeUp
    ) -> None:
        with making(neighbour.id) as make:
            make.contact()
        with lifted(db):
            assert db.scalar(select(func.count()).select_from(Contact)) == 1
        assert db.scalar(select(func.count()).select_from(Contact)) == 0


class TestDoor:
    def test_leads_to_an_organisation_before_one_is_known(
        self, engine: Engine, organisation: MadeUp
    ) -> None:
        target = new_id()
        with transaction(engine, organisation.id) as db:
            open_door(db, DoorKind.CHANNEL, "a-key", organisation.id, target)
        with Session(engine) as db:
            door = find_door(db, DoorKind.CHANNEL, "a-key")
            assert door is not None
            assert (door.organisation_id, door.target_id) == (organisation.id, target)
            assert find_door(db, DoorKind.API_KEY, "a-key") is None
            assert find_door(db, DoorKind.CHANNEL, "another") is None

    def test_keeps_a_hash_only(self, db: Session, organisation: MadeUp) -> None:
        open_door(db, DoorKind.CHANNEL, "a-key", organisation.id, new_id())
        assert b"a-key" not in db.scalars(select(Door.key_hash)).one()

    def test_closes(self, db: Session, organisation: MadeUp) -> None:
        target = new_id()
        open_door(db, DoorKind.CHANNEL, "a-key", organisation.id, target)
        close_door(db, DoorKind.CHANNEL, target)
        db.expire_all()
        assert find_door(db, DoorKind.CHANNEL, "a-key") is None


class TestRoles:
    def test_the_serving_role_is_an_ordinary_one(self, engine: Engine) -> None:
        with engine.connect() as connection:
            assert check_role(connection, development=False) is None

    def test_a_superuser_is_refused_outside_development(self, superuser: Engine) -> None:
        with pytest.raises(RoleTooStrong):
            open_engine(superuser.url, development=False)

    def test_a_superuser_steps_down_in_development(self, superuser: Engine, making: Making) -> None:
        with making() as make:
            make.contact()
        lowered = open_engine(superuser.url, development=True)
        with lowered.connect() as connection:
            assert connection.scalar(text("SELECT current_user")) == APP_ROLE
            assert connection.scalar(text("SELECT count(*) FROM contacts")) == 0
            connection.rollback()
            assert connection.scalar(text("SELECT current_user")) == APP_ROLE
        lowered.dispose()

    def test_with_one_role_for_everything_the_walls_still_hold(
        self, urls: Urls, making: Making, organisation: MadeUp
    ) -> None:
        """Forced row-level security binds the owner as well."""
        with making() as make:
            make.contact()
        owner = make_engine(urls.owner)
        with owner.connect() as connection:
            if connection.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname=current_user")):
                pytest.skip("the owner of this run is a superuser")
            assert connection.scalar(text("SELECT count(*) FROM contacts")) == 0
        with Session(owner) as db:
            enter(db, organisation.id)
            assert db.scalar(select(func.count()).select_from(Contact)) == 1
        owner.dispose()


def test_pinned_plans_reach_the_server(path_engine: Engine) -> None:
    with path_engine.connect() as connection:
        assert connection.scalar(text("SHOW plan_cache_mode")) == "force_generic_plan"
        assert connection.scalar(text("SHOW enable_seqscan")) == "off"


@pytest.mark.parametrize(
    "verb", ["UPDATE {} SET organisation_id = organisation_id", "DELETE FROM {}"]
)
@pytest.mark.parametrize("table", ["consent_events", "audit_events", "flow_versions"])
def test_append_only_tables_refuse_change(
    making: Making, superuser: Engine, table: str, verb: str
) -> None:
    """Even a superuser, who has every right, is told no."""
    with making() as make:
        make.contact(consented=True, mid_flow=True)
    with pytest.raises(DatabaseError, match="append-only"), superuser.begin() as connection:
        connection.execute(text(verb.format(table)))


@pytest.mark.parametrize("table", ["audit_events", "flow_versions"])
def test_nobody_deletes_what_is_kept_for_good(
    engine: Engine, making: Making, organisation: MadeUp, table: str
) -> None:
    """Refused by a missing right, a trigger, or because no policy shows the rows to a deletion."""
    with making() as make:
        make.contact(mid_flow=True)
    with suppress(DatabaseError), system_scope(engine) as db:
        db.execute(text(f"DELETE FROM {table}"))
    with transaction(engine, organisation.id) as db:
        assert db.scalar(text(f"SELECT count(*) FROM {table}"))
