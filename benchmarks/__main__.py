"""`python -m benchmarks`: Homeline and its peers, the same registrations, one core, one report."""

import argparse
import json
import os
import pathlib
import platform
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version

from benchmarks import environment

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE / "results"
PACKAGES = ("python-telegram-bot", "flask", "twilio", "gunicorn")
DEFAULT = "ptb-sql,telegraf-pg,flask-twilio,ours,ours-sms"


def main() -> None:
    """Prepare the machine, then measure in the environment made for it."""
    arguments = parse(sys.argv[1:])
    try:
        environment.cores()
        python = environment.python_peers()
        if "telegraf-pg" in arguments.targets:
            environment.node_peers()
    except environment.Missing as missing:
        raise SystemExit(f"benchmark: {missing}") from missing
    if pathlib.Path(sys.prefix) != python.parent.parent:
        project = ["--project-python", sys.executable]
        os.execv(python, [str(python), "-m", "benchmarks", *sys.argv[1:], *project])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit stops the servers, too
    run(arguments)


def parse(argv: list[str]) -> argparse.Namespace:
    """The command line, with `--quick` worked into the single values."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    numbers = _comma(int)
    parser.add_argument("--quick", action="store_true", help="1 round, 64 at once, 3 s")
    parser.add_argument("--targets", type=_comma(str), default=_comma(str)(DEFAULT))
    parser.add_argument("--at-once", type=numbers, default=(1, 16, 64, 256))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a point")
    parser.add_argument("--warm", type=float, default=1.0, help="seconds before it, not counted")
    parser.add_argument("--rate", type=float, default=120.0, help="open loop, messages/s; 0: none")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds a provider takes")
    parser.add_argument("--postgres", type=pathlib.Path, help="folder with initdb and postgres")
    parser.add_argument("--name", default="", help="name of the files in benchmarks/results")
    parser.add_argument("--project-python", default=sys.executable, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.quick:
        arguments.rounds, arguments.at_once, arguments.seconds = 1, (64,), 3.0
        arguments.rate = 0.0
    return arguments


def run(arguments: argparse.Namespace) -> None:
    """Start database and fake provider, measure, write the figures and print the report."""
    import uvloop  # type: ignore[import-not-found,import-untyped,unused-ignore]

    from benchmarks import database, measure, processes, report, roster
    from benchmarks.targets import Place
    from benchmarks.wire import FakeProvider

    server_cpu, driver_cpu = environment.cores()
    plan = measure.Plan(
        rounds=arguments.rounds,
        at_once=arguments.at_once,
        seconds=arguments.seconds,
        warm=arguments.warm,
        rate=arguments.rate,
        latency=arguments.latency,
    )
    logs = pathlib.Path(tempfile.mkdtemp(prefix="homeline-bench-logs-"))

    async def session() -> tuple[list[measure.Point], str]:
        fake, api_port = FakeProvider(), processes.free_port()
        await fake.listen(api_port)
        place = Place(
            cluster=cluster,
            port=processes.free_port(),
            api=f"http://127.0.0.1:{api_port}",
            logs=logs,
            server_cpu=server_cpu,
            driver_cpu=driver_cpu,
        )
        targets = roster.build(arguments.targets, place, arguments.project_python)
        bench = measure.Bench(place, fake, targets)
        points = await bench.run(plan)
        return points, report.markdown(points, targets, plan, facts(cluster.version()))

    try:
        binaries = arguments.postgres or database.find_binaries()
        cluster = database.start(server_cpu, binaries, logs / "postgres.log")
        os.sched_setaffinity(0, {driver_cpu})
        points, text = uvloop.run(session())
    except processes.NotStarted as error:
        raise SystemExit(f"benchmark: {error}\nlogs: {logs}") from error
    shutil.rmtree(logs)
    save(arguments.name, [asdict(point) for point in points], text)
    print(text)


def facts(postgres: str) -> dict[str, str]:
    """What a reader needs to know about machine and versions."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "Measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "Machine": f"{model}, {os.cpu_count()} cores; target and PostgreSQL on one, driver and "
        "fake provider on another",
        "Versions": f"Python {platform.python_version()}, PostgreSQL {postgres}, "
        + ", ".join(f"{name} {version(name)}" for name in PACKAGES)
        + f", Telegraf {telegraf()}",
    }


def telegraf() -> str:
    """The version of the Node peer that `peers/package.json` pins."""
    pinned = json.loads((HERE / "peers" / "package.json").read_text())
    return str(pinned["dependencies"]["telegraf"])


def save(name: str, points: list[dict[str, object]], text: str) -> None:
    """The points as JSON and the report beside it."""
    RESULTS.mkdir(exist_ok=True)
    stem = name or time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    (RESULTS / f"{stem}.json").write_text(json.dumps(points, indent=1))
    (RESULTS / f"{stem}.md").write_text(text)


def _comma(kind: Callable[[str], object]) -> Callable[[str], tuple[object, ...]]:
    return lambda text: tuple(kind(part) for part in text.split(",") if part)


if __name__ == "__main__":
    main()
