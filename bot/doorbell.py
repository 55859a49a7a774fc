"""A bell between the processes of one machine: "there is something to send".

A ring is one byte to the Unix datagram socket of each worker; it costs a microsecond, waits for
nobody and may be lost: workers also look by themselves (design decision 3, docs/adr/).
"""

import contextlib
import hashlib
import os
import socket
import tempfile
import time
from pathlib import Path

LONGEST_PATH = 90
LOOK_AGAIN_AFTER = 1.0


def bell_folder(data: Path) -> Path:
    """Where this installation's bells hang; a short path, since socket paths are bounded."""
    folder = data / "bells"
    if len(str(folder)) > LONGEST_PATH:
        digest = hashlib.sha256(str(data).encode()).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"homeline-{digest}"
    return folder


class Ringer:
    """Rings the bells of all workers of this machine."""

    def __init__(self, data: Path) -> None:
        self._folder = bell_folder(data)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._bells: list[str] = []
        self._looked_at = float("-inf")

    def ring(self) -> None:
        """Wake every worker that hears; errors are ignored, a worker looks by itself too."""
        if time.monotonic() - self._looked_at > LOOK_AGAIN_AFTER:
            self._looked_at = time.monotonic()
            self._bells = [str(bell) for bell in self._folder.glob("*.bell")]
        for bell in self._bells:
            with contextlib.suppress(OSError):
                self._socket.sendto(b"\a", bell)


class Bell:
    """The bell one worker listens to; give ``socket`` to the event loop."""

    def __init__(self, data: Path) -> None:
        folder = bell_folder(data)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _take_down_silent(folder)
        self._path = folder / f"{os.getpid()}.bell"
        self._path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(str(self._path))

    def drain(self) -> None:
        """Take away all rings heard so far."""
        with contextlib.suppress(BlockingIOError):
            while self.socket.recv(64):
                pass

    def close(self) -> None:
        """Take the bell down."""
        self.socket.close()
        self._path.unlink(missing_ok=True)


def _take_down_silent(folder: Path) -> None:
    """Remove the bells of workers that are gone."""
    for bell in folder.glob("*.bell"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(str(bell))
            except OSError:
                bell.unlink(missing_ok=True)
