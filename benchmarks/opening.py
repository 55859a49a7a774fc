"""`python -m benchmarks.opening`: a poll is opened for very many people, and timed.

The call must answer and the first message must leave at once, everybody must stand on the list
soon, and no process may grow with the number of people.
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
        os.execv(python, [str(python), "-m", "benchmarks.opening", *sys.argv[1:], *project])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit stops the servers, too
    run(arguments)


def parse(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.opening", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000, help="half on each channel")
    parser.add_argument(
        "--statistics",
        choices=("none", "analysed"),
        default="none",
        help="none: as on the first evening, when the database knows nothing of its tables yet",
    )
    parser.add_argument("--project-python", default=sys.executable, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def run(arguments: argparse.Namespace) -> None:
    """Start a database and a fake provider, put people there, open a poll, and report."""
    import uvloop  # type: ignore[import-not-found,import-untyped,unused-ignore]

    from benchmarks import database, opening_run, processes
    from benchmarks.targets import Place

    cores = environment.cores()
    both = f"{cores[0]},{cores[1]}"
    logs = pathlib.Path(tempfile.mkdtemp(prefix="homeline-bench-logs-"))
    order = opening_run.Order(arguments.people, arguments.statistics == "analysed")
    os.sched_setaffinity(0, set(cores))
    try:
        cluster = database.start(both, database.find_binaries(), logs / "postgres.log")
        api_port = processes.free_port()
        place = Place(
            cluster=cluster,
            port=processes.free_port(),
            api=f"http://127.0.0.1:{api_port}",
            logs=logs,
            server_cpu=both,
            driver_cpu=both,
        )
        figures = uvloop.run(opening_run.measure(place, api_port, order, arguments.project_python))
    except (TimeoutError, OSError, processes.NotStarted) as error:
        raise SystemExit(f"benchmark: {error!r}\nlogs: {logs}") from error
    shutil.rmtree(logs)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "opening.json").write_text(json.dumps(asdict(figures), indent=1))
    print(opening_run.report(order, figures))
    if wrong := opening_run.faults(order, figures):
        raise SystemExit("benchmark: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
