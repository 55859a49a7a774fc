"""The fake provider of the outbox measurement: limits by the second, and who got what."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.wire import FakeProvider

_KINDS = {b"sendMessage": "telegram", b"Messages.json": "sms"}
_REFUSED = {
    "telegram": (
        b"429 Too Many Requests",
        b'{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 1",'
        b'"parameters":{"retry_after":1}}',
    ),
    "sms": (b"429 Too Many Requests", b'{"code":20429,"message":"Too many requests","status":429}'),
}


@dataclass(slots=True)
class Account:
    """One sender's limit at the provider, a bucket of one second's worth, and what it took."""

    rate: float
    tokens: float
    filled_at: float
    first: float | None = None
    last: float = 0.0
    taken: int = 0

    def takes(self, now: float) -> bool:
        """Whether one more message is taken now."""
        self.tokens = min(self.rate, self.tokens + (now - self.filled_at) * self.rate)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        self.first = self.first or now
        self.last, self.taken = now, self.taken + 1
        return True

    def kept(self) -> float:
        """The share of its rate at which it took messages, a full first bucket not counted."""
        if self.first is None or self.last == self.first:
            return 0.0
        return max(0.0, self.taken - self.rate) / (self.last - self.first) / self.rate


@dataclass(slots=True)
class Heard:
    """What a provider was told, by recipient; `waiting` are replies somebody waits for."""

    got: Counter[int] = field(default_factory=Counter)
    refused: int = 0
    last: float = field(default_factory=time.perf_counter)
    waiting: dict[int, "asyncio.Future[float]"] = field(default_factory=dict)


class LimitedProvider(FakeProvider):
    """Both providers, each with a limit of its own on the rate."""

    def __init__(self, rate: float, latency: float) -> None:
        super().__init__()
        self.latency, self._rate = latency, rate
        self.accounts: dict[str, Account] = {}
        self.heard = Heard()
        self.on_message = self._count

    def answer(self, url: bytes, body: bytes) -> tuple[bytes, bytes]:
        """As any provider, or 429 for what comes too fast."""
        kind = _KINDS.get(url.rsplit(b"/", 1)[-1])
        if kind is None:
            return super().answer(url, body)
        now = time.perf_counter()
        account = self.accounts.setdefault(kind, Account(self._rate, self._rate, now))
        if account.takes(now):
            return super().answer(url, body)
        self.heard.refused += 1
        return _REFUSED[kind]

    def _count(self, to: int, text: str, at: float) -> None:
        self.heard.got[to] += 1
        self.heard.last = at
        if waiting := self.heard.waiting.pop(to, None):
            waiting.set_result(at)
