"""One run of the outbox: people who wait, workers that send and are killed, what came of it."""

import asyncio
import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from subprocess import Popen

import psycopg

from benchmarks import ours, processes
from benchmarks.deliveries import Members, Serials
from benchmarks.outbox_provider import LimitedProvider
from benchmarks.targets import HERE, Place
from benchmarks.wire import Client

SILENT_FOR = 15.0
TARGETS = {"telegram": "ours", "sms": "ours-sms"}
_BUDGET = "update channel_budgets set rate = {0}, burst = {0}, tokens = {0}"
_STATUSES = "select status, count(*) from messages where lane = 2 group by status"
_WHAT_BECAME = (
    "select (c.origin->>'member')::bigint, m.status, m.attempts, m.error_code from messages m"
    " join contacts c on c.organisation_id = m.organisation_id and c.id = m.contact_id"
    " where m.lane = 2 and (c.origin->>'member')::bigint = any(%s) order by 1"
)


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of one run; rates are messages a second and channel."""

    messages: int
    channels: tuple[str, ...]
    rate: float
    latency: float
    workers: int
    kills: int
    stop: bool

    def people(self) -> dict[str, range]:
        """Who is written to over each channel; the last of each says STOP when that is asked."""
        share, first = self.messages // len(self.channels), Members().next_block()[0]
        return {
            kind: range(first + place * share, first + (place + 1) * share)
            for place, kind in enumerate(self.channels)
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of one run. CPU in ms a message, times in seconds; `kept` by channel.

    `in_doubt` has a line for each person who got nothing while the database says *unknown*, `lost`
    one for each other who got nothing. `cut_off` counts requests whose worker was killed before
    their answer.
    """

    sent: int
    seconds: float
    kept: Mapping[str, float]
    refused: int
    lost: list[str]
    in_doubt: list[str]
    cut_off: int
    doubled: int
    statuses: Mapping[str, int]
    kills: int
    confirmed_in: Mapping[str, float]
    after_stop: int
    worker_cpu: float
    database_cpu: float


class _Workers:
    """The worker processes, how much CPU they took in all, and their deaths."""

    def __init__(self, place: Place, command: ours.Command, number: int) -> None:
        self._place, self._command = place, command
        self._spent: dict[int, float] = {}
        self._before: dict[int, float] = {}
        self.running = [self._start() for _ in range(number)]
        self.kills = 0

    def _start(self) -> Popen[bytes]:
        return processes.start(
            self._command.arguments,
            cpu=self._place.server_cpu,
            log=self._place.logs / "worker.log",
            env=self._command.env,
            cwd=self._command.cwd,
        )

    def note(self, *, begin: bool = False) -> None:
        for each in self.running:
            self._spent[each.pid] = processes.cpu_seconds([each.pid])
            if begin:
                self._before[each.pid] = self._spent[each.pid]

    def spent(self) -> float:
        """CPU seconds since the beginning; starting anew after a death is counted."""
        return sum(self._spent.values()) - sum(self._before.values())

    def kill_one(self) -> None:
        self.note()
        victim = self.running.pop(0)
        victim.kill()
        victim.wait()
        self.kills += 1
        self.running.append(self._start())

    def stop(self) -> None:
        for each in self.running:
            processes.stop(each)


async def measure(place: Place, api_port: int, order: Order, python: str) -> Figures:
    """Queue the messages, send them, count. Raises NotStarted and TimeoutError."""
    provider = LimitedProvider(order.rate, order.latency)
    await provider.listen(api_port)
    home = ours.Homeline(place, python)
    keys = home.set_up()
    place.cluster.execute(ours.DATABASE, _BUDGET.format(order.rate))
    worker, web = home.commands()
    workers = _Workers(place, worker, order.workers)
    started = await _started(place, web) if order.stop else None
    try:
        await _ready(place, order.workers)
        people = order.people()
        await asyncio.to_thread(_queue, home, people)
        return await _Run(place, provider, order, people, workers).measure(home.targets(keys))
    finally:
        workers.stop()
        if started:
            processes.stop(started)


async def _started(place: Place, web: ours.Command) -> Popen[bytes]:
    process = processes.start(
        web.arguments, cpu=place.server_cpu, log=place.logs / "web.log", env=web.env, cwd=web.cwd
    )
    await processes.wait_port(process, place.port)
    return process


async def _ready(place: Place, workers: int) -> None:
    log = place.logs / "worker.log"
    async with asyncio.timeout(60):
        while log.read_text(errors="replace").count("worker.started") < workers:
            await asyncio.sleep(0.1)
    await asyncio.sleep(1.0)


