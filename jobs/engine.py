"""The background engine: Procrastinate on our own database, in a schema of its own.

Jobs carry ids only and call a service. Messages and things due to one contact are rows, not jobs.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from procrastinate import App, PsycopgConnector
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from sqlalchemy import URL

import logs

SCHEMA = "procrastinate"
HEARTBEAT_EVERY = 3.0
DEAD_AFTER = 12
RESCUE_EVERY = 4.0


@dataclass(frozen=True, slots=True)
class Sweep:
    """Something that is done again and again; ``cron`` has seconds as its sixth field."""

    name: str
    cron: str
    work: Callable[[], None]


def make_app(url: URL) -> App:
    """The engine over the database of an SQLAlchemy engine, with that engine's role."""
    given = url.translate_connect_args(username="user", database="dbname") | dict(url.query)
    options = f"{given.get('options', '')} -c search_path={SCHEMA}".strip()
    return app_over(PsycopgConnector(kwargs={**given, "options": options}, min_size=1, max_size=4))


def app_over(connector: BaseConnector) -> App:
    """The engine over any connector; tests give the library's own in-memory one."""
    return App(connector=connector, worker_defaults={"delete_jobs": "successful"})


def schedule(app: App, sweeps: tuple[Sweep, ...]) -> None:
    """Let each sweep run by its clock; one that is still waiting is not queued a second time."""
    for sweep in sweeps:
        _schedule(app, sweep)


def _schedule(app: App, sweep: Sweep) -> None:
    def run(timestamp: int) -> None:
        sweep.work()

    task = app.task(name=sweep.name, queue="sweeps", queueing_lock=sweep.name, lock=sweep.name)(run)
    app.periodic(cron=sweep.cron, periodic_id=sweep.name)(task)


async def rescue_stalled(app: App, every: float = RESCUE_EVERY) -> None:
    """Give back, again and again, the jobs of workers that died; the engine does not by itself.

    Until then such a job holds its sweep's lock for everybody, so this outlives what it meets.
    """
    while True:
        try:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER):
                await _give_back(app, job)
        except ConnectorException as error:
            logs.event("rescue.waiting", error=type(error).__name__)
        await asyncio.sleep(every)


async def _give_back(app: App, job: Job) -> None:
    try:
        await app.job_manager.retry_job(job)
    except UniqueViolation:  # the same sweep waits already, for the lock this one holds
        await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
