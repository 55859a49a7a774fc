"""Who asks: a key in `Authorization: Bearer hl_…`, and how often it may ask."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from uuid import UUID

from flask import request

from api.errors import Problem
from composition import Homeline
from services.api_keys import KeyHolder, find_holder

A_SECOND = 50.0
AT_ONCE = 1000.0
_LONGEST_SECRET = 200


def authenticate(line: Homeline, limits: "Limits", *, now: datetime) -> KeyHolder:
    """Return whose key the request carries; Problem 401 without a valid one, 429 when hurried.

    Unknown, expired and revoked keys are answered alike.
    """
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() == "bearer" and 0 < len(secret) <= _LONGEST_SECRET:
        holder = find_holder(line.engine, secret, now=now)
        if holder is not None:
            limits.count(holder.key_id)
            return holder
    raise Problem(
        401,
        detail="Send a valid key: Authorization: Bearer hl_…",
        headers={"WWW-Authenticate": 'Bearer realm="homeline"'},
    )


def require(holder: KeyHolder, scope: str) -> None:
    """Raise Problem 403 when the key lacks a scope."""
    if not holder.may(scope):
        raise Problem(403, "scope_missing", f"This needs the scope {scope}.")


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Limits:
    """A bucket of requests for each key, in this process: 1000 at once, 50 a second after."""

    def __init__(
        self,
        a_second: float = A_SECOND,
        at_once: float = AT_ONCE,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = a_second
        self._burst = at_once
        self._seconds = seconds
        self._buckets: dict[UUID, _Bucket] = {}
        self._lock = threading.Lock()

    def count(self, key_id: UUID) -> None:
        """Count one request; Problem 429 with Retry-After when the bucket is empty."""
        at = self._seconds()
        with self._lock:
            bucket = self._buckets.setdefault(key_id, _Bucket(self._burst, at))
            refilled = bucket.tokens + (at - bucket.at) * self._rate
            bucket.tokens, bucket.at = min(refilled, self._burst), at
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                return
            wait = ceil((1 - bucket.tokens) / self._rate)
        raise Problem(429, headers={"Retry-After": str(max(wait, 1))})
