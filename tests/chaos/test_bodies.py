"""Bodies as a hostile network sends them, to a real web process over raw sockets."""

import gzip
import json
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.chaos.house import SECRET, Asked, House

LIMIT = 5.0
SILENT = 1500
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("bodies") / "house", Asked(webs=1, workers=0)) as house:
        yield house


def test_a_body_of_ten_megabytes_is_refused_without_being_kept(house: House) -> None:
    before = memory(house)
    for _ in range(5):
        assert send(house, b"x" * 10 * MEGABYTE) in (413, 0)
    assert memory(house) - before < 20 * MEGABYTE
    assert alive(house)


def test_a_body_without_a_length_is_refused_when_it_is_too_long(house: House) -> None:
    piece = b"%x\r\n" % 65536 + b"a" * 65536 + b"\r\n"
    raw = head(house, "Transfer-Encoding: chunked") + piece * 40 + b"0\r\n\r\n"
    assert answer(house, raw) in (413, 0)
    assert alive(house)


def test_a_compressed_body_is_not_blown_up(house: House) -> None:
    bomb = gzip.compress(b"0" * 50 * MEGABYTE)
    before = memory(house)
    assert send(house, bomb, "Content-Encoding: gzip") in (200, 400, 413, 415)
    assert memory(house) - before < 20 * MEGABYTE


@pytest.mark.parametrize("length", ["-1", "abc", "99999999999999999999", "5, 5", ""])
def test_a_length_that_lies_is_no_fault_of_ours(house: House, length: str) -> None:
    raw = head(house, f"Content-Length: {length}") + b'{"update_id": 1}'
    assert answer(house, raw) < 500
    assert alive(house)


def test_once_people_who_speak_slowly_are_gone_everybody_is_answered(house: House) -> None:
    """While they stay they hold our threads: a proxy that buffers bodies stands before us."""
    slow = []
    for _ in range(80):
        wire = socket.create_connection(("127.0.0.1", house.ports[0]), LIMIT)
        wire.sendall(head(house, "Content-Length: 1000") + b"{")
        slow.append(wire)
    for wire in slow:
        wire.close()
    assert alive(house)


def test_connections_that_are_kept_and_say_nothing_hold_up_nobody(house: House) -> None:
    """As a provider keeps them after a burst; a server that counts them would hear nobody else."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as kept:
        for _ in range(SILENT):
            kept.enter_context(socket.create_connection(("127.0.0.1", house.ports[0]), LIMIT))
        assert alive(house)


def test_a_request_torn_off_in_its_middle_leaves_nothing(house: House) -> None:
    kept = house.ask("select count(*) from quarantine")
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", house.ports[0]), LIMIT) as wire:
            wire.sendall(head(house, "Content-Length: 5000") + update(900)[:40])
    assert alive(house)
    assert house.ask("select count(*) from quarantine") == kept


# --- raw requests ---


def head(house: House, *more: str) -> bytes:
    lines = [
        f"POST {house.lines['telegram'].webhook('telegram')} HTTP/1.1",
        "Host: line.example",
        "Content-Type: application/json",
        f"X-Telegram-Bot-Api-Secret-Token: {SECRET}",
        "Connection: close",
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def send(house: House, body: bytes, *more: str) -> int:
    return answer(house, head(house, f"Content-Length: {len(body)}", *more) + body)


def answer(house: House, raw: bytes) -> int:
    """The status of the answer; 0 when the connection was closed on us instead."""
    began = time.monotonic()
    received = b""
    with socket.create_connection(("127.0.0.1", house.ports[0]), LIMIT) as wire:
        with suppress(OSError):  # it may answer and close before it has heard everything
            wire.sendall(raw)
        with suppress(ConnectionError):
            while b"\r\n" not in received and (piece := wire.recv(4096)):
                received += piece
    assert time.monotonic() - began < LIMIT
    return int(received.split()[1]) if received else 0


def update(number: int) -> bytes:
    person = {"id": 70_000 + number, "is_bot": False, "first_name": "Somebody"}
    chat = {"id": person["id"], "type": "private"}
    message = {"message_id": number, "date": 1_700_000_000, "from": person, "chat": chat}
    return json.dumps({"update_id": number, "message": message | {"text": "hello"}}).encode()


def alive(house: House) -> bool:
    return send(house, update(int(time.monotonic() * 1000))) == 200


def memory(house: House) -> int:
    """Resident bytes of the web process and its children."""
    process = house.webs[0].process
    assert process is not None
    total = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            stat = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(stat[2]) == process.pid:  # its process group
                total += int(stat[21]) * 4096
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total
