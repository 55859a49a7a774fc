"""One opening: people are put into the tables, the API is called, and what follows is timed."""

import asyncio
import json
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from subprocess import Popen
from typing import Any

import psycopg

from benchmarks import ours, processes
from benchmarks.deliveries import Members
from benchmarks.targets import HERE, Place
from benchmarks.wire import FakeProvider

LONGEST = 600.0
KINDS = ("telegram", "sms")
_BUDGETS = "update channel_budgets set rate = 25, burst = 25, tokens = 25"
_STATUS = "select status from broadcasts"
_STANDING = "select status, coalesce(reason, ''), count(*) from recipients group by 1, 2"
POLL = {
    "flow": {
        "flow": "passport-hours",
        "kind": "poll",
        "purpose": {"why": "plan opening hours", "owner": "consul", "decision": "hours from May"},
        "about": {"en": "opening hours"},
        "languages": ["en"],
        "questions": [
            {
                "id": "when_open",
                "type": "choice",
                "text": {"en": "When should we be open?"},
                "options": [
                    {"value": "mornings", "label": {"en": "Mornings"}},
                    {"value": "saturday", "label": {"en": "Saturday"}},
                ],
            }
        ],
    },
    "audience": {"language": "en"},
}


@dataclass(frozen=True, slots=True)
class Order:
    """How many people there are, and whether the database has counted its tables."""

    people: int
    analysed: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds since the call was made, MiB at the peak, CPU seconds until everybody stands."""

    answered_after: float
    first_after: float
    all_stand_after: float
    standing: Mapping[str, int]
    sent_meanwhile: int
    doubled: int
    worker_peak: float
    web_peak: float
    database_cpu: float
    worker_cpu: float


@dataclass(slots=True)
class _Heard:
    first: asyncio.Event = field(default_factory=asyncio.Event)
    at: float = 0.0
    got: Counter[int] = field(default_factory=Counter)

    def take(self, to: int, _text: str, at: float) -> None:
        self.got[to] += 1
        if not self.first.is_set():
            self.at = at
            self.first.set()


async def measure(place: Place, api_port: int, order: Order, python: str) -> Figures:
    """Put the people there, open the poll, wait. Raises NotStarted, TimeoutError and OSError."""
    provider, heard = FakeProvider(), _Heard()
    provider.latency, provider.on_message = 0.05, heard.take
    await provider.listen(api_port)
    home = ours.Homeline(place, python)
    home.set_up()
    key = home.api_key()
    await asyncio.to_thread(_settle, place, home, order)
    worker, web = (_start(place, each) for each in home.commands())
    try:
        await processes.wait_port(web, place.port)
        await _worker_ready(place)
        async with asyncio.timeout(LONGEST):
            return await _open(place, key, heard, worker, web)
    finally:
        processes.stop(worker)
        processes.stop(web)


def _settle(place: Place, home: ours.Homeline, order: Order) -> None:
    """Let the people live there; with no statistics, keep the database from counting them."""
    cluster = place.cluster
    cluster.execute("postgres", "alter system set autovacuum = off", "select pg_reload_conf()")
    first, share = Members().next_block()[0], order.people // len(KINDS)
    writers = [
        subprocess.Popen(
            [home.python, "-m", "benchmarks.outbox_people"],
            cwd=HERE.parent,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in KINDS
    ]
    for place_in_line, (kind, writer) in enumerate(zip(KINDS, writers, strict=True)):
        channels = {kind: [first + place_in_line * share, share]}
        assert writer.stdin
        writer.stdin.write(json.dumps(home.readable() | {"channels": channels, "waiting": False}))
        writer.stdin.close()
    for writer in writers:
        assert writer.stderr
        if said := writer.stderr.read() if writer.wait() else "":
            raise processes.NotStarted(f"nobody could settle: {said[-2000:]}")
    counted = ["analyze"] if order.analysed else []
    cluster.execute(ours.DATABASE, _BUDGETS, "checkpoint", *counted)


def _start(place: Place, command: ours.Command) -> Popen[bytes]:
    name = "web.log" if command.listens else "worker.log"
    return processes.start(
        command.arguments,
        cpu=place.server_cpu,
        log=place.logs / name,
        env=command.env,
        cwd=command.cwd,
    )


async def _worker_ready(place: Place) -> None:
    log = place.logs / "worker.log"
    async with asyncio.timeout(60):
        while "worker.started" not in log.read_text(errors="replace"):
            await asyncio.sleep(0.1)
    await asyncio.sleep(2.0)


async def _open(
    place: Place, key: str, heard: _Heard, worker: Popen[bytes], web: Popen[bytes]
) -> Figures:
    made = await asyncio.to_thread(_post, place, key, "/polls", POLL)
    how = {"undo_minutes": 0, "allow_missing_languages": True}
    database = [place.cluster.process.pid]
    spent = processes.cpu_seconds(database), processes.cpu_seconds([worker.pid])
    began = time.perf_counter()
    await asyncio.to_thread(_post, place, key, f"/polls/{made['id']}/open", how)
    answered = time.perf_counter() - began
    await heard.first.wait()
    while await asyncio.to_thread(_read, place, _STATUS) == [("opening",)]:
        await asyncio.sleep(0.2)
    standing = time.perf_counter() - began
    rows = await asyncio.to_thread(_read, place, _STANDING)
    return Figures(
        answered_after=answered,
        first_after=heard.at - began,
        all_stand_after=standing,
        standing={f"{status} {reason}".strip(): count for status, reason, count in rows},
        sent_meanwhile=heard.got.total(),
        doubled=sum(times - 1 for times in heard.got.values()),
        worker_peak=processes.peak_memory([worker.pid]),
        web_peak=processes.peak_memory([web.pid]),
        database_cpu=processes.cpu_seconds(database) - spent[0],
        worker_cpu=processes.cpu_seconds([worker.pid]) - spent[1],
    )


def _post(place: Place, key: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{place.port}/api/v1{path}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        said: dict[str, Any] = json.load(answer)
        return said


def _read(place: Place, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(place.cluster.url(ours.DATABASE)) as connection:
        return connection.execute(query.encode()).fetchall()


def faults(order: Order, figures: Figures) -> list[str]:
    """What must not have happened, whatever the machine was doing."""
    stand = sum(figures.standing.values())
    found = [] if stand == order.people else [f"{stand} of {order.people} stand"]
    found += [f"{figures.doubled} got it twice"] if figures.doubled else []
    grown = max(figures.worker_peak, figures.web_peak)
    return found + ([f"a process grew to {grown:.0f} MiB"] if grown >= 300 else [])


def report(order: Order, figures: Figures) -> str:
    """The figures as one Markdown table, then the aims."""
    stand = ", ".join(f"{what} {count}" for what, count in sorted(figures.standing.items()))
    statistics = "analysed" if order.analysed else "none"
    lines = (
        ("people, statistics of their tables", f"{order.people}, {statistics}"),
        ("the call answered after", f"{figures.answered_after:.2f} s"),
        ("the first message was with the provider after", f"{figures.first_after:.2f} s"),
        ("everybody stood after", f"{figures.all_stand_after:.1f} s"),
        ("recipients", stand),
        ("sent meanwhile at 25/s a channel, twice", f"{figures.sent_meanwhile}, {figures.doubled}"),
        ("peak memory, worker · web", f"{figures.worker_peak:.0f} · {figures.web_peak:.0f} MiB"),
        ("CPU, database · worker", f"{figures.database_cpu:.1f} · {figures.worker_cpu:.1f} s"),
    )
    aims = (
        ("the call answers within 1 s", figures.answered_after < 1),
        ("the first message leaves within 1 s", figures.first_after < 1),
        ("everybody stands within 60 s", figures.all_stand_after < 60),
        ("all there, none twice, under 300 MiB", not faults(order, figures)),
    )
    table = ["| opening | |", "|---|---|", *(f"| {a} | {b} |" for a, b in lines), ""]
    return "\n".join([*table, *(f"{'kept  ' if held else 'MISSED'}  {aim}" for aim, held in aims)])
