"""The private database: shared, stopped by the last, and never losing a committed row."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import private_place
from private_server import Membership, PrivateServerError, join, private_server

ROOT = Path(__file__).resolve().parents[2]
USER = """
import sys
from pathlib import Path
import psycopg
from private_server import join
urls = join(Path(sys.argv[1])).urls
connection = psycopg.connect(urls.owner, autocommit=True)
connection.execute("create table if not exists rows (number int)")
for number in range(1_000_000):
    connection.execute("insert into rows values (%s)", (number,))
    print(number, flush=True)
"""


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "with a space" / "var"
    yield folder
    if folder.exists():
        place = private_place.place_for(folder)
        private_place.forget(folder, place)


def server_pid(data: Path) -> int:
    place = private_place.place_for(data)
    return int((place.cluster / "postmaster.pid").read_text(encoding="utf-8").split()[0])


def answers(membership: Membership) -> bool:
    try:
        psycopg.connect(membership.urls.app, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def start_user(data: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(data)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_two_users_share_one_server_and_the_last_stops_it(data: Path) -> None:
    first = join(data, throwaway=True)
    second = join(data, throwaway=True)
    pid = server_pid(data)
    first.leave()
    assert answers(second)
    assert server_pid(data) == pid
    second.leave()
    assert not answers(second)


def test_leaving_twice_is_leaving_once(data: Path) -> None:
    first = join(data, throwaway=True)
    second = join(data, throwaway=True)
    first.leave()
    first.leave()
    assert answers(second)
    second.leave()


def test_both_roles_stand_behind_the_walls(data: Path) -> None:
    with private_server(data, throwaway=True) as urls:
        for url in (urls.owner, urls.app):
            with psycopg.connect(url) as connection:
                strong = connection.execute(
                    "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"
                ).fetchone()
                assert strong == (False,)
        refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
        with psycopg.connect(urls.app) as connection, refused:
            connection.execute("create table mine (id int)")


def test_nothing_listens_on_the_network(data: Path) -> None:
    with private_server(data, throwaway=True) as urls, psycopg.connect(urls.app) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)


def test_killing_a_user_and_the_server_loses_no_committed_row(data: Path) -> None:
    user = start_user(data)
    assert user.stdout is not None
    committed = -1
    while committed < 50:
        committed = int(user.stdout.readline())
    user.kill()
    os.kill(server_pid(data), signal.SIGKILL)
    said = user.stdout.read().split()
    user.wait()
    user.stdout.close()
    committed = int(said[-1]) if said else committed
    with private_server(data) as urls, psycopg.connect(urls.owner) as connection:
        found = connection.execute("select count(*) from rows where number <= %s", (committed,))
        assert found.fetchone() == (committed + 1,)


def test_a_killed_user_neither_stops_the_server_nor_keeps_it(data: Path) -> None:
    user = start_user(data)
    assert user.stdout is not None
    user.stdout.readline()
    pid = server_pid(data)
    user.kill()
    user.wait()
    user.stdout.close()
    membership = join(data)
    assert server_pid(data) == pid
    membership.leave()
    assert not answers(membership)


def test_data_of_another_version_is_refused_in_words(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.mkdir(parents=True)
    place = private_place.place_for(data)
    place.cluster.mkdir()
    (place.cluster / "PG_VERSION").write_text("9\n", encoding="ascii")
    with pytest.raises(PrivateServerError, match="made by PostgreSQL 9"):
        join(data)


def test_without_any_server_three_ways_are_named(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The search itself is the subject: this machine may well have a server.
    monkeypatch.setattr(private_place, "_candidates", lambda: iter(()))
    with pytest.raises(PrivateServerError) as caught:
        join(data)
    for way in ("DATABASE_URL", "development requirements", "system's packages"):
        assert way in str(caught.value)


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    long = tmp_path / ("a" * 60) / ("b" * 60)
    with private_server(long, throwaway=True) as urls:
        psycopg.connect(urls.app).close()
        place = private_place.place_for(long)
        assert len(str(place.sockets / ".s.PGSQL.5432")) < 100
    assert not place.sockets.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_as_root_the_server_runs_as_another_user_outside_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with private_server(closed / "var", throwaway=True):
        place = private_place.place_for(closed / "var")
        assert place.account.uid != 0
        assert not place.folder.is_relative_to(closed)
        pointer = (closed / "var" / "postgres.at").read_text(encoding="utf-8").strip()
        assert Path(pointer) == place.folder
    shutil.rmtree(place.folder.with_name(place.folder.name + "-left"), ignore_errors=True)
