"""Carrying out a fault: how an answer is withheld, torn or spoilt."""

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from tests.fakes.faults import Fault


@dataclass(frozen=True, slots=True)
class Reply:
    """What the provider answers; `committed` names the message its ledger took, if any."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)
    committed: str = ""


async def broken_answer(
    request: web.Request, reply: Reply, fault: Fault | None
) -> web.StreamResponse:
    """The answer as the fault leaves it; whole when there is none."""
    text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
    kind = "text/html" if isinstance(reply.body, str) else "application/json"
    body = text.encode()
    plain = web.Response(status=reply.status, body=body, headers=reply.headers, content_type=kind)
    if fault is None:
        return plain
    match fault.kind:
        case "reset_before" | "reset_after_commit" | "refuse_for":
            _abort(request)
        case "slow":
            await asyncio.sleep(fault.figure("after_ms", 0) / 1000)
        case "bad_json":
            plain.body = b"{" + body
        case "truncated_body" | "bandwidth":
            return await _dribble(request, plain, body, fault)
        case "close_idle":
            after = fault.figure("after_ms", 20) / 1000
            asyncio.get_running_loop().call_later(after, _abort, request)
    return plain


def refusal(fault: Fault) -> Reply:
    if fault.kind == "html_502":
        return Reply(502, "<html><head><title>502 Bad Gateway</title></head></html>")
    if fault.kind == "too_many":
        wait = int(fault.figure("retry_after", 1))
        problem = {
            "ok": False, "error_code": 429, "code": 20429, "status": 429,
            "description": f"Too Many Requests: retry after {wait}", "message": "Too Many Requests",
            "parameters": {"retry_after": wait},
        }  # fmt: skip
        return Reply(429, problem, {"Retry-After": str(wait)})
    headers = fault.detail.get("headers", {})
    return Reply(
        int(fault.figure("code", 500)),
        fault.detail.get("body", {}),
        headers if isinstance(headers, Mapping) else {},
    )


def _abort(request: web.Request) -> None:
    """Break the connection as a dying server does: a reset, nothing flushed."""
    transport = request.transport
    if transport is None:
        return
    if (wire := transport.get_extra_info("socket")) is not None:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _dribble(
    request: web.Request, plain: web.Response, body: bytes, fault: Fault
) -> web.StreamResponse:
    response = web.StreamResponse(status=plain.status, headers=plain.headers)
    response.content_length = len(body)
    await response.prepare(request)
    if fault.kind == "truncated_body":
        await response.write(body[: len(body) // 2])
        await asyncio.sleep(0.01)
        _abort(request)
        return response
    step = max(1, int(fault.figure("bytes_per_second", 100) / 20))
    for start in range(0, len(body), step):
        await response.write(body[start : start + step])
        await asyncio.sleep(0.05)
    await response.write_eof()
    return response
