"""Webhooks as the providers send them: one post, its answer or the fact that there was none."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from tests.fakes.server import require_loopback


@dataclass(frozen=True, slots=True)
class Answered:
    """The application's answer; status 0 when there was none, 1 when nobody listened."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def good(self) -> bool:
        """Whether the application has taken it."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Shake:
    """How roughly webhooks are delivered.

    Every delivery comes once more with probability `again`, up to `most` times in all; copies come
    within `spread` seconds, so they overtake later ones, or at the same instant with `parallel`.
    `lost` is the share of answers that never reach the provider, which then sends again.
    """

    again: float = 0.0
    most: int = 5
    spread: float = 0.5
    parallel: float = 0.3
    lost: float = 0.0

    def delays(self, dice: random.Random) -> list[float]:
        """When the copies leave, in provider seconds after the original."""
        copies: list[float] = []
        while len(copies) < self.most - 1 and dice.random() < self.again:
            at_once = dice.random() < self.parallel
            copies.append(0.0 if at_once else dice.uniform(0, self.spread))
        return copies


class Poster:
    """Posts to loopback only."""

    def __init__(self) -> None:
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> Answered:
        """Post and tell what came back, whatever happens."""
        require_loopback(urlsplit(url).hostname or "")
        limit = aiohttp.ClientTimeout(total=timeout)
        try:
            async with self._http.post(
                url, data=body, headers=headers, timeout=limit, allow_redirects=False
            ) as response:
                return Answered(response.status, response.headers, await response.read())
        except aiohttp.ClientConnectorError:
            return Answered(1, {}, b"")
        except (aiohttp.ClientError, OSError):
            return Answered(0, {}, b"")
