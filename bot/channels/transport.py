"""One HTTP call to a provider, and what its failure means: not sent, or nobody knows."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.channels.base import SendError

SEND_TIMEOUT = aiohttp.ClientTimeout(total=5, connect=2)
"""Whole call 5 s (design 6); a connection not had after 2 s means the message was not sent."""


before_leaving: ContextVar[Callable[[], None] | None] = ContextVar("before_leaving", default=None)
"""What a task wants done just before the first byte of its request leaves."""


class _Request(aiohttp.ClientRequest):
    async def write_bytes(self, *given: Any, **named: Any) -> None:
        # Headers are only gathered before this: they leave with the body, in one go from here.
        if note := before_leaving.get():
            note()
        await super().write_bytes(*given, **named)


def open_client(connections: int = 200) -> aiohttp.ClientSession:
    """The HTTP client of a delivery loop; opened inside the running loop, closed by its owner.

    Idle connections are dropped before providers drop them: a message sent into a connection that
    is just being closed would end unknown. Cookies are not kept.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=15),
        request_class=_Request,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def form_of(fields: Mapping[str, str] | Sequence[tuple[str, str]]) -> bytes:
    """The fields as a form's body: what urllib's urlencode gives, in a third of its time."""
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    return b"&".join(_quoted(name) + b"=" + _quoted(value) for name, value in pairs)


def _quoted(text: str) -> bytes:
    return _UNSAFE.sub(_escaped, text.encode())


def _escaped(found: re.Match[bytes]) -> bytes:
    return _ESCAPES[found[0]]


_UNSAFE = re.compile(rb"[^A-Za-z0-9_.~-]")
_ESCAPES = {bytes([one]): b"%%%02X" % one for one in range(256)} | {b" ": b"+"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider answered; the body is whole but not yet believed."""

    status: int
    body: bytes
    headers: Mapping[str, str]


async def post(
    http: aiohttp.ClientSession,
    url: str,
    body: bytes,
    content_type: str,
    *,
    authorization: str | None = None,
) -> Answer:
    """Post and return the answer, whatever its status; raise SendError when there is none.

    Failing before the request can have left is retryable; everything after is unknown, because
    neither provider offers an idempotency key (reference 0, fact 4).
    """
    headers = {"Content-Type": content_type}
    if authorization:
        headers["Authorization"] = authorization
    try:
        async with http.post(
            url, data=body, headers=headers, timeout=SEND_TIMEOUT, allow_redirects=False
        ) as response:
            return Answer(response.status, await response.read(), response.headers)
    except aiohttp.ClientConnectorError:
        raise SendError("refused", "No connection to the provider.", retryable=True) from None
    except aiohttp.ConnectionTimeoutError:
        raise SendError("no_connection", "No connection within 2 s.", retryable=True) from None
    except TimeoutError:
        raise _unknown("timeout", "No answer within 5 s.") from None
    except aiohttp.InvalidURL:
        raise SendError("bad_url", "The provider's address is unusable.", alert=True) from None
    except (aiohttp.ClientError, OSError):
        raise _unknown("reset", "The connection broke before the answer.") from None


def _unknown(code: str, sentence: str) -> SendError:
    return SendError(code, sentence, unknown=True, retryable=True)
