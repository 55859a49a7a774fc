"""The worker process: the delivery loop and the sweeps, until told to stop.

More workers on more machines need nothing but being started.
"""

import asyncio
import os
import signal

import uvloop
from procrastinate import App

import logs
import settings as settings_module
from bot.delivery import DeliveryLoop
from bot.doorbell import Bell, Ringer
from composition import Homeline, opened, settle
from jobs.broadcasting import BroadcastLoop
from jobs.engine import DEAD_AFTER, HEARTBEAT_EVERY, make_app, rescue_stalled, schedule
from jobs.sweeps import Sweeps
from jobs.webhooks import WebhookLoop
from services.webhooks.webhook_targets import is_here_or_public, is_public

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
SWEEPERS = 2


def main() -> None:
    """Run one worker with the settings of the environment."""
    logs.configure()
    with opened(settings_module.read()) as homeline:
        uvloop.run(_run(homeline))


async def _run(homeline: Homeline) -> None:
    # No two workers ever have one name: in a container every process may have the same number.
    worker = f"{os.getpid()}-{os.urandom(8).hex()}"
    data = homeline.settings.data
    bell = Bell(data, worker)
    delivery = DeliveryLoop(
        homeline.open().delivery, homeline.sender, homeline.clock, worker, bell, notes=data
    )
    app = make_app(homeline.engine.url)
    schedule(app, Sweeps(homeline).all())
    logs.event("worker.started", pid=os.getpid())
    loop = asyncio.get_running_loop()
    for each in STOP_SIGNALS:
        loop.add_signal_handler(each, delivery.stop)
    allowed = is_here_or_public if homeline.settings.development else is_public
    telling = WebhookLoop(homeline.engine, homeline.keys, homeline.clock, allowed=allowed)
    casting = BroadcastLoop(homeline.engine, homeline.clock, Ringer(data))
    settle()
    beside = [asyncio.create_task(each) for each in (_sweep(app), telling.run(), casting.run())]
    try:
        await delivery.run()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        logs.event("worker.stopped", pid=os.getpid())


async def _sweep(app: App) -> None:
    """Run the engine; when the database goes away, begin again once it is back."""
    while True:
        try:
            async with app.open_async():
                rescuing = asyncio.create_task(rescue_stalled(app))
                try:
                    await app.run_worker_async(
                        queues=["sweeps"],
                        concurrency=SWEEPERS,
                        install_signal_handlers=False,
                        listen_notify=False,
                        fetch_job_polling_interval=1.0,
                        delete_jobs="successful",
                        update_heartbeat_interval=HEARTBEAT_EVERY,
                        stalled_worker_timeout=DEAD_AFTER,
                    )
                finally:
                    rescuing.cancel()
        except Exception as error:  # noqa: BLE001 - sweeps must outlive a restart of the database
            logs.event("sweeps.waiting", error=type(error).__name__)
        await asyncio.sleep(1.0)


if __name__ == "__main__":
    main()
