"""Run the targets one after the other, round by round, and write down what each did."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from subprocess import Popen

from benchmarks import processes, questions
from benchmarks.deliveries import Members, Serials
from benchmarks.targets import Place, Target
from benchmarks.wire import FakeProvider
from benchmarks.workload import Line, Tally, closed, opened, prove


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run measures: rounds, members at once, seconds a point, open-loop rate (0: none)."""

    rounds: int
    at_once: tuple[int, ...]
    seconds: float
    warm: float
    rate: float
    latency: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """Members at once in the closed loop, or messages a second in the open one."""

    at_once: int | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One measured point. Times in seconds, CPU in seconds per answer, memory in MiB."""

    target: str
    round: int
    at_once: int | None
    offered: float | None
    answers: int
    rate: float
    p50: float | None
    p99: float | None
    app_cpu: float
    database_cpu: float
    core_busy: float
    driver_busy: float
    others_busy: float
    memory: float
    errors: int
    wrong: int
    stray: int
    members: int
    lost: int
    doubled: int
    false: int


@dataclass(frozen=True, slots=True)
class _Reading:
    at: float
    app: float
    database: float
    driver: float
    machine: float

    def since(self, before: "_Reading") -> "_Reading":
        return _Reading(
            self.at - before.at,
            self.app - before.app,
            self.database - before.database,
            self.driver - before.driver,
            self.machine - before.machine,
        )


class Bench:
    """One run over all targets on one database server."""

    def __init__(self, place: Place, fake: FakeProvider, targets: Mapping[str, Target]) -> None:
        self._place, self._fake, self._targets = place, fake, targets
        self._serials, self._members = Serials(), Members()

    async def run(self, plan: Plan) -> list[Point]:
        """Every target in every round; a target that cannot be measured stops the run."""
        points = []
        for round_number in range(plan.rounds):
            for name in self._targets:
                started = await self._start(name)
                try:
                    points += await self._points(name, started, round_number, plan)
                finally:
                    for process in reversed(started):
                        await asyncio.to_thread(processes.stop, process)
        return points

    async def _start(self, name: str) -> list[Popen[bytes]]:
        place, target, started = self._place, self._targets[name], []
        log = place.logs / f"{name}.log"
        try:
            for command in target.commands:
                process = processes.start(
                    command.arguments,
                    cpu=place.server_cpu,
                    log=log,
                    env=command.env,
                    cwd=command.cwd,
                )
                started.append(process)
                if command.listens:
                    await processes.wait_port(process, place.port)
            await prove(self._line(target), self._members.next_block()[0])
        except (processes.NotStarted, AssertionError, OSError, TimeoutError) as error:
            for process in started:
                processes.stop(process, hard=True)
            tail = log.read_text(errors="replace")[-3000:]
            raise processes.NotStarted(f"{name}: {error!r}\n{tail}") from error
        return started

    def _line(self, target: Target) -> Line:
        return Line(
            self._fake,
            self._place.port,
            target.deliveries,
            self._serials,
            in_response=target.in_response,
        )

    async def _points(
        self, name: str, started: Sequence[Popen[bytes]], round_number: int, plan: Plan
    ) -> list[Point]:
        loads = [Load(at_once=count) for count in plan.at_once]
        if plan.rate:
            loads.append(Load(rate=plan.rate))
        self._fake.latency = plan.latency
        points = []
        for load in loads:
            line, members = self._line(self._targets[name]), self._members.next_block()
            readings = await self._readings(started, _marks(line, members, load, plan))
            point = self._point(name, round_number, load, line.tally, readings, members, started)
            points.append(point)
            report_progress(point)
        return points

    async def _readings(
        self, started: Sequence[Popen[bytes]], marks: AsyncIterator[str]
    ) -> tuple[_Reading, _Reading]:
        app, database = [p.pid for p in started], [self._place.cluster.process.pid]
        readings = []
        async for _ in marks:
            own = os.times()
            readings.append(
                _Reading(
                    time.perf_counter(),
                    processes.cpu_seconds(app),
                    processes.cpu_seconds(database),
                    own.user + own.system,
                    processes.machine_busy(),
                )
            )
        return readings[0], readings[1]

    def _point(
        self,
        name: str,
        round_number: int,
        load: Load,
        tally: Tally,
        readings: tuple[_Reading, _Reading],
        members: range,
        started: Sequence[Popen[bytes]],
    ) -> Point:
        used, answers = readings[1].since(readings[0]), max(1, tally.answers)
        found = audit(self._targets[name], tally.done, members)
        return Point(
            target=name,
            round=round_number,
            at_once=load.at_once,
            offered=load.rate,
            answers=tally.answers,
            rate=tally.answers / used.at,
            p50=percentile(tally.latencies, 0.5),
            p99=percentile(tally.latencies, 0.99),
            app_cpu=used.app / answers,
            database_cpu=used.database / answers,
            core_busy=(used.app + used.database) / used.at,
            driver_busy=used.driver / used.at,
            others_busy=(used.machine - used.app - used.database - used.driver) / used.at,
            memory=processes.peak_memory(process.pid for process in started),
            errors=tally.errors,
            wrong=tally.wrong,
            stray=tally.stray,
            members=found.members,
            lost=found.lost,
            doubled=found.doubled,
            false=found.false,
        )


def _marks(line: Line, members: range, load: Load, plan: Plan) -> AsyncIterator[str]:
    if load.rate:
        return opened(line, members, rate=load.rate, seconds=2 * plan.seconds, warm=plan.warm)
    at_once = load.at_once or 1
    return closed(line, members, at_once=at_once, seconds=plan.seconds, warm=plan.warm)


@dataclass(frozen=True, slots=True)
class Audit:
    """What the database says about the members who finished: answers missing, doubled, false."""

    members: int = 0
    lost: int = 0
    doubled: int = 0
    false: int = 0


def audit(target: Target, done: Sequence[int], members: range) -> Audit:
    """Compare what is stored with what each finished member said."""
    if target.stored is None:
        return Audit(members=len(done))
    stored, lost, doubled, false = target.stored(members), 0, 0, 0
    for member in done:
        answers = stored.get(member, {})
        for step, (question, _, _) in enumerate(questions.QUESTIONS):
            values = answers.get(question, [])
            lost += not values
            doubled += max(0, len(values) - 1)
            false += bool(values) and values[-1] != questions.answer(member, step)
    return Audit(len(done), lost, doubled, false)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which this share of the values lies; None for no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def report_progress(point: Point) -> None:
    """One line on standard error, so that a long run can be watched."""
    load = f"C={point.at_once}" if point.at_once else f"{point.offered:.0f}/s due"
    print(
        f"round {point.round + 1} {point.target:13} {load:10} {point.rate:7.1f}/s "
        f"p50 {1e3 * (point.p50 or 0):6.1f} p99 {1e3 * (point.p99 or 0):7.1f} ms "
        f"cpu {1e3 * point.app_cpu:.2f}+{1e3 * point.database_cpu:.2f} ms "
        f"others {point.others_busy:.2f} errors {point.errors} wrong {point.wrong} "
        f"lost {point.lost} doubled {point.doubled} false {point.false} stray {point.stray}",
        file=sys.stderr,
        flush=True,
    )
