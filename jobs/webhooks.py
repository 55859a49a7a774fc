"""Telling endpoints of events: claims what is due, posts it outside any transaction, records it.

One loop in each worker. A try takes at most ten seconds and reads at most 256 KiB of the answer; no
redirect is followed, no cookie or proxy used, and no address reached that is not public.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from yarl import URL

import logs
from models.clock import Clock
from services.organisations import OrganisationKeyring
from services.webhooks.webhook_targets import is_literal, is_public
from services.webhooks.webhook_tries import Result, Try, claim, record

LOOK_EVERY = 1.0
TIMEOUT = 10.0
LONGEST_ANSWER = 256 * 1024
MOST_FLYING = 64
AGENT = "Homeline-Webhooks/1"

Allowed = Callable[[str], bool]
LookUp = Callable[[str, int], Awaitable[list[str]]]


class AddressRefused(OSError):
    """The endpoint's host has an address that is not of the public internet."""


async def look_up(host: str, port: int) -> list[str]:
    """Return every address of a name, asked once."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PublicResolver(AbstractResolver):
    """Resolves a name once and gives its addresses only if all of them are allowed."""

    def __init__(self, allowed: Allowed, look: LookUp) -> None:
        self._allowed = allowed
        self._look = look

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return where to connect; AddressRefused when any address may not be reached."""
        addresses = await self._look(host, port)
        if not addresses or not all(map(self._allowed, addresses)):
            raise AddressRefused
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held open."""


def open_guarded(allowed: Allowed = is_public, look: LookUp = look_up) -> aiohttp.ClientSession:
    """Return a client whose every connection goes to an allowed address.

    The last look is at the socket itself, whatever led there.
    """

    def make_socket(where: tuple[Any, ...]) -> socket.socket:
        family, kind, proto, _, address = where
        if not allowed(str(address[0])):
            raise AddressRefused
        return socket.socket(family, kind, proto)

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            resolver=PublicResolver(allowed, look),
            use_dns_cache=False,
            force_close=True,
            limit=MOST_FLYING,
            socket_factory=make_socket,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT),
        auto_decompress=False,
        trust_env=False,
    )


async def post(http: aiohttp.ClientSession, tried: Try, allowed: Allowed = is_public) -> Result:
    """Make one request and say what came of it; raises nothing an endpoint can cause."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    status, error = None, None
    try:
        status, error = await _answer(http, tried, allowed)
    except TimeoutError:
        error = "timeout"
    except (aiohttp.ClientError, OSError, ValueError) as failure:
        error = _word_for(failure)
    return Result(status, error, round((loop.time() - began) * 1000))


async def _answer(
    http: aiohttp.ClientSession, tried: Try, allowed: Allowed
) -> tuple[int, str | None]:
    host = URL(tried.url).raw_host or ""
    if is_literal(host) and not allowed(host):
        raise AddressRefused
    sent = tried.headers | {"Content-Type": "application/json", "User-Agent": AGENT}
    async with http.post(
        tried.url, data=tried.body, headers=sent, allow_redirects=False
    ) as response:
        left = LONGEST_ANSWER
        async for part in response.content.iter_any():
            left -= len(part)
            if left < 0:
                response.close()
                return response.status, "answer_too_long"
        return response.status, None


def _word_for(failure: BaseException) -> str:
    cause: BaseException | None = getattr(failure, "os_error", failure)
    if isinstance(cause, AddressRefused):
        return "address_refused"
    if isinstance(failure, aiohttp.ClientConnectorDNSError):
        return "name_not_found"
    if isinstance(failure, aiohttp.ClientSSLError):
        return "certificate"
    if isinstance(failure, aiohttp.ClientConnectorError):
        return "no_connection"
    return "broken_answer"


class WebhookLoop:
    """Tells the endpoints of all organisations for one worker."""

    def __init__(
        self,
        engine: Engine,
        keys: OrganisationKeyring,
        clock: Clock,
        *,
        allowed: Allowed = is_public,
        look: LookUp = look_up,
    ) -> None:
        self._engine = engine
        self._keys = keys
        self._clock = clock
        self._allowed = allowed
        self._look = look
        self._flying: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Tell until cancelled; what flies then is tried again when its lease ends."""
        async with open_guarded(self._allowed, self._look) as http:
            try:
                while True:
                    try:
                        await self.once(http)
                    except SQLAlchemyError as error:
                        logs.event("webhooks.waiting", error=type(error).__name__)
                    await asyncio.sleep(LOOK_EVERY)
            finally:
                for task in self._flying:
                    task.cancel()

    async def once(self, http: aiohttp.ClientSession) -> int:
        """Start every try that is due; return how many."""
        room = MOST_FLYING - len(self._flying)
        if room <= 0:
            return 0
        now = self._clock.now()
        due = await asyncio.to_thread(claim, self._engine, self._keys, most=room, now=now)
        for tried in due:
            task = asyncio.create_task(self._tell(http, tried))
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)
        return len(due)

    async def land(self) -> None:
        """Wait for every try that flies."""
        while self._flying:
            await asyncio.wait(set(self._flying))

    async def _tell(self, http: aiohttp.ClientSession, tried: Try) -> None:
        result = await post(http, tried, self._allowed)
        if not result.arrived:
            logs.event("webhook.not_taken", code=result.error_code or result.status)
        with suppress(SQLAlchemyError):  # the lease ends, and it is tried again
            await asyncio.to_thread(record, self._engine, tried, result, now=self._clock.now())
