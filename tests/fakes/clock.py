"""Time as the fakes tell it: dates can be moved, waits can be shortened."""

import asyncio
import time


class FakeClock:
    """`date()` is the wall clock plus what it was advanced by; waits are divided by `speed`.

    Durations the fakes measure (rate limits, expiry, retry schedules) run on `elapsed()`, which
    goes `speed` times as fast as the wall clock and jumps with `advance`.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._start = time.monotonic()
        self._before = 0.0
        self._advanced = 0.0
        self._sleepers: set[asyncio.Future[None]] = set()

    def date(self) -> float:
        """Unix seconds for what the provider writes into a message."""
        return time.time() + self._advanced

    def elapsed(self) -> float:
        """Provider seconds since the fake began."""
        return self._before + (time.monotonic() - self._start) * self.speed + self._advanced

    def set_speed(self, speed: float) -> None:
        """Run so many times as fast from now on."""
        now = time.monotonic()
        self._before += (now - self._start) * self.speed
        self._start, self.speed = now, speed
        self._rouse()

    def advance(self, seconds: float) -> None:
        """Let that much provider time pass at once."""
        self._advanced += seconds
        self._rouse()

    async def sleep(self, seconds: float) -> None:
        """Wait that many provider seconds; an `advance` shortens it."""
        loop = asyncio.get_running_loop()
        end = self.elapsed() + seconds
        while (left := end - self.elapsed()) > 0:
            sleeper = loop.create_future()
            self._sleepers.add(sleeper)
            timer = loop.call_later(left / self.speed, _wake, sleeper)
            try:
                await sleeper
            finally:
                timer.cancel()
                self._sleepers.discard(sleeper)

    def _rouse(self) -> None:
        """Let all sleepers look at the clock again; called from any thread."""
        for sleeper in tuple(self._sleepers):
            sleeper.get_loop().call_soon_threadsafe(_wake, sleeper)


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
