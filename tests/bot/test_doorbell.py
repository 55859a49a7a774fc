"""A ring wakes the workers of this machine; a lost one harms nobody."""

import socket
from pathlib import Path

import pytest

from bot.doorbell import Bell, Ringer, bell_folder


def rings(bell: Bell) -> bool:
    try:
        return bell.socket.recv(8) == b"\a"
    except BlockingIOError:
        return False


def test_a_ring_reaches_the_bell(tmp_path: Path) -> None:
    bell = Bell(tmp_path, "worker")
    Ringer(tmp_path).ring()
    assert rings(bell)
    bell.close()


def test_ringing_where_no_bell_hangs_is_no_error(tmp_path: Path) -> None:
    Ringer(tmp_path).ring()
    Ringer(tmp_path / "nowhere").ring()


def test_a_bell_whose_worker_died_is_taken_down_by_the_next(tmp_path: Path) -> None:
    folder = bell_folder(tmp_path)
    folder.mkdir(parents=True)
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    dead.bind(str(folder / "999999.bell"))
    dead.close()
    ringer = Ringer(tmp_path)
    ringer.ring()
    bell = Bell(tmp_path, "worker")
    assert [one.name for one in folder.glob("*.bell")] == [bell._path.name]
    bell.close()


def test_a_full_bell_does_not_hold_up_the_ringer(tmp_path: Path) -> None:
    bell, ringer = Bell(tmp_path, "worker"), Ringer(tmp_path)
    for _ in range(5000):
        ringer.ring()
    assert rings(bell)
    bell.heard()
    assert not rings(bell)
    bell.close()


@pytest.mark.parametrize("depth", [1, 20])
def test_a_long_path_has_a_short_bell(tmp_path: Path, depth: int) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-name"] * depth)
    bell, ringer = Bell(deep, "worker"), Ringer(deep)
    ringer.ring()
    assert rings(bell)
    bell.close()
