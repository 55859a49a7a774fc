"""Sendings go on: one loop in each worker, quick while there is something to do."""

import asyncio

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

import logs
from bot.doorbell import Ringer
from models.clock import Clock
from services.broadcasts.casting import Caster

LOOK_EVERY = 0.2
REST = 0.02
"""Seconds between turns with something to do, so that replies come in between."""


class BroadcastLoop:
    """Takes turn after turn over the sendings of all organisations."""

    def __init__(self, engine: Engine, clock: Clock, ringer: Ringer | None = None) -> None:
        self._caster = Caster(engine)
        self._clock = clock
        self._ringer = ringer

    async def run(self) -> None:
        """Take turns until cancelled; a turn that fails is taken again."""
        while True:
            worked = 0
            try:
                worked = await asyncio.to_thread(self._turn)
            except SQLAlchemyError as error:
                logs.event("broadcasts.waiting", error=type(error).__name__)
            except Exception as error:  # noqa: BLE001 - one sending must not end the worker
                logs.event("broadcasts.failed", level="error", error=type(error).__name__)
            if worked and self._ringer:
                self._ringer.ring()
            await asyncio.sleep(REST if worked else LOOK_EVERY)

    def _turn(self) -> int:
        return self._caster.turn(self._clock.now())
