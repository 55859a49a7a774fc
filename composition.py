"""What every process needs, put together in one place: database, keys, clock, settings.

`app.py` and `jobs/__main__.py` make one `Homeline` each and pass its parts on; nothing
below them knows where a connection or a key came from. Every part is made when first needed, so
that a command which needs no database runs without one.
"""

import atexit
import gc
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, text

import private_server
from bot.directory import Directory, StoredContents
from bot.doorbell import Ringer
from bot.groups import Groups
from bot.inbound import Intake
from bot.outcomes import Endpoints, Sender
from bot.statuses import Statuses
from models import walls
from models.ballot_keys import BallotKeys
from models.clock import Clock, MovableClock, SystemClock
from models.db import make_engine, open_engine
from models.sealed import Keyring
from services.organisations import OrganisationKeyring
from settings import Settings

ROOT = Path(__file__).resolve().parent
# One connection for who leads a batch of messages, one for who leads statuses, one in reserve.
_MESSAGE_PATH_CONNECTIONS = 3
_CONNECTIONS = 10
OPEN_FILES = 65_536


@dataclass(frozen=True, slots=True)
class Databases:
    """The ways into one database: ordinary work, the message path, and delivery of all messages."""

    engine: Engine
    message_path: Engine
    delivery: Engine
    owner_url: str


class Homeline:
    """Settings, keys, clock, database and the chat front of one process."""

    root = ROOT

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.keyring = Keyring(settings.master_keys)
        self._lock = threading.RLock()
        self._databases: Databases | None = None
        self._membership: private_server.Membership | None = None

    @property
    def engine(self) -> Engine:
        """For ordinary work."""
        return self.open().engine

    @property
    def message_path(self) -> Engine:
        """For models/message_path.py: few connections, pinned plans."""
        return self.open().message_path

    @cached_property
    def clock(self) -> Clock:
        """The machine's clock; in development one that can be moved, the same for all processes."""
        return MovableClock(self.engine) if self.settings.development else SystemClock()

    @cached_property
    def keys(self) -> OrganisationKeyring:
        """The open keys of organisations."""
        return OrganisationKeyring(self.engine, self.keyring)

    @cached_property
    def directory(self) -> Directory:
        """Finds channels."""
        return Directory(self.engine, self.keys)

    @cached_property
    def ballots(self) -> BallotKeys:
        """The keys of open secret polls."""
        return BallotKeys(self.settings.ballot_keys)

    @cached_property
    def ringer(self) -> Ringer:
        """Wakes the workers of this machine."""
        return Ringer(self.settings.data)

    @cached_property
    def intake(self) -> Intake:
        """Takes messages in."""
        engines = (self.engine, self.message_path)
        return Intake(*engines, self.keyring, self.keys, self.clock, self.ringer, self.ballots)

    @cached_property
    def groups(self) -> Groups:
        """Hears what is said to us in groups, and posts polls there."""
        url = self.settings.telegram_api_url
        return Groups(self.engine, self.keyring, self.keys, self.directory, self.clock, url)

    @cached_property
    def sender(self) -> Sender:
        """Sends claimed messages."""
        settings = self.settings
        endpoints = Endpoints(
            settings.telegram_api_url, settings.twilio_api_url, settings.public_url
        )
        contents = StoredContents(self.engine)
        return Sender(self.directory, self.keyring, self.clock, endpoints, contents)

    @cached_property
    def statuses(self) -> Statuses:
        """Records what providers say about messages sent."""
        return Statuses(self.engine, self.message_path, self.clock)

    def open(self) -> Databases:
        """Open the database, joining the private server if no other is named.

        Raises walls.RoleTooStrong, private_server.PrivateServerError or sqlalchemy's errors.
        """
        with self._lock:
            if self._databases is None:
                self._databases = self._open()
            return self._databases

    def owner_url(self) -> str:
        """Return the address of the role that owns the tables and migrates them."""
        return self._urls()[1]

    def close(self) -> None:
        """Give up connections and the private server; may be called more than once."""
        with self._lock:
            for leading in ("intake", "statuses"):
                if leading in vars(self):
                    getattr(self, leading).close()
            if self._databases is not None:
                self._databases.engine.dispose()
                self._databases.message_path.dispose()
                self._databases.delivery.dispose()
                self._databases = None
            if self._membership is not None:
                self._membership.leave()
                self._membership = None
                atexit.unregister(self.close)

    def _open(self) -> Databases:
        url, owner_url = self._urls()
        development = self.settings.development
        return Databases(
            engine=open_engine(
                url,
                development=development,
                pool_size=_CONNECTIONS,
                max_overflow=0,
                pool_timeout=10,
                pool_recycle=1800,
            ),
            message_path=open_engine(
                url,
                development=development,
                pinned_plans=True,
                pool_size=_MESSAGE_PATH_CONNECTIONS,
                max_overflow=0,
                pool_pre_ping=False,
            ),
            delivery=open_engine(
                url,
                development=development,
                pinned_plans=True,
                system=True,
                pool_size=1,
                max_overflow=0,
                pool_pre_ping=False,
            ),
            owner_url=owner_url,
        )

    def _urls(self) -> tuple[str, str]:
        """Return the address to serve with and the one to migrate with."""
        settings = self.settings
        if settings.database_url:
            return settings.database_url, settings.database_owner_url or settings.database_url
        with self._lock:
            if self._membership is None:
                self._membership = private_server.join(settings.data)
                atexit.register(self.close)
            urls = self._membership.urls
        return urls.app, urls.owner


