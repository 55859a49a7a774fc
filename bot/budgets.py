"""How fast one chat is written to, and how much flies to one provider at once.

The budget of a whole channel is a row (``channel_budgets``) that all workers share; a chat's own
limit (Telegram: about one message a second, channels reference 1.3) only smooths bursts, and the
provider's own 429 stands behind it. A window keeps a provider that has become slow from being
pushed over: a send that times out may have arrived, so every time-out risks a question twice.
"""

from collections import Counter, OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

REMEMBERED = 20_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class ChatPace:
    """Says how long a message to one chat must wait; instants are seconds of a monotonic clock."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()
        self._most = most

    def wait(self, chat: Hashable, now: float, *, rate: float, burst: float) -> float:
        """Seconds to wait before writing to this chat; 0.0 takes one token and may send."""
        bucket = self._buckets.pop(chat, None) or _Bucket(burst, now)
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.filled_at) * rate)
        bucket.filled_at = now
        self._buckets[chat] = bucket
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0.0
        return (1 - bucket.tokens) / rate


FIRST_WINDOW: Final = 64
LEAST_WINDOW: Final = 16
MOST_WINDOW: Final = 512
BRISK: Final = 0.5
SLOW: Final = 1.5


@dataclass(slots=True)
class _Window:
    limit: float = FIRST_WINDOW
    quickest: float = SLOW
    narrowed_at: float = float("-inf")


class Windows:
    """How many messages may be on their way on each channel, learnt from how long sends take.

    A brisk answer widens the channel's window by one. A slow one halves it, once for all that left
    before the last halving. What is slow is measured against the provider's own best, so that one
    that always takes two seconds is not throttled to nothing.
    """

    def __init__(self) -> None:
        self._windows: dict[UUID, _Window] = {}
        self._flying: Counter[UUID] = Counter()

    def enter(self, channel_id: UUID) -> None:
        """Count a message that is about to be sent."""
        self._flying[channel_id] += 1

    def leave(self, channel_id: UUID) -> None:
        """Count it off again."""
        self._flying[channel_id] -= 1

    def took(self, channel_id: UUID, seconds: float, now: float) -> None:
        """Learn from one send that took so long; instants are seconds of a monotonic clock."""
        window = self._windows.setdefault(channel_id, _Window())
        window.quickest = min(seconds, window.quickest * 1.002)
        if seconds < max(BRISK, 1.3 * window.quickest):
            window.limit = min(MOST_WINDOW, window.limit + 1)
        elif seconds > max(SLOW, 2.5 * window.quickest) and now - seconds > window.narrowed_at:
            window.limit = max(LEAST_WINDOW, window.limit / 2)
            window.narrowed_at = now

    def rooms(self) -> Mapping[UUID, int]:
        """How many more messages each known channel takes now; others take FIRST_WINDOW."""
        known = self._windows.keys() | self._flying.keys()
        return {each: max(0, self.room(each)) for each in known}

    def room(self, channel_id: UUID) -> int:
        """How many more messages this channel takes now."""
        return self._limit(channel_id) - self._flying[channel_id]

    def _limit(self, channel_id: UUID) -> int:
        window = self._windows.get(channel_id)
        return int(window.limit) if window else FIRST_WINDOW
