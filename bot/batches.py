"""Messages that wait at the same moment are handled together, led by one of their threads.

A webhook thread adds its message and, if nobody leads, takes the lead: it handles a batch that
holds its own message, wakes the threads whose messages are done, hands the lead to the first
thread still waiting and returns. A batch of one is the ordinary case and waits for nobody; only
after a large one does the next leader let others come for a moment. There is exactly one leader in
a process; the sequence number of a conversation keeps processes right.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Under load the threads of the last batch are about to bring their next messages, and a batch of
# forty costs little more than one of twenty: a tenth more answers, at no more latency (measured).
GATHER_FROM = 6
GATHER = 0.004
"""Seconds."""


class _Waiting(Generic[Item, Result]):
    """One thread's message, and the lock it sleeps on until it is done or is to lead."""

    __slots__ = ("error", "group", "item", "place", "result", "settled", "wake")

    def __init__(self, item: Item, group: Hashable, place: Hashable) -> None:
        self.item = item
        self.group = group
        self.place = place
        self.settled = False
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.wake = Lock()
        self.wake.acquire()

    def settle(self, result: Result | BaseException) -> None:
        if isinstance(result, BaseException):
            self.error = result
        else:
            self.result = result
        self.settled = True


class Batches(Generic[Item, Result]):
    """Gathers concurrent calls of ``handle`` into batches for ``work``.

    Items of one batch share their group (organisation and channel) and differ in their place
    (address), so the messages of one person are handled one after the other. ``work`` gives one
    result for each item, or an exception instance to raise in that item's thread.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Sequence[Result | BaseException]], most: int = 64
    ) -> None:
        self._work = work
        self._most = most
        self._lock = Lock()
        self._waiting: list[_Waiting[Item, Result]] = []
        self._led = False
        self._latest = 0

    def handle(self, item: Item, *, group: Hashable, place: Hashable) -> Result:
        """The result of this item, once the batch that held it is done."""
        mine: _Waiting[Item, Result] = _Waiting(item, group, place)
        with self._lock:
            self._waiting.append(mine)
            leads, self._led = not self._led, True
        if not leads:
            mine.wake.acquire()
        if not mine.settled:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error
        return mine.result  # type: ignore[return-value]  # settled without error

    def _lead(self, mine: _Waiting[Item, Result]) -> None:
        if self._latest >= GATHER_FROM:
            time.sleep(GATHER)
        batch = self._next(mine)
        self._latest = len(batch)
        try:
            results = self._work([w.item for w in batch])
            for waiting, result in zip(batch, results, strict=True):
                waiting.settle(result)
        except BaseException as error:  # noqa: BLE001 - raised again in every thread it concerns
            for waiting in batch:
                waiting.settle(error)
        self._hand_over()
        for waiting in batch:
            if waiting is not mine:
                waiting.wake.release()

    def _next(self, mine: _Waiting[Item, Result]) -> list[_Waiting[Item, Result]]:
        """The leader's message and those that may go with it; the others keep their order."""
        with self._lock:
            batch, places = [mine], {mine.place}
            rest: list[_Waiting[Item, Result]] = []
            held: set[Hashable] = set()
            for waiting in self._waiting:
                if waiting is mine:
                    continue
                fits = waiting.group == mine.group and len(batch) < self._most
                if fits and waiting.place not in places | held:
                    batch.append(waiting)
                    places.add(waiting.place)
                else:
                    rest.append(waiting)
                    held.add(waiting.place)
            self._waiting = rest
            return batch

    def _hand_over(self) -> None:
        with self._lock:
            successor = self._waiting[0] if self._waiting else None
            self._led = successor is not None
        if successor is not None:
            successor.wake.release()
