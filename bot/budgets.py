"""How fast one chat is written to: a small bucket for each address, kept by the delivery loop.

The budget of a whole channel is a row (``channel_budgets``) that all workers share; a chat's own
limit (Telegram: about one message a second, channels reference 1.3) only smooths bursts, and the
provider's own 429 stands behind it.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

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
