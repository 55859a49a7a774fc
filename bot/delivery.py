"""The delivery loop: claims what is due, sends it outside any transaction, records what became.

One loop in each worker. A turn records finished sends and claims new ones in one transaction; the
sends themselves run side by side, never two to the same contact. A doorbell wakes the loop, and it
looks by itself, often while there is traffic and a few times a second when there is none. What was
sent is not recorded at once but with the next claim, or after a moment if nothing else happens.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

import logs
from bot.begun import Begun, Left, left_behind
from bot.budgets import FIRST_WINDOW
from bot.channels.transport import before_leaving, open_client
from bot.doorbell import Bell, HandedOver
from bot.outcomes import Outcome, Sender
from bot.own_connection import DatabaseThread
from bot.taking_over import note_outcome, take_over
from models.clock import Clock
from models.delivery_path import LEASE, Claimed, claimed_in, delivery_turn, renew_leases
from models.message import Lane

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
# Of the lease: what was handed over longer ago is left to whoever finds the lease run out.
LATE = 0.5
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
        self._database = DatabaseThread(engine, "delivery-database")
        self._sender = sender
        self._clock = clock
        self._worker = worker
        self._bell = bell
        self._settings = settings or Settings()
        self._notes = notes
        self._begun = Begun(notes, worker) if notes else None
        self._dying: set[Path] = set()
        self._http: aiohttp.ClientSession
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
        await self._take_back()
        renewing = asyncio.create_task(self._renew())
        try:
            async with open_client(self._settings.most_flying) as self._http:
                self._listen()
                while not self._stopping:
                    await self._once()
                self._hear_out()
                await self._land()
        finally:
            renewing.cancel()
            self._hear_no_more()
            if self._begun and not self._done:
                self._begun.close()
            self._database.close()

    def stop(self) -> None:
        """Ask the loop to leave in good order."""
        self._stopping = True
        self._wake.set()

    def _listen(self) -> None:
        if self._bell:
            asyncio.get_running_loop().add_reader(self._bell.socket, self._heard, self._bell)

    def _hear_out(self) -> None:
        """Take what was handed over until now, and nothing more."""
        if self._bell:
            self._bell.take_down()
            self._heard(self._bell)
            self._hear_no_more()

    def _hear_no_more(self) -> None:
        if self._bell:
            asyncio.get_running_loop().remove_reader(self._bell.socket)
            self._bell.close()
            self._bell = None

    def _heard(self, bell: Bell) -> None:
        rung, handed = bell.heard()
        for each in handed:
            self._take(each)
        if rung:
            self._rung = True
            self._wake.set()

    def _take(self, handed: HandedOver) -> None:
        """Begin to send what was claimed for this worker by whoever wrote it."""
        if time.monotonic() - handed.began > LATE * LEASE.total_seconds():
            return
        for letter in handed.letters:
            message = claimed_in(letter)
            if self._has_room(message):
                self._begin(message)
            else:
                self._record(self._sender.later(0).row(message))

    def _has_room(self, message: Claimed) -> bool:
        free = len(self._flying) < self._settings.most_flying
        return free and self._sender.windows.room(message.channel_id) > 0

    async def _once(self) -> None:
        self._wake.clear()
        rung, self._rung = self._rung, False
        room = self._settings.most_flying - len(self._flying)
        claimed = await self._turn(min(room, self._settings.most_at_once))
        for message in claimed:
            self._begin(message)
        now = asyncio.get_running_loop().time()
        if claimed:
            self._awake_until = now + AWAKE_FOR
            self._pace(rung, all(message.lane == Lane.BROADCASTS for message in claimed))
        if len(claimed) >= GATHER_FROM or len(self._flying) >= GATHER_FROM:
            await asyncio.sleep(GATHER)
        await self._wait(self._look if now < self._awake_until else ASLEEP_LOOK)

    def _begin(self, message: Claimed) -> None:
        self._sender.windows.enter(message.channel_id)
        self._flying[message.id] = asyncio.create_task(self._send(message))

    def _pace(self, rung: bool, only_broadcasts: bool) -> None:
        """Nobody waits for a broadcast: fewer, larger turns; whoever rings interrupts them."""
        self._look = AWAKE_LOOK if rung or only_broadcasts else UNHEARD_LOOK

    async def _wait(self, seconds: float) -> None:
        """Until something is to be done at once, at most so long."""
        look = asyncio.get_running_loop().call_later(seconds, self._wake.set)
        await self._wake.wait()
        look.cancel()

    async def _send(self, message: Claimed) -> None:
        if self._begun:
            before_leaving.set(partial(self._begun.begin, message.id))
        try:
            outcome = await self._sender.send(self._http, message)
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
        claimed = await self._database.run(
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
                    await self._database.run(
                        partial(renew_leases, worker=self._worker, ids=ids, lease=LEASE)
                    )

    async def _take_back(self) -> None:
        """Let what workers of this machine held as they died, and never touched, be sent."""
        for left in left_behind(self._notes) if self._notes else ():
            with suppress(SQLAlchemyError):
                given, held = await self._database.run(partial(take_over, left))
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
