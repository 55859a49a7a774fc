"""Messages that wait together are handled together, and nobody waits for ever."""

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from bot.batches import GATHER, GATHER_FROM, Batches

Item = tuple[str, int]
WAIT = 10


class Recorder:
    """Notes each batch; the first one waits until it is let go."""

    def __init__(self, *, hold: bool = False) -> None:
        self.batches: list[list[Item]] = []
        self.leading = 0
        self.most_leaders = 0
        self.held = threading.Event()
        self.entered = threading.Event()
        if not hold:
            self.held.set()

    def __call__(self, items: Sequence[Item]) -> list[int | BaseException]:
        self.leading += 1
        self.most_leaders = max(self.most_leaders, self.leading)
        self.entered.set()
        assert self.held.wait(WAIT)
        self.batches.append(list(items))
        self.leading -= 1
        return [ValueError(str(n)) if n < 0 else n * 10 for _, n in items]


def waiting(batches: Batches[Item, int], many: int) -> None:
    """Return once so many wait behind the leader."""
    for _ in range(WAIT * 1000):
        with batches._lock:
            if len(batches._waiting) >= many:
                return
        threading.Event().wait(0.001)
    raise AssertionError("they never came")


def test_one_alone_is_a_batch_of_one() -> None:
    work = Recorder()
    assert Batches(work).handle(("a", 4), group="g", place="a") == 40
    assert work.batches == [[("a", 4)]]


def test_those_who_wait_meanwhile_go_together_and_one_of_them_leads() -> None:
    work = Recorder(hold=True)
    batches = Batches(work)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(batches.handle, ("first", 1), group="g", place="first")
        assert work.entered.wait(WAIT)
        rest = [
            pool.submit(batches.handle, (str(n), n), group="g", place=str(n)) for n in range(2, 9)
        ]
        waiting(batches, 7)
        work.held.set()
        assert first.result(WAIT) == 10
        assert [one.result(WAIT) for one in rest] == [n * 10 for n in range(2, 9)]
    assert [len(batch) for batch in work.batches] == [1, 7]


def test_messages_of_one_address_are_never_in_one_batch_and_keep_their_order() -> None:
    work = Recorder(hold=True)
    batches = Batches(work)
    with ThreadPoolExecutor(9) as pool:
        jobs = [pool.submit(batches.handle, ("x", 0), group="g", place="x")]
        assert work.entered.wait(WAIT)
        for n, place in enumerate(["a", "b", "a", "a", "b"], start=1):
            jobs.append(pool.submit(batches.handle, (place, n), group="g", place=place))
            waiting(batches, n)
        work.held.set()
        for job in jobs:
            job.result(WAIT)
    said = [item for batch in work.batches for item in batch]
    assert [n for place, n in said if place == "a"] == [1, 3, 4]
    assert [n for place, n in said if place == "b"] == [2, 5]
    assert all(len({place for place, _ in batch}) == len(batch) for batch in work.batches)


def test_a_batch_belongs_to_one_channel() -> None:
    work = Recorder(hold=True)
    batches = Batches(work)
    with ThreadPoolExecutor(9) as pool:
        jobs = [pool.submit(batches.handle, ("x", 0), group="g", place="x")]
        assert work.entered.wait(WAIT)
        for n in range(1, 5):
            group = "sms" if n % 2 else "telegram"
            jobs.append(pool.submit(batches.handle, (group, n), group=group, place=n))
        waiting(batches, 4)
        work.held.set()
        for job in jobs:
            job.result(WAIT)
    assert all(len({group for group, _ in batch}) == 1 for batch in work.batches)


def test_an_exception_reaches_its_own_thread_only() -> None:
    work = Recorder(hold=True)
    batches = Batches(work)
    with ThreadPoolExecutor(9) as pool:
        jobs = [pool.submit(batches.handle, ("x", 0), group="g", place="x")]
        assert work.entered.wait(WAIT)
        for n in (1, -2, 3):
            jobs.append(pool.submit(batches.handle, (str(n), n), group="g", place=n))
        waiting(batches, 3)
        work.held.set()
        assert jobs[1].result(WAIT) == 10
        with pytest.raises(ValueError, match="-2"):
            jobs[2].result(WAIT)
        assert jobs[3].result(WAIT) == 30


@pytest.mark.parametrize("broken", ["raises", "gives too few"])
def test_work_that_breaks_tells_its_batch_and_the_next_goes_on(broken: str) -> None:
    asked = Counter[str]()

    def work(items: Sequence[Item]) -> list[int]:
        asked["batches"] += 1
        if asked["batches"] == 1:
            if broken == "raises":
                raise RuntimeError("broken")
            return []
        return [n for _, n in items]

    batches: Batches[Item, int] = Batches(work)
    with pytest.raises((RuntimeError, ValueError)):
        batches.handle(("a", 1), group="g", place="a")
    assert batches.handle(("a", 2), group="g", place="a") == 2


def test_two_hundred_threads_all_get_their_answer_and_nobody_leads_beside_another() -> None:
    work = Recorder()
    batches = Batches(work)
    dice = Random(5)
    places = [str(dice.randrange(60)) for _ in range(4000)]
    ready = threading.Barrier(200)

    def talk(thread: int) -> None:
        ready.wait(WAIT)
        for n in range(thread, len(places), 200):
            assert batches.handle((places[n], n), group=n % 3, place=places[n]) == n * 10

    with ThreadPoolExecutor(200) as pool:
        for job in [pool.submit(talk, thread) for thread in range(200)]:
            job.result(60)
    assert work.most_leaders == 1
    assert sum(len(batch) for batch in work.batches) == 4000
    assert max(len(batch) for batch in work.batches) <= 64
    assert not batches._waiting
    assert not batches._led


def test_only_after_a_large_batch_are_others_let_come(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Recorder(hold=True)
    batches = Batches(work)
    pauses: list[float] = []
    with ThreadPoolExecutor(GATHER_FROM + 3) as pool:

        def late(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 1:
                pool.submit(batches.handle, ("late", 1), group="g", place="late")
                waiting(batches, 2)

        monkeypatch.setattr("bot.batches.time.sleep", late)
        asked = [pool.submit(batches.handle, ("first", 1), group="g", place="first")]
        assert work.entered.wait(WAIT)
        for number in range(GATHER_FROM):
            place = f"many-{number}"
            asked.append(pool.submit(batches.handle, (place, 1), group="g", place=place))
        waiting(batches, GATHER_FROM)
        work.held.set()
        assert [one.result(WAIT) for one in asked] == [10] * (GATHER_FROM + 1)
        assert pauses == []
        assert batches.handle(("next", 1), group="g", place="next") == 10
        assert pauses == [GATHER]
        assert batches.handle(("last", 1), group="g", place="last") == 10
    assert pauses == [GATHER]
    assert [len(batch) for batch in work.batches] == [1, GATHER_FROM, 2, 1]
