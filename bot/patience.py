"""Waiting out a short absence of the database, so that providers need not notice a restart.

Twilio gives a message up after few tries, so a webhook that can wait is worth more than a quick
503. Only some threads may wait: the others keep answering, health checks among them.
"""

import time
from collections.abc import Callable
from threading import BoundedSemaphore
from typing import TypeVar

from services.errors import Unavailable

Result = TypeVar("Result")
SECONDS = 1.5
PAUSE = 0.1
MOST_WAITING = 32


class Patience:
    """Tries again for a while what is Unavailable, for at most so many threads at once."""

    def __init__(self, seconds: float = SECONDS, most: int = MOST_WAITING) -> None:
        self._seconds = seconds
        self._places = BoundedSemaphore(most)

    def run(self, work: Callable[[], Result]) -> Result:
        """The result of the work; Unavailable when it stays so, or too many wait already."""
        deadline = time.monotonic() + self._seconds
        try:
            return work()
        except Unavailable:
            if not self._places.acquire(blocking=False):
                raise
        try:
            return self._again(work, deadline)
        finally:
            self._places.release()

    def _again(self, work: Callable[[], Result], deadline: float) -> Result:
        while True:
            time.sleep(PAUSE)
            try:
                return work()
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
