"""A small fast HTTP/1.1 client and the fake Telegram and Twilio API (uvloop, httptools)."""

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import cast
from urllib.parse import parse_qs

import httptools  # type: ignore[import-not-found,import-untyped,unused-ignore]

_MULTIPART = re.compile(rb'name="(chat_id|text)"\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--', re.S)

OnMessage = Callable[[int, str, float], None]


class Client:
    """One keep-alive connection that reconnects; one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: _Connection | None = None

    async def send(self, raw: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. Raises ConnectionError when the server hangs up."""
        loop = asyncio.get_running_loop()
        connection = self._connection
        if connection is None or connection.transport is None:
            _, connection = await loop.create_connection(_Connection, "127.0.0.1", self._port)
            self._connection = connection
        assert connection.transport is not None
        connection.future = future = loop.create_future()
        connection.transport.write(raw)
        answer: tuple[int, bytes] = await future
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._connection and self._connection.transport:
            self._connection.transport.close()


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.future: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class, same methods
        self.parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.connection_lost(ConnectionError(str(error)))

    def on_message_begin(self) -> None:
        self.body: list[bytes] = []
        self.closing = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"connection" and value.lower() == b"close":
            self.closing = True

    def on_body(self, chunk: bytes) -> None:
        self.body.append(chunk)

    def on_message_complete(self) -> None:
        future, self.future = self.future, None
        if self.closing and self.transport:
            self.transport.close()
            self.transport = None
        if future and not future.done():
            future.set_result((self.parser.get_status_code(), b"".join(self.body)))

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.future and not self.future.done():
            self.future.set_exception(ConnectionError(exc or "closed"))
        self.future = None


class FakeProvider:
    """Both providers' APIs on one port.

    `on_message(recipient, text, seen_at)` is called for every message; `latency` is the time in
    seconds between a request and its answer. `cut_off` counts the requests whose caller was gone
    before they were answered. Message ids are never given twice.
    """

    def __init__(self) -> None:
        self.latency = 0.0
        self.on_message: OnMessage | None = None
        self.cut_off = 0
        self._given = time.time_ns() // 1000

    async def listen(self, port: int) -> None:
        """Accept connections until the loop ends."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _FakeConnection(self), "127.0.0.1", port, backlog=4096
        )

    def answer(self, url: bytes, body: bytes) -> tuple[bytes, bytes]:
        """Status line and JSON body for one request."""
        now = time.perf_counter()
        if url.endswith(b"/sendMessage"):
            to, text = _telegram_message(body)
            self._seen(to, text, now)
            return b"200 OK", json.dumps({"ok": True, "result": self._sent(to, text)}).encode()
        if url.endswith(b"/Messages.json"):
            form = parse_qs(body.decode())
            self._seen(int(form["To"][0].split(":")[-1].lstrip("+")), form["Body"][0], now)
            return b"201 Created", self._twilio_resource(form)
        if url.endswith(b"/getMe"):
            return b"200 OK", (
                b'{"ok":true,"result":{"id":123,"is_bot":true,"first_name":"b","username":"b_bot"}}'
            )
        return b"200 OK", b'{"ok":true,"result":true}'

    def _seen(self, to: int, text: str, now: float) -> None:
        self._given += 1
        if self.on_message:
            self.on_message(to, text, now)

    def _sent(self, to: int, text: str) -> dict[str, object]:
        return {
            "message_id": self._given & 0x7FFFFFFF,
            "date": 1700000000,
            "text": text,
            "from": {"id": 123, "is_bot": True, "first_name": "b", "username": "b_bot"},
            "chat": {"id": to, "type": "private", "first_name": "M"},
        }

    def _twilio_resource(self, form: dict[str, list[str]]) -> bytes:
        resource = {
            "sid": f"SM{self._given:032x}",
            "status": "queued",
            "to": form["To"][0],
            "body": form["Body"][0],
            "account_sid": "AC" + "0" * 32,
            "num_segments": "1",
            "direction": "outbound-api",
            "error_code": None,
            "date_created": "Thu, 24 Aug 2023 05:01:45 +0000",
        }
        return json.dumps(resource).encode()


class _FakeConnection(asyncio.Protocol):
    def __init__(self, fake: FakeProvider) -> None:
        self.fake = fake
        self.waiting = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport | None = cast(asyncio.Transport, transport)
        self.parser = httptools.HttpRequestParser(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.fake.cut_off += self.waiting

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            if self.transport:
                self.transport.close()

    def on_message_begin(self) -> None:
        self.body: list[bytes] = []
        self.url = b""

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_body(self, chunk: bytes) -> None:
        self.body.append(chunk)

    def on_message_complete(self) -> None:
        code, out = self.fake.answer(self.url.split(b"?")[0], b"".join(self.body))
        raw = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
            code,
            len(out),
            out,
        )
        if self.fake.latency:
            self.waiting = 1
            asyncio.get_running_loop().call_later(self.fake.latency, self._reply, raw)
        else:
            self._reply(raw)

    def _reply(self, raw: bytes) -> None:
        self.waiting = 0
        if self.transport:
            self.transport.write(raw)


def _telegram_message(body: bytes) -> tuple[int, str]:
    """Chat and text of a sendMessage call, sent as JSON, multipart or a form."""
    if body[:1] == b"{":
        fields = json.loads(body)
        return int(fields["chat_id"]), fields["text"]
    if body[:2] == b"--":
        parts = dict(_MULTIPART.findall(body))
        return int(parts[b"chat_id"]), parts[b"text"].decode()
    form = parse_qs(body.decode())
    return int(form["chat_id"][0]), form["text"][0]
