"""Which claimed messages a worker has begun to send, noted where a killed process leaves it.

A worker that dies holds claims: some were on their way, some had not been touched. The note is a
file mapped into memory, written before the first byte leaves and without any call to the system.
What is claimed and not in it never left, so another worker may send it. The kernel keeps the pages
of a killed process, but not of a machine that went down: a note from before the last start of the
machine is not believed, and leases decide as always.
"""

import fcntl
import mmap
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

BOOT = Path("/proc/sys/kernel/random/boot_id")
SLOTS = 4096
_ID = 16
_NAME = 200
_HEAD = 256
_EMPTY = bytes(_ID)
_FULL = 255
_SUFFIX = ".begun"


def notes_folder(data: Path) -> Path:
    """Where the notes of this installation's workers lie."""
    return data / "begun"


class Begun:
    """The note of one worker, whose name no worker had before; ``close`` when all is recorded."""

    def __init__(self, data: Path, worker: str) -> None:
        folder = notes_folder(data)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"{os.getpid()}-{os.urandom(4).hex()}{_SUFFIX}"
        making = self._path.with_suffix(".new")
        self._file = making.open("w+b")
        self._file.truncate(_HEAD + SLOTS * _ID)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._map = mmap.mmap(self._file.fileno(), 0)
        head = _boot().ljust(40, b"\0") + worker.encode()[:_NAME]
        self._map[: len(head)] = head
        making.rename(self._path)
        self._free = list(range(_HEAD, _HEAD + SLOTS * _ID, _ID))
        self._taken: dict[UUID, int] = {}

    def begin(self, message_id: UUID) -> None:
        """Note that the message may leave from now on."""
        if message_id in self._taken:
            return
        if not self._free:
            self._map[_FULL] = 1  # an incomplete note is no note
            return
        place = self._taken[message_id] = self._free.pop()
        self._map[place : place + _ID] = message_id.bytes

    def forget(self, message_ids: Iterable[UUID]) -> None:
        """Strike out messages whose outcome the database knows."""
        for message_id in message_ids:
            place = self._taken.pop(message_id, None)
            if place is not None:
                self._map[place : place + _ID] = _EMPTY
                self._free.append(place)

    def close(self) -> None:
        """Take the note away."""
        self._path.unlink(missing_ok=True)
        self._map.close()
        self._file.close()


@dataclass(frozen=True, slots=True)
class Left:
    """What a dead worker of this machine left: its name, and what it had begun to send."""

    path: Path
    worker: str
    begun: tuple[UUID, ...]

    def remove(self) -> None:
        """Nothing is leased to this worker any more."""
        self.path.unlink(missing_ok=True)


def left_behind(data: Path) -> Iterator[Left]:
    """The notes of workers that died since the machine started; others are taken away."""
    for path in sorted(notes_folder(data).glob(f"*{_SUFFIX}")):
        with suppress(OSError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # its worker lives
            left = _read(path, file.read())
            if left:
                yield left
            else:
                path.unlink(missing_ok=True)


def _read(path: Path, note: bytes) -> Left | None:
    boot, worker = note[:40].rstrip(b"\0"), note[40:240].rstrip(b"\0").decode()
    if not boot or boot != _boot() or note[_FULL]:
        return None
    slots = (note[place : place + _ID] for place in range(_HEAD, len(note), _ID))
    return Left(path, worker, tuple(UUID(bytes=slot) for slot in slots if slot != _EMPTY))


def _boot() -> bytes:
    """What tells this start of the machine from others; empty where the system does not say."""
    with suppress(OSError):
        return BOOT.read_bytes().strip()
    return b""
