"""The control routes under /__fake__/: script, log, inject, clock, metrics, ledger, reset."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from tests.fakes.server import FakeServer

CONTROL = "/__fake__"


class Control:
    """The routes through which another process plays with a fake."""

    def __init__(self, fake: "FakeServer") -> None:
        self._fake = fake

    def routes(self) -> list[web.RouteDef]:
        """All of them, to be added to the fake's own."""
        return [
            web.post(f"{CONTROL}/script", self._set_script),
            web.get(f"{CONTROL}/log", self._show_log),
            web.post(f"{CONTROL}/inject", self._inject),
            web.post(f"{CONTROL}/clock", self._set_clock),
            web.get(f"{CONTROL}/metrics", self._show_metrics),
            web.get(f"{CONTROL}/ledger", self._show_ledger),
            web.post(f"{CONTROL}/reset", self._reset),
        ]

    async def _set_script(self, request: web.Request) -> web.Response:
        try:
            self._fake.script.set(await request.json())
        except (ValueError, TypeError) as fault:
            return web.json_response({"problem": str(fault)}, status=400)
        return web.json_response({})

    async def _show_log(self, request: web.Request) -> web.Response:
        since = int(request.query.get("since", "0"))
        return web.json_response([asdict(entry) for entry in list(self._fake.log)[since:]])

    async def _inject(self, request: web.Request) -> web.Response:
        try:
            return web.json_response({"result": self._fake.inject(await request.json())})
        except (ValueError, LookupError, TypeError) as fault:
            return web.json_response({"problem": repr(fault)}, status=400)

    async def _set_clock(self, request: web.Request) -> web.Response:
        given: Mapping[str, object] = await request.json()
        self._fake.clock.advance(float(str(given.get("advance", 0))))
        self._fake.clock.set_speed(float(str(given.get("speed", self._fake.clock.speed))))
        return web.json_response({"elapsed": self._fake.clock.elapsed()})

    async def _show_metrics(self, request: web.Request) -> web.Response:
        return web.json_response(self._fake.metrics())

    async def _show_ledger(self, request: web.Request) -> web.Response:
        return web.json_response(self._fake.ledger())

    async def _reset(self, request: web.Request) -> web.Response:
        self._fake.reset()
        return web.json_response({})
