"""The ground of all tests: one server a run, one migrated database a worker, sockets closed.

What a test may ask for:

    clock, now        a clock that moves only by `clock.advance(...)`, and its present
    keyring           master keys of the tests
    engine            the application's engine; whatever is committed is emptied after the test
    path_engine       the same with the message path's pinned plans
    urls              the owner's and the application's address of this worker's database
    organisation      a made-up organisation, committed (its id is all most tests need)
    db                a session of that organisation; rolled back after the test
    make              tests.factories.Factory on `db`
    making            `with making() as make:` commits what it makes
    system            `with system() as db:` a session in the system scope
    superuser         an engine past all walls, to look at bytes and to tamper
    fresh_urls        an empty database, not even migrated

The server is the private one (thrown away afterwards), or the one DATABASE_URL names, whose role
then needs CREATEDB. Sockets beyond loopback and warnings are errors; order is random.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session

import private_server
from models.base import new_id
from models.db import make_engine, open_engine, transaction
from models.sealed import Keyring
from models.walls import system_scope
from services import organisations
from settings import MasterKey
from tests.databases import Server, empty, is_superuser, migrate
from tests.databases import Urls as Urls
from tests.factories import Factory

RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid4().hex)[:12]
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # an ordinary Monday


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--people", type=int, default=300, help="how many people the restore drill is about"
    )
    parser.addoption(
        "--populations", type=int, default=40, help="how many twins are asked all kinds of things"
    )


class MovedByHand:
    """A models.clock.Clock that stands still until the test moves it."""

    def __init__(self, present: datetime = BEGINNING) -> None:
        self.present = present

    def now(self) -> datetime:
        return self.present

    def advance(self, step: timedelta) -> datetime:
        self.present += step
        return self.present


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of one run see."""
    base = tmp_path_factory.getbasetemp()
    return base if WORKER == "alone" else base.parent


@pytest.fixture(scope="session")
def server(shared: Path) -> Iterator[Server]:
    """The database server of the run; its last user stops it."""
    url = os.environ.get("DATABASE_URL")
    if url:
        owner = os.environ.get("DATABASE_OWNER_URL", url)
        yield Server(admin=owner, owner=owner, app=url)
        return
    membership = private_server.join(shared / "postgres", throwaway=True)
    urls = membership.urls
    yield Server(admin=urls.superuser, owner=urls.owner, app=urls.app)
    membership.leave()


@pytest.fixture(scope="session")
def template(server: Server, shared: Path) -> Iterator[str]:
    """A migrated, empty database that is only ever copied; who leaves last drops it."""
    name, made = f"homeline_template_{RUN}", shared / "template.made"
    with (shared / "template.users").open("w") as users:
        with _alone(shared / "template.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not made.exists():
                urls = server.create(name)
                migrate(urls.owner)
                made.touch()
        yield name
        with _alone(shared / "template.lock"), suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            server.drop(name)
            made.unlink()


@pytest.fixture(scope="session")
def urls(server: Server, template: str, shared: Path) -> Iterator[Urls]:
    """This worker's database."""
    name = f"homeline_test_{RUN}_{WORKER}"
    with _alone(shared / "template.lock"):
        made = server.create(name, template)
    yield made
    server.drop(name)


@pytest.fixture
def fresh_urls(server: Server) -> Iterator[Urls]:
    """An empty database, not even migrated, for this test alone."""
    name = f"homeline_fresh_{uuid4().hex[:12]}"
    yield server.create(name)
    server.drop(name)


@pytest.fixture(scope="session")
def _engine(urls: Urls) -> Iterator[Engine]:
    engine = open_engine(urls.app, development=True, pool_size=5, max_overflow=75)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def _admin_engine(server: Server, urls: Urls) -> Iterator[Engine]:
    engine = make_engine(make_url(server.admin).set(database=make_url(urls.owner).database))
    yield engine
    engine.dispose()


@pytest.fixture
def engine(_engine: Engine, _admin_engine: Engine) -> Iterator[Engine]:
    yield _engine
    empty(_admin_engine)


@pytest.fixture
def path_engine(engine: Engine, urls: Urls) -> Iterator[Engine]:
    """The engine of the message path, after whose use the tables are emptied too."""
    pinned = open_engine(urls.app, development=True, pinned_plans=True)
    yield pinned
    pinned.dispose()


@pytest.fixture
def superuser(_admin_engine: Engine) -> Engine:
    """This worker's database under a role that walks through walls; skips where there is none."""
    with _admin_engine.connect() as connection:
        if not is_superuser(connection):
            pytest.skip("this run has no superuser")
    return _admin_engine


@pytest.fixture
def clock() -> MovedByHand:
    return MovedByHand()


@pytest.fixture
def now(clock: MovedByHand) -> datetime:
    return clock.now()


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring([MasterKey("test", b"0123456789abcdef" * 2)])


@dataclass(frozen=True)
class MadeUp:
    """The organisation of a test."""

    id: UUID
    name: str = "Made-up Consulate"
    short_name: str = "Consulate"


@pytest.fixture
def organisation(engine: Engine, keyring: Keyring, now: datetime) -> MadeUp:
    return another_organisation(engine, keyring, now)


def another_organisation(
    engine: Engine, keyring: Keyring, now: datetime, name: str = MadeUp.name
) -> MadeUp:
    """Commit a further organisation."""
    made = MadeUp(new_id(now), name)
    with transaction(engine, made.id) as db:
        organisations.create(db, made.name, short_name=made.short_name, keyring=keyring, now=now)
    return made


@pytest.fixture
def db(engine: Engine, organisation: MadeUp) -> Iterator[Session]:
    with transaction(engine, organisation.id) as session:
        yield session
        session.rollback()


@pytest.fixture
def make(db: Session, keyring: Keyring, now: datetime) -> Factory:
    return Factory(db, keyring, now)


@pytest.fixture
def making(
    engine: Engine, organisation: MadeUp, keyring: Keyring, clock: MovedByHand
) -> Callable[[], AbstractContextManager[Factory]]:
    @contextmanager
    def committed(organisation_id: UUID = organisation.id) -> Iterator[Factory]:
        with transaction(engine, organisation_id) as session:
            yield Factory(session, keyring, clock.now())

    return committed


@pytest.fixture
def system(engine: Engine) -> Callable[[], AbstractContextManager[Session]]:
    return lambda: system_scope(engine)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
