"""Fetching what a person recorded: one bounded GET at a time, at the provider's own place."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import aiohttp
from yarl import URL

from bot.channels.base import ChannelView, SendError

LARGEST: Final = 1_000_000
TOO_LARGE: Final = "too_large"
TIMEOUT = aiohttp.ClientTimeout(total=20, connect=5)


@dataclass(frozen=True, slots=True)
class Medium:
    """What was recorded, and what its provider calls the format."""

    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Got:
    """What one GET brought; `location` where it sent us on."""

    status: int
    content_type: str
    data: bytes = field(repr=False)
    location: str = ""


Fetch: TypeAlias = Callable[[aiohttp.ClientSession, ChannelView, str, str], Awaitable[Medium]]
"""Fetches, from a channel and its provider's API, the recording of a name; raises SendError."""


async def get(http: aiohttp.ClientSession, url: str | URL, headers: Mapping[str, str]) -> Got:
    """Get at most LARGEST bytes, following nothing; SendError for more and for no answer."""
    try:
        async with http.get(
            url, headers=headers, timeout=TIMEOUT, allow_redirects=False
        ) as response:
            data = bytearray()
            async for part in response.content.iter_any():
                data += part
                if len(data) > LARGEST:
                    raise SendError(TOO_LARGE, "The voice note is larger than we keep.")
            return Got(
                response.status,
                response.content_type,
                bytes(data),
                response.headers.get("Location", ""),
            )
    except (aiohttp.ClientError, OSError, ValueError):
        raise SendError("no_file", "The voice note did not arrive.", retryable=True) from None


def whole(got: Got) -> Medium:
    """What was got, if it is a recording; SendError otherwise."""
    if got.status == 429 or got.status >= 500:
        raise SendError(f"http_{got.status}", "The provider is busy.", retryable=True)
    if got.status != 200 or not got.data:
        raise SendError(f"http_{got.status}", "The provider has no such voice note.")
    return Medium(got.content_type, got.data)
