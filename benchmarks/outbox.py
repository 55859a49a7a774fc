"""`python -m benchmarks.outbox`: a queue of broadcast messages sent by real workers, counted.

Everybody of the queue must be written to once, as fast as the channels' budgets allow and no
faster, while workers are killed, and a STOP must be confirmed at once.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict

from benchmarks import environment

HERE = pathlib.Path(__file__).resolve().parent


def main() -> None:
    """Measure in the environment made for it, write the figures and print the report."""
    arguments = parse(sys.argv[1:])
    try:
        environment.cores()
        python = environment.python_peers()
    except environment.Missing as missing:
        raise SystemExit(f"benchmark: {missing}") from missing
    if pathlib.Path(sys.prefix) != python.parent.parent:
        project = ["--project-python", sys.executable]
        os.execv(python, [str(python), "-m", "benchmarks.outbox", *sys.argv[1:], *project])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit stops the servers, too
    run(arguments)


def parse(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.outbox", description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000, help="how many wait, in all")
    parser.add_argument("--channels", default="telegram,sms", help="they wait for these, equally")
    parser.add_argument("--rate", type=float, default=500.0, help="budget a channel, messages/s")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds a provider takes")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--kill", type=int, default=0, help="kill -9 a worker so many times")
    parser.add_argument("--stop", action="store_true", help="two of those who wait say STOP")
    parser.add_argument(
        "--cores",
        choices=("both", "one"),
        default="both",
        help="where workers, web and database run: on both cores, shared with the fake, or on one",
    )
    parser.add_argument("--project-python", default=sys.executable, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def run(arguments: argparse.Namespace) -> None:
    """Start a database and a fake provider, let the queue be sent, and report."""
    import uvloop  # type: ignore[import-not-found,import-untyped,unused-ignore]

    from benchmarks import database, outbox_report, outbox_run, processes
    from benchmarks.targets import Place

    first, second = environment.cores()
    both = f"{first},{second}"
    server_cpu, driver_cpu = (both, both) if arguments.cores == "both" else (first, second)
    logs = pathlib.Path(tempfile.mkdtemp(prefix="homeline-bench-logs-"))
    order = outbox_run.Order(
        messages=arguments.messages,
        channels=tuple(filter(None, arguments.channels.split(","))),
        rate=arguments.rate,
        latency=arguments.latency,
        workers=arguments.workers,
        kills=arguments.kill,
        stop=arguments.stop,
    )
    try:
        cluster = database.start(server_cpu, database.find_binaries(), logs / "postgres.log")
        api_port = processes.free_port()
        place = Place(
            cluster=cluster,
            port=processes.free_port(),
            api=f"http://127.0.0.1:{api_port}",
            logs=logs,
            server_cpu=server_cpu,
            driver_cpu=driver_cpu,
        )
        os.sched_setaffinity(0, {first, second} if arguments.cores == "both" else {second})
        figures = uvloop.run(outbox_run.measure(place, api_port, order, arguments.project_python))
    except (TimeoutError, processes.NotStarted) as error:
        raise SystemExit(f"benchmark: {error!r}\nlogs: {logs}") from error
    shutil.rmtree(logs)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "outbox.json").write_text(json.dumps(asdict(figures), indent=1))
    print(outbox_report.report(order, figures))
    if wrong := outbox_report.faults(figures):
        raise SystemExit("benchmark: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
