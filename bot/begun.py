"""Which claimed messages a worker has begun to send, noted where a killed process leaves it.

A worker that dies holds claims: some were on their way, some had not been touched, some had been
taken by the provider and were about to be recorded. The note is a file mapped into memory, written
just before the first byte leaves and again with the answer, without any call to the system. What is
claimed and not in it never left, so another worker may send it. The kernel keeps the pages of a
killed process, but not of a machine that went down: a note from before the last start of the
machine is not believed, and leases decide as always.
"""

import fcntl
import mmap
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

BOOT = Path("/proc/sys/kernel/random/boot_id")
SLOTS = 4096
_ID = 16
_SENT = struct.Struct("<16s16sd32s55p")
"""Message, organisation, when the provider took it, the text's hash (or zeros), its id there."""
_SLOT = 128
_TOLD = 72
_NAME = 200
_HEAD = 256
_EMPTY = bytes(_SLOT)
_NO_HASH = bytes(32)
_LONGEST = 54
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
        self._file.truncate(_HEAD + SLOTS * _SLOT)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._map = mmap.mmap(self._file.fileno(), 0)
        head = _boot().ljust(40, b"\0") + worker.encode()[:_NAME]
        self._map[: len(head)] = head
        making.rename(self._path)
        self._free = list(range(_HEAD, _HEAD + SLOTS * _SLOT, _SLOT))
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

    def taken(self, taken: "Taken") -> None:
        """Note that the provider has taken a message that was begun."""
        place = self._taken.get(taken.message_id)
        told = taken.provider_id.encode()
        if place is None or not told or len(told) > _LONGEST:
            return  # then nobody knows what became of it, if this worker dies now
        slot = _SENT.pack(
            taken.message_id.bytes,
            taken.organisation_id.bytes,
            taken.at.timestamp(),
            taken.text_hash or _NO_HASH,
            told,
        )
        self._map[place + _ID : place + _TOLD] = slot[_ID:_TOLD]
        self._map[place + _TOLD + 1 : place + len(slot)] = slot[_TOLD + 1 :]
        self._map[place + _TOLD] = slot[_TOLD]  # the length comes last: only then it is believed

    def forget(self, message_ids: Iterable[UUID]) -> None:
        """Strike out messages that did not leave, or whose outcome the database knows."""
        for message_id in message_ids:
            place = self._taken.pop(message_id, None)
            if place is not None:
                self._map[place : place + _SLOT] = _EMPTY
                self._free.append(place)

    def close(self) -> None:
        """Take the note away."""
        self._path.unlink(missing_ok=True)
        self._map.close()
        self._file.close()


@dataclass(frozen=True, slots=True)
class Taken:
    """A message the provider has taken, as it is to be recorded."""

    message_id: UUID
    organisation_id: UUID
    provider_id: str
    text_hash: bytes | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Left:
    """What a dead worker of this machine left: its name, what it had begun, what was taken of it.

    `begun` holds those that were taken, too.
    """

    path: Path
    worker: str
    begun: tuple[UUID, ...]
    taken: tuple[Taken, ...] = ()

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
    slots = [note[place : place + _SLOT] for place in range(_HEAD, len(note), _SLOT)]
    begun = tuple(UUID(bytes=slot[:_ID]) for slot in slots if any(slot[:_ID]))
    return Left(path, worker, begun, tuple(filter(None, map(_taken, slots))))


def _taken(slot: bytes) -> Taken | None:
    message, organisation, at, text_hash, told = _SENT.unpack_from(slot)
    if not any(message) or not told:
        return None
    return Taken(
        UUID(bytes=message),
        UUID(bytes=organisation),
        told.decode(),
        None if text_hash == _NO_HASH else text_hash,
        datetime.fromtimestamp(at, UTC),
    )


def _boot() -> bytes:
    """What tells this start of the machine from others; empty where the system does not say."""
    with suppress(OSError):
        return BOOT.read_bytes().strip()
    return b""
