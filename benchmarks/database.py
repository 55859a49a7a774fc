"""A PostgreSQL of the benchmark's own: default durability, TCP on loopback, gone at the end."""

import atexit
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import psycopg

from benchmarks import processes

SUPERUSER = "bench"


class Cluster:
    """A running server. `url(database, user)` names a database in it; trust authentication."""

    def __init__(self, folder: pathlib.Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.port, self.process = folder, port, process

    def url(self, database: str, user: str = SUPERUSER, scheme: str = "postgresql") -> str:
        """A connection URL, for SQLAlchemy's asyncpg with another scheme."""
        return f"{scheme}://{user}@127.0.0.1:{self.port}/{database}"

    def execute(self, database: str, *statements: str) -> None:
        """Run statements one by one, each committed."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def version(self) -> str:
        """The server's version number."""
        with psycopg.connect(self.url("postgres")) as connection:
            row = connection.execute("show server_version").fetchone()
            return str(row[0]) if row else "?"

    def stop(self) -> None:
        """Stop the server and remove its files."""
        processes.stop(self.process, wait=30, by=signal.SIGINT)  # a fast shutdown
        shutil.rmtree(self.folder, ignore_errors=True)


def start(cpu: int | str, binaries: pathlib.Path, log: pathlib.Path) -> Cluster:
    """A new cluster on one core, in a temporary folder.

    Raises processes.NotStarted when it does not answer.
    """
    user = _unprivileged_user()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="homeline-bench-"))
    folder.chmod(0o755)
    data, port = folder / "pg", processes.free_port()
    data.mkdir(mode=0o700)
    if user:
        shutil.chown(data, user)
    made = subprocess.run(
        [binaries / "initdb", "-D", data, "-A", "trust", "-U", SUPERUSER, "-E", "UTF8"],
        user=user,
        cwd="/",
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise processes.NotStarted(f"initdb failed: {made.stderr.strip()}")
    with (data / "postgresql.conf").open("a") as conf:
        conf.write(
            f"\nlisten_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n"
            "max_connections = 200\nshared_buffers = 256MB\n"
        )
    process = processes.start(
        [str(binaries / "postgres"), "-D", str(data)],
        cpu=cpu,
        log=log,
        cwd=pathlib.Path("/"),
        user=user,
    )
    cluster = Cluster(folder, port, process)
    atexit.register(cluster.stop)
    _wait(cluster, log)
    return cluster


def find_binaries() -> pathlib.Path:
    """The folder with initdb and postgres: Debian's version 15 first, or the one on the path.

    15 is what the recorded figures were made with. Raises processes.NotStarted without any.
    """
    debian = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    candidates = sorted(debian, key=lambda path: path.parent.name != "15")
    if found := shutil.which("postgres"):
        candidates.append(pathlib.Path(found).resolve().parent)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise processes.NotStarted(
        "no PostgreSQL binaries: install postgresql (apt install postgresql-15) or name their "
        "folder with --postgres"
    )


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root; then it runs as postgres, or as nobody."""
    if os.geteuid():
        return None
    passwd = pathlib.Path("/etc/passwd").read_text()
    return "postgres" if "\npostgres:" in passwd else "nobody"


def _wait(cluster: Cluster, log: pathlib.Path, timeout: float = 30) -> None:
    end = time.monotonic() + timeout
    while time.monotonic() < end and cluster.process.poll() is None:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(cluster.url("postgres"), connect_timeout=2).close()
            return
        time.sleep(0.1)
    tail = log.read_text(errors="replace")[-500:]
    raise processes.NotStarted(f"PostgreSQL did not start: {tail}")