def _queue(home: ours.Homeline, people: Mapping[str, range]) -> None:
    channels = {kind: [members.start, len(members)] for kind, members in people.items()}
    done = subprocess.run(
        [home.python, "-m", "benchmarks.outbox_people"],
        input=json.dumps(home.readable() | {"channels": channels, "waiting": True}),
        cwd=HERE.parent,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise processes.NotStarted(f"nobody could be invited: {done.stderr[-2000:]}")


class _Run:
    def __init__(
        self,
        place: Place,
        provider: LimitedProvider,
        order: Order,
        people: Mapping[str, range],
        workers: _Workers,
    ) -> None:
        self._place, self._provider, self._order = place, provider, order
        self._people, self._workers = people, workers
        self._confirmed: dict[str, float] = {}
        self._stopped = {members[-1] for members in people.values()} if order.stop else set()

    async def measure(self, targets: Mapping[str, ours.Target]) -> Figures:
        """Watch the queue being sent, with kills and STOPs spread over the time it takes."""
        heard, order = self._provider.heard, self._order
        while not heard.got:
            await asyncio.sleep(0.01)
        database = [self._place.cluster.process.pid]
        self._workers.note(begin=True)
        before = processes.cpu_seconds(database)
        kills = [order.messages * (n + 1) // (order.kills + 1) for n in range(order.kills)]
        stopping = asyncio.create_task(self._stop(targets)) if order.stop else None
        while not self._over():
            if kills and heard.got.total() >= kills[0]:
                kills.pop(0)
                await asyncio.to_thread(self._workers.kill_one)
            await asyncio.sleep(0.05)
        self._workers.note()
        spent = processes.cpu_seconds(database) - before
        if stopping:
            await stopping
        return self._figures(spent)

    def _over(self) -> bool:
        heard = self._provider.heard
        everybody = heard.got.total() >= self._order.messages + 2 * len(self._stopped)
        return everybody or time.perf_counter() - heard.last > SILENT_FOR

    async def _stop(self, targets: Mapping[str, ours.Target]) -> None:
        """One of those who wait on each channel says STOP, and is told so."""
        serials, heard = Serials(), self._provider.heard
        for kind, members in self._people.items():
            client, member = Client(self._place.port), members[-1]
            confirmed = asyncio.get_running_loop().create_future()
            heard.waiting[member] = confirmed
            began = time.perf_counter()
            request = targets[TARGETS[kind]].deliveries.request(member, "STOP", serials.next())
            await client.send(request)
            self._confirmed[kind] = await asyncio.wait_for(confirmed, 60) - began
            client.close()

    def _figures(self, database: float) -> Figures:
        heard, accounts = self._provider.heard, self._provider.accounts
        expected = [m for members in self._people.values() for m in members]
        invited = [member for member in expected if member not in self._stopped]
        sent = heard.got.total()
        nothing = [member for member in invited if heard.got[member] == 0]
        in_doubt, lost = _explained(self._place, nothing)
        return Figures(
            sent=sent,
            seconds=heard.last - min(each.first or 0.0 for each in accounts.values()),
            kept={kind: account.kept() for kind, account in accounts.items()},
            refused=heard.refused,
            lost=lost,
            in_doubt=in_doubt,
            cut_off=self._provider.cut_off,
            doubled=sum(max(0, heard.got[member] - 1) for member in invited),
            statuses=_statuses(self._place),
            kills=self._workers.kills,
            confirmed_in=self._confirmed,
            after_stop=sum(heard.got[member] - 1 for member in self._stopped),
            worker_cpu=1000 * self._workers.spent() / max(1, sent),
            database_cpu=1000 * database / max(1, sent),
        )


def _statuses(place: Place) -> dict[str, int]:
    time.sleep(0.5)  # the last marks
    with psycopg.connect(place.cluster.url(ours.DATABASE)) as connection:
        return {str(status): int(n) for status, n in connection.execute(_STATUSES)}


def _explained(place: Place, members: list[int]) -> tuple[list[str], list[str]]:
    """What the database says of each of those who got nothing: those in doubt, and all others."""
    with psycopg.connect(place.cluster.url(ours.DATABASE)) as connection:
        rows = connection.execute(_WHAT_BECAME, (members,)).fetchall()
    told = [
        (f"{member}: {status}, attempt {attempts}, {error or 'no word'}", status)
        for member, status, attempts, error in rows
    ]
    in_doubt = [line for line, status in told if status == "unknown"]
    return in_doubt, [line for line, status in told if status != "unknown"]
