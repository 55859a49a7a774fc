"""What both fakes share: a loopback server on a thread of its own, control routes, a log."""

import asyncio
import ipaddress
import threading
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Self, TypeVar

from aiohttp import web

from tests.fakes.breaking import Reply, broken_answer, refusal
from tests.fakes.clock import FakeClock
from tests.fakes.control import Control
from tests.fakes.faults import Call, Script

Result = TypeVar("Result")
BODY_LIMIT = 2 * 1024 * 1024
LOG_LENGTH = 500_000
BACKLOG = 4096


@dataclass(slots=True)
class Logged:
    """One call as the fake saw it, in provider seconds."""

    at: float
    method: str
    to: str
    text: str
    fields: Mapping[str, object]
    status: int = 0
    fault: str = ""
    committed: str = ""


def require_loopback(host: str) -> None:
    """Raise ValueError for any host but this machine."""
    if host == "localhost":
        return
    if not ipaddress.ip_address(host.strip("[]")).is_loopback:
        raise ValueError("the fakes speak to loopback only")


class FakeServer:
    """Base of the fakes. Use as `with FakeTelegram() as fake:`; state lives on the fake's thread.

    Methods for tests may be called from any thread; inside they go through `run`.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, speed: float = 1, seed: int = 1):
        require_loopback(host)
        self.host, self.port, self.seed = host, port, seed
        self.clock = FakeClock(speed)
        self.script = Script(seed)
        self.log: deque[Logged] = deque(maxlen=LOG_LENGTH)
        self.counts: Counter[str] = Counter()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, name=type(self).__name__, daemon=True)
        self._up: Future[None] = Future()
        self._end = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = threading.Condition()

    # --- life -----------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where the fake listens."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> Self:
        """Listen; returns once the port is open."""
        self._thread.start()
        self._up.result(10)
        return self

    def stop(self) -> None:
        """Close the port and end the thread."""
        self.loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _live(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._serve())
        finally:
            left = asyncio.all_tasks(self.loop)
            for task in left:
                task.cancel()
            self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self.loop.close()

    async def _serve(self) -> None:
        try:
            await self.opened()
            app = web.Application(client_max_size=BODY_LIMIT)
            app.add_routes([*Control(self).routes(), *self.routes()])
            self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
            await self._runner.setup()
            await self._listen()
        except BaseException as fault:
            self._up.set_exception(fault)
            raise
        self._up.set_result(None)
        await self._end.wait()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.closed()
        await self._runner.cleanup()

    async def _listen(self) -> None:
        assert self._runner is not None
        self._site = web.TCPSite(
            self._runner, self.host, self.port, reuse_address=True, backlog=BACKLOG
        )
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    def run(self, act: Callable[[], Result]) -> Result:
        """Do something on the fake's thread and return what came of it."""
        if threading.current_thread() is self._thread:
            return act()
        done: Future[Result] = Future()

        def step() -> None:
            try:
                done.set_result(act())
            except BaseException as fault:
                done.set_exception(fault)

        self.loop.call_soon_threadsafe(step)
        return done.result(30)

    def changed(self) -> None:
        """Wake those who wait for something to happen."""
        with self._changed:
            self._changed.notify_all()

    def wait_until(self, seen: Callable[[], bool], seconds: float = 10) -> None:
        """Wait for something a person can see; TimeoutError when it does not happen."""
        with self._changed:
            if not self._changed.wait_for(seen, seconds):
                raise TimeoutError("it did not happen")

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Let something go on in the background; it ends with the fake."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- what a fake adds -----------------------------------------------------------------------

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    async def opened(self) -> None:
        """Make what needs the running loop."""

    async def closed(self) -> None:
        """Close it again."""

    def inject(self, fields: Mapping[str, object]) -> object:
        raise NotImplementedError

    def metrics(self) -> dict[str, object]:
        """Figures for GET /__fake__/metrics."""
        return {"calls": len(self.log), **self.counts}

    def ledger(self) -> dict[str, object]:
        """Every message taken, by its id."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget rules and log."""
        self.script.clear()
        self.log.clear()
        self.counts.clear()

    # --- one call, with what goes wrong ---------------------------------------------------------

    async def answer(
        self, request: web.Request, call: Call, act: Callable[[], Reply]
    ) -> web.StreamResponse:
        """Answer a call through the script: the message is taken before or after the fault."""
        entry = Logged(self.clock.elapsed(), call.method, call.to, call.text, call.fields)
        self.log.append(entry)
        self.counts[f"method:{call.method}"] += 1
        fault = self.script.pick(call)
        entry.fault = fault.kind if fault else ""
        if fault is None:
            reply = act()
        else:
            self.counts[f"fault:{fault.kind}"] += 1
            if fault.kind == "slow":
                await asyncio.sleep(fault.figure("before_ms", 0) / 1000)
            reply = refusal(fault) if fault.spares_the_ledger else act()
        entry.status, entry.committed = reply.status, reply.committed
        if fault is not None and fault.kind == "refuse_for":
            self.spawn(self._refuse(fault.figure("ms", 100)))
        return await broken_answer(request, reply, fault)

    async def _refuse(self, milliseconds: float) -> None:
        assert self._site is not None
        assert self._runner is not None
        await self._site.stop()
        for connection in list(self._runner.server.connections if self._runner.server else ()):
            connection.force_close()
        await asyncio.sleep(milliseconds / 1000)
        await self._listen()
