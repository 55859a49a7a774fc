"""The background engine: Procrastinate on our own database, in a schema of its own.

Jobs carry ids only and call a service. Messages and things due to one contact are rows, not jobs.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from procrastinate import App, PsycopgConnector
from procrastinate.connector import BaseConnector
from sqlalchemy import URL

SCHEMA = "procrastinate"


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


async def rescue_stalled(app: App, every: float = 15.0) -> None:
    """Give back, again and again, the jobs of workers that died; the engine does not by itself."""
    while True:
        for job in await app.job_manager.get_stalled_jobs():
            await app.job_manager.retry_job(job)
        await asyncio.sleep(every)
