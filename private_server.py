"""A private PostgreSQL in the data folder, for development, tests and the demo.

    with private_server(Path("var")) as urls:
        connect(urls.app)

Every process that uses the server holds a shared lock on a users file; starting and stopping happen
under an exclusive start lock; who leaves stops the server if nobody else holds the users file. The
kernel drops the locks of a killed process, and the server lives in its own session, so `kill -9` of
any user, or of the server itself, loses no committed row. The server listens on a socket only.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from private_place import Binaries, Place, PrivateServerError, binaries_for, forget, place_for

__all__ = ["Membership", "PrivateServerError", "Urls", "join", "private_server"]

SUPERUSER = "homeline_superuser"
OWNER = "homeline_owner"
APP = "homeline_app"
DATABASE = "homeline"
_START_SECONDS = 60.0
_RESTART_SECONDS = 10.0
_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Urls:
    """Addresses of the database `homeline` for each role; the first two are the ordinary ones."""

    owner: str
    app: str
    superuser: str


class Membership:
    """One process's use of the private server; `leave` may be called more than once."""

    def __init__(self, data: Path, place: Place, users: int, *, throwaway: bool) -> None:
        self.urls = _urls(place)
        self._data = data
        self._place = place
        self._users = users
        self._throwaway = throwaway
        self._process = os.getpid()
        self._left = False

    def leave(self) -> None:
        """Give up the server, and stop it when nobody else uses it."""
        if self._left:
            return
        self._left = True
        if os.getpid() != self._process:  # a forked child shares its parent's lock
            os.close(self._users)
            return
        with _start_lock(self._data):
            with suppress(BlockingIOError):
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _stop(self._place)
                if self._throwaway:
                    forget(self._data, self._place)
            os.close(self._users)


@contextmanager
def private_server(data: Path, *, throwaway: bool = False) -> Iterator[Urls]:
    """Give the private server's addresses for the length of a block. Arguments as for `join`."""
    membership = join(data, throwaway=throwaway)
    try:
        yield membership.urls
    finally:
        membership.leave()


def join(data: Path, *, throwaway: bool = False) -> Membership:
    """Start using the private server of a data folder, starting it when it does not run.

    `throwaway` is for tests: nothing waits for the disk, and the last to leave removes all files.
    Raises PrivateServerError with a sentence on what to do.
    """
    data = data.resolve()
    try:
        data.mkdir(mode=0o711, parents=True, exist_ok=True)
        with _start_lock(data):
            users = os.open(data / "postgres.users", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(users, fcntl.LOCK_SH)
                place = place_for(data)
                _ensure_running(place, throwaway=throwaway)
            except BaseException:
                os.close(users)
                raise
    except PermissionError as error:
        raise PrivateServerError(
            f"{error.filename or data} belongs to another user. Run as that user, or choose "
            "another HOMELINE_DATA, or set DATABASE_URL."
        ) from error
    return Membership(data, place, users, throwaway=throwaway)


@contextmanager
def _start_lock(data: Path) -> Iterator[None]:
    try:
        file = os.open(data / "postgres.start", os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:  # the data folder was deleted under us: nobody else can start there
        yield
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _ensure_running(place: Place, *, throwaway: bool) -> None:
    """Return once the server answers.

    The first starts after a kill may fail, for as long as the dead server's children are leaving.
    """
    pid: int | None = None
    began = time.monotonic()
    while not _prepared(place):
        waited = time.monotonic() - began
        gone = pid is None or not _alive(pid)
        if waited > _START_SECONDS or (gone and waited > _RESTART_SECONDS):
            raise PrivateServerError(
                f"The private database server did not start. Its last words:\n{_tail(place)}"
            )
        if gone:
            pid = _running(place) or _launch(place, throwaway=throwaway)
        time.sleep(0.02)


def _launch(place: Place, *, throwaway: bool) -> int:
    binaries = binaries_for(place)
    _make_cluster(place, binaries, throwaway=throwaway)
    return _start(place, binaries, throwaway=throwaway)


def _make_cluster(place: Place, binaries: Binaries, *, throwaway: bool) -> None:
    """Make the cluster aside and rename it, so that a kill in between leaves no half of one."""
    if (place.cluster / "PG_VERSION").exists():
        return
    half = place.folder / "cluster.new"
    place.account.run("rm", "-rf", str(half))
    locale = ["--locale=C"]
    if binaries.major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    elif sys.platform == "linux":
        locale = ["--locale=C.UTF-8"]
    command = [binaries.program("initdb"), "--pgdata", str(half), "--username", SUPERUSER]
    command += ["--auth=trust", "--encoding=UTF8", *locale]
    done = place.account.run(*command, *(["--no-sync"] if throwaway else []))
    if done.returncode:
        raise PrivateServerError(f"initdb failed:\n{done.stderr.strip()}")
    half.rename(place.cluster)


def _start(place: Place, binaries: Binaries, *, throwaway: bool) -> int:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(place.sockets).replace(",", r"\,"),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # no values of rows and no statements in the log
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
    }
    if throwaway:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command = [binaries.program("postgres"), "-D", str(place.cluster), *options]
    (place.cluster / "postmaster.pid").unlink(missing_ok=True)  # _running found nobody behind it
    with (place.folder / "server.log").open("ab") as log:
        # The shell leaves at once: the server is nobody's child here and no zombie when killed.
        started = place.account.run(
            *["/bin/sh", "-c", '"$@" </dev/null >&2 & echo $!', "sh", *command],
            capture_output=False,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    return int(started.stdout)


def _stop(place: Place) -> None:
    pid = _running(place)
    if pid is None:
        return
    for sign in (signal.SIGINT, signal.SIGQUIT):  # fast, then at once
        with suppress(ProcessLookupError):
            os.kill(pid, sign)
        deadline = time.monotonic() + _STOP_SECONDS
        while _alive(pid):
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        else:
            return


def _running(place: Place) -> int | None:
    """Return the process that serves this folder, never a zombie or a stranger with its number."""
    try:
        pid = int((place.cluster / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    if not _alive(pid):
        return None
    with suppress(FileNotFoundError, PermissionError):
        if not Path(os.readlink(f"/proc/{pid}/cwd")).samefile(place.cluster):  # noqa: PTH115 - a deleted folder has no path
            return None
    return pid


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(FileNotFoundError, IndexError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}
    return Path("/proc/self").exists() is False


def _prepared(place: Place) -> bool:
    """Say whether the server answers; make roles and database when they are missing."""
    try:
        connection = psycopg.connect(
            _url(place, SUPERUSER, "postgres"), autocommit=True, connect_timeout=2
        )
    except psycopg.OperationalError:
        return False
    with connection:
        known = {row[0] for row in connection.execute("select rolname from pg_roles")}
        limits = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE"
        for role, more in ((OWNER, "CREATEDB"), (APP, "NOCREATEDB")):
            if role not in known:
                connection.execute(f"CREATE ROLE {role} {limits} {more}")
        found = connection.execute("select 1 from pg_database where datname = %s", (DATABASE,))
        if found.fetchone() is None:
            statement = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(statement.format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))
    return True


def _urls(place: Place) -> Urls:
    owner, app, superuser = (_url(place, role, DATABASE) for role in (OWNER, APP, SUPERUSER))
    return Urls(owner, app, superuser)


def _url(place: Place, role: str, database: str) -> str:
    return f"postgresql://{role}@/{database}?host={quote(str(place.sockets), safe='')}&port=5432"


def _tail(place: Place) -> str:
    log = place.folder / "server.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-15:])
