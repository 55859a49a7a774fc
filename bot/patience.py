"""Waiting out a short absence of the database, so that no message is given up by its provider.

Twilio gives a message up after six tries or 15 seconds in all (channels reference 3.3), so there a
webhook that waits is worth more than a quick 503: six waits fill the 15 seconds. Telegram comes
again for a day and takes no place. Only some threads may wait: the others keep answering, health
checks among them.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from threading import BoundedSemaphore
from typing import TypeVar

from services.errors import Unavailable

Result = TypeVar("Result")
SECONDS = 2.4
PAUSE = 0.1
MOST_WAITING = 48
GIVE_UP_SOON = frozenset({"sms", "whatsapp"})


class Patience:
    """Tries again for a while what is Unavailable, for at most so many threads at once."""

    def __init__(self, seconds: float = SECONDS, most: int = MOST_WAITING) -> None:
        self._seconds = seconds
        self._places = BoundedSemaphore(most)

    def run(self, work: Callable[[], Result], *, waits: bool = True) -> Result:
        """The result of the work; Unavailable when it stays so, or too many wait already.

        What does not wait is tried a second time at once: the connection may have been an old one.
        """
        deadline = time.monotonic() + self._seconds
        with suppress(Unavailable):
            return work()
        try:
            return work()
        except Unavailable:
            if not waits or not self._places.acquire(blocking=False):
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