@contextmanager
def opened(settings: Settings) -> Iterator[Homeline]:
    """Give a Homeline for the length of a block."""
    homeline = Homeline(settings)
    try:
        yield homeline
    finally:
        homeline.close()


def settle() -> None:
    """Take all that is loaded by now out of the garbage collector's rounds, and make them rare.

    For processes that serve, once they are ready: going through what stays for ever took a tenth
    of the web process. What a message leaves behind ends by reference counting.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def widen() -> None:
    """Let this process keep as many connections open as the system allows, within reason."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(most, OPEN_FILES)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def upgrade(homeline: Homeline, revision: str = "head") -> None:
    """Bring the tables up to a revision, as their owner.

    Raises walls.RoleTooStrong outside development when the owner could walk through the walls.
    """
    engine = make_engine(homeline.owner_url())
    try:
        with engine.connect() as connection:
            walls.check_role(connection, development=homeline.settings.development)
            connection.rollback()
            config = _alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()


def take_statistics(homeline: Homeline) -> None:
    """Let the planner know the tables as they are, as their owner; a restored database knows none.

    Without it what a person's rows are found by is guessed, and erasing reads whole tables.
    """
    engine = make_engine(homeline.owner_url())
    try:
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))
    finally:
        engine.dispose()


def revisions(connection: Connection) -> tuple[str | None, str | None]:
    """Return the revision the database has and the one this code expects."""
    has = MigrationContext.configure(connection).get_current_revision()
    return has, _head()


@cache
def _head() -> str | None:
    return ScriptDirectory.from_config(_alembic()).get_current_head()


def write_revision(homeline: Homeline, name: str) -> Path:
    """Write the next migration from the difference between models and tables; return its file."""
    engine = make_engine(homeline.owner_url())
    try:
        with engine.connect() as connection:
            config = _alembic()
            config.attributes["connection"] = connection
            head = ScriptDirectory.from_config(config).get_current_head()
            number = f"{int(head or 0) + 1:04d}"
            script = command.revision(config, name, autogenerate=True, rev_id=number)
    finally:
        engine.dispose()
    if not isinstance(script, Script):
        raise TypeError("one migration was asked for")
    return Path(script.path)


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config
