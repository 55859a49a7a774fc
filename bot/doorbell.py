"""A bell between the processes of one machine: "there is something to send", or "send this".

A ring is one byte to the Unix datagram socket of each worker; it costs a microsecond, waits for
nobody and may be lost: workers also look by themselves (design decision 3, docs/adr/). Replies
that are written as claimed by a worker are handed over the same way, and whoever hands over is
told if nobody took them (docs/adr/0022-handed-over.md).
"""

import contextlib
import hashlib
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LONGEST_PATH = 60
LONGEST_HANDED = 128 * 1024
LOOK_AGAIN_AFTER = 1.0
_RING = b"\a"
_SUFFIX = ".bell"


def bell_folder(data: Path) -> Path:
    """Where this installation's bells hang; a short path, since socket paths are bounded."""
    folder = data / "bells"
    if len(str(folder)) > LONGEST_PATH:
        digest = hashlib.sha256(str(data).encode()).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"homeline-{digest}"
    return folder


class Ringer:
    """Rings the bells of all workers of this machine, and hands replies to one of them."""

    def __init__(self, data: Path) -> None:
        self._folder = bell_folder(data)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._bells: list[str] = []
        self._looked_at = float("-inf")
        self._turn = 0

    def ring(self) -> None:
        """Wake every worker that hears; errors are ignored, a worker looks by itself too."""
        for bell in self._hanging():
            with contextlib.suppress(OSError):
                self._socket.sendto(_RING, bell)

    def courier(self) -> str | None:
        """The name of a worker of this machine, each in turn; None if there is none."""
        bells = self._hanging()
        if not bells:
            return None
        self._turn += 1
        return Path(bells[self._turn % len(bells)]).stem

    def hand_over(self, courier: str, letters: Sequence[str], began: float) -> bool:
        """Whether the worker was given the letters, by which it sends what it holds a lease on.

        ``began`` is an instant of ``time.monotonic()`` from before the lease.
        """
        handed = "\n".join((repr(began), *letters)).encode()
        if len(handed) > LONGEST_HANDED:
            return False
        bell = str(self._folder / f"{courier}{_SUFFIX}")
        try:
            self._socket.sendto(handed, bell)
        except (ConnectionRefusedError, FileNotFoundError):
            self._bells = [one for one in self._bells if one != bell]
            return False
        except OSError:
            return False
        return True

    def _hanging(self) -> list[str]:
        now = time.monotonic()
        if now - self._looked_at > LOOK_AGAIN_AFTER:
            self._looked_at = now
            self._bells = [str(bell) for bell in self._folder.glob(f"*{_SUFFIX}")]
        return self._bells


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Letters for this worker, and an instant of ``time.monotonic()`` from before their lease."""

    letters: tuple[bytes, ...]
    began: float


class Bell:
    """The bell of one worker, whose name no worker had before; give ``socket`` to the loop."""

    def __init__(self, data: Path, worker: str) -> None:
        folder = bell_folder(data)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _take_down_silent(folder)
        self._path = folder / f"{worker}{_SUFFIX}"
        self._space = bytearray(LONGEST_HANDED)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(str(self._path))

    def heard(self) -> tuple[bool, list[HandedOver]]:
        """Whether the bell was rung, and what was handed over, since it was last asked."""
        rung, handed = False, []
        with contextlib.suppress(BlockingIOError):
            while size := self.socket.recv_into(self._space):
                if size == len(_RING):
                    rung = True
                else:
                    began, *letters = bytes(self._space[:size]).split(b"\n")
                    handed.append(HandedOver(tuple(letters), float(began)))
        return rung, handed

    def take_down(self) -> None:
        """Let nobody find the bell any more; what came before can still be heard."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Take the bell down and hear no more."""
        self.take_down()
        self.socket.close()


def _take_down_silent(folder: Path) -> None:
    """Remove the bells of workers that are gone."""
    for bell in folder.glob(f"*{_SUFFIX}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(str(bell))
            except OSError:
                bell.unlink(missing_ok=True)
