"""A small application that takes webhooks, for testing the fakes themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

from bot.channels.base import WebhookRequest
from tests.fakes.server import FakeServer


@dataclass(slots=True)
class Plan:
    """What the application answers, in turn; the last stands for ever after."""

    statuses: list[int] = field(default_factory=lambda: [200])
    body: bytes = b"{}"
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Receiver(FakeServer):
    """Keeps every request as production code would see it."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[WebhookRequest] = []
        self.plan = Plan()
        self.flying = 0
        self.most_at_once = 0

    def start(self) -> Self:
        return super().start()

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/{path:.*}", self._take)]

    def inject(self, fields: Mapping[str, object]) -> object:
        return None

    def ledger(self) -> dict[str, object]:
        return {}

    async def _take(self, request: web.Request) -> web.Response:
        self.flying += 1
        self.most_at_once = max(self.most_at_once, self.flying)
        body = await request.read()
        path, _, query = request.raw_path.partition("?")
        self.requests.append(
            WebhookRequest("POST", path, query, dict(request.headers), body, self.url)
        )
        statuses = self.plan.statuses
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        self.flying -= 1
        self.changed()
        return web.Response(
            status=status, body=self.plan.body, content_type=self.plan.content_type,
            headers=self.plan.headers,
        )  # fmt: skip

    def wait_for(self, count: int, seconds: float = 10) -> None:
        """Wait until so many requests came."""
        self.wait_until(lambda: len(self.requests) >= count, seconds)
