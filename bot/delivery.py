"""The delivery loop: claims what is due, sends it outside any transaction, records what became.

One loop in each worker. A turn records finished sends and claims new ones in one transaction; the
sends themselves run side by side, never two to the same contact. A doorbell wakes the loop, and it
looks by itself, often while there is traffic and a few times a second when there is none. What was
sent is not recorded at once but with the next claim, or after a moment if nothing else happens.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import aiohttp
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

import logs
from bot.begun import Begun, Left, left_behind
from bot.budgets import FIRST_WINDOW
from bot.channels.transport import before_leaving, open_client
from bot.doorbell import Bell
from bot.outcomes import Outcome, Sender
from bot.taking_over import note_outcome, take_over
from models.clock import Clock
from models.delivery_path import Claimed, delivery_turn, renew_leases
from models.message import Lane

LEASE = timedelta(seconds=8)
RENEW_EVERY = 2.0
# Seconds. Whoever queues without ringing is on another machine and is looked for more often.
AWAKE_LOOK = 0.025
UNHEARD_LOOK = 0.01
ASLEEP_LOOK = 0.25
AWAKE_FOR = 1.0
HOLD_MARKS = 0.025
MOST_HELD = 64
GATHER = 0.004
GATHER_FROM = 6
MOST_AT_ONCE = 256
MOST_FLYING = 1024
AFTER_FAILURE = 0.5
Result = TypeVar("Result")
GONE = (OperationalError, InterfaceError)


@dataclass(frozen=True, slots=True)
class Settings:
    """How much one loop does at once; the defaults suit a worker with a core of its own."""

    most_at_once: int = MOST_AT_ONCE
    most_flying: int = MOST_FLYING


class DeliveryLoop:
    """Sends the outbox of all organisations for one worker."""

    def __init__(
        self,
        engine: Engine,
        sender: Sender,
        clock: Clock,
        worker: str,
        bell: Bell | None = None,
        settings: Settings | None = None,
        notes: Path | None = None,
    ) -> None:
        self._engine = engine
        self._sender = sender
        self._clock = clock
        self._worker = worker
        self._bell = bell
        self._settings = settings or Settings()
        self._notes = notes
        self._begun = Begun(notes, worker) if notes else None
        self._dying: set[Path] = set()
        self._database = ThreadPoolExecutor(1, "delivery-database")
        self._connection: Connection | None = None
        self._flying: dict[UUID, asyncio.Task[None]] = {}
        self._done: list[dict[str, Any]] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._rung = False
        self._look = ASLEEP_LOOK
        self._held: asyncio.TimerHandle | None = None
        self._awake_until = 0.0

    async def run(self) -> None:
        """Send until ``stop`` is called; then claim nothing, wait for what flies, record, leave."""
        loop = asyncio.get_running_loop()
        if self._bell:
            loop.add_reader(self._bell.socket, self._heard)
        await self._take_back()
        renewing = asyncio.create_task(self._renew())
        try:
            async with open_client(self._settings.most_flying) as http:
                while not self._stopping:
                    await self._once(http)
                await self._land()
        finally:
            renewing.cancel()
            if self._bell:
                loop.remove_reader(self._bell.socket)
                self._bell.close()
            if self._begun and not self._done:
                self._begun.close()
            self._database.submit(self._give_up_connection)
            self._database.shutdown()

    def stop(self) -> None:
        """Ask the loop to leave in good order."""
        self._stopping = True
        self._wake.set()

    def _heard(self) -> None:
        if self._bell:
            self._bell.drain()
        self._rung = True
        self._wake.set()

    async def _once(self, http: aiohttp.ClientSession) -> None:
        self._wake.clear()
        rung, self._rung = self._rung, False
        room = self._settings.most_flying - len(self._flying)
        claimed = await self._turn(min(room, self._settings.most_at_once))
        for message in claimed:
            self._sender.windows.enter(message.channel_id)
            self._flying[message.id] = asyncio.create_task(self._send(http, message))
        now = asyncio.get_running_loop().time()
        if claimed:
            self._awake_until = now + AWAKE_FOR
            self._pace(rung, all(message.lane == Lane.BROADCASTS for message in claimed))
        if len(claimed) >= GATHER_FROM or len(self._flying) >= GATHER_FROM:
            await asyncio.sleep(GATHER)
        await self._wait(self._look if now < self._awake_until else ASLEEP_LOOK)

    def _pace(self, rung: bool, only_broadcasts: bool) -> None:
        """Nobody waits for a broadcast: fewer, larger turns; whoever rings interrupts them."""
        self._look = AWAKE_LOOK if rung or only_broadcasts else UNHEARD_LOOK

    async def _wait(self, seconds: float) -> None:
        """Until something is to be done at once, at most so long."""
        look = asyncio.get_running_loop().call_later(seconds, self._wake.set)
        await self._wake.wait()
        look.cancel()

    async def _send(self, http: aiohttp.ClientSession, message: Claimed) -> None:
        if self._begun:
            before_leaving.set(partial(self._begun.begin, message.id))
        try:
            outcome = await self._sender.send(http, message)
        except SQLAlchemyError:
            # What it takes to send could not be read: nothing has left, so it may wait.
            outcome = self._sender.later(AFTER_FAILURE)
        except Exception as error:  # noqa: BLE001 - one message must not end the loop
            logs.event("message.failed", kind=type(error).__name__, channel_kind=message.scheme)
            outcome = Outcome(status="failed", error_code="internal")
        self._sender.windows.leave(message.channel_id)
        self._flying.pop(message.id, None)
        if self._begun:
            note_outcome(self._begun, message, outcome)
        self._record(outcome.row(message))

    def _record(self, row: dict[str, Any]) -> None:
        """Hand over what became of a message to the next turn, which must not be far."""
        self._done.append(row)
        if self._held is None:
            self._held = asyncio.get_running_loop().call_later(HOLD_MARKS, self._wake.set)
        elif len(self._done) >= MOST_HELD:
            self._wake.set()

    async def _turn(self, wanted: int) -> list[Claimed]:
        done, self._done = self._done, []
        if self._held:
            self._held.cancel()
            self._held = None
        try:
            return await self._cycle(done, wanted)
        except SQLAlchemyError as error:
            logs.event("delivery.waiting", kind=type(error).__name__, count=len(done))
            if done and not isinstance(error, GONE):
                await self._record_singly(done)
            else:
                # What was sent stays to be recorded; until then it is renewed or recovered.
                self._done = done + self._done
            await asyncio.sleep(AFTER_FAILURE)
            return []

    async def _cycle(self, done: list[dict[str, Any]], wanted: int) -> list[Claimed]:
        rooms = self._sender.windows.rooms()
        claimed = await self._in_database(
            lambda connection: delivery_turn(
                connection,
                self._worker,
                done=done,
                wanted=0 if self._stopping else wanted,
                lease=LEASE,
                now=self._clock.now(),
                rooms=rooms,
                room=FIRST_WINDOW,
            )
        )
        if self._begun:
            self._begun.forget(row["id"] for row in done)
        return claimed

    async def _record_singly(self, done: list[dict[str, Any]]) -> None:
        """Record row by row; one the database refuses is left to the recovery of lost leases."""
        for row in done:
            try:
                await self._cycle([row], 0)
            except GONE:
                self._done.append(row)
            except SQLAlchemyError as error:
                logs.event(
                    "delivery.unrecorded", level="error", kind=type(error).__name__,
                    message_id=row["id"],
                )  # fmt: skip

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            await self._take_back()
            ids = list(self._flying)
            if ids:
                with suppress(SQLAlchemyError):
                    await self._in_database(
                        lambda connection, ids=ids: renew_leases(  # type: ignore[misc]
                            connection, self._worker, ids, LEASE
                        )
                    )

    async def _take_back(self) -> None:
        """Let what workers of this machine held as they died, and never touched, be sent."""
        for left in left_behind(self._notes) if self._notes else ():
            with suppress(SQLAlchemyError):
                given, held = await self._in_database(partial(take_over, left))
                if given:
                    logs.event("messages.recovered", outcome="never_left", count=given)
                self._done_with(left, held)

    def _done_with(self, left: Left, held: int) -> None:
        """A claim may still be under way as its worker dies: the note stays for a second look."""
        if held == 0 and left.path in self._dying:
            left.remove()
            self._dying.discard(left.path)
        else:
            self._dying.add(left.path)

    async def _land(self) -> None:
        """Wait for what flies and record it; a database that is away is waited for a while."""
        if self._flying:
            await asyncio.wait(self._flying.values())
        for _ in range(10):
            if not self._done:
                return
            await self._turn(0)

    async def _in_database(self, work: Callable[[Connection], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(
            self._database, self._with_connection, work
        )

    def _with_connection(self, work: Callable[[Connection], Result]) -> Result:
        try:
            if self._connection is None:
                self._connection = self._engine.connect().execution_options(
                    isolation_level="AUTOCOMMIT"
                )
            return work(self._connection)
        except SQLAlchemyError:
            # Whatever it was, the next turn begins on a connection that is known to be good.
            self._give_up_connection()
            raise

    def _give_up_connection(self) -> None:
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.invalidate()
                self._connection.close()
            self._connection = None
