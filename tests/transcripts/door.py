"""A port on loopback behind which the app stands, and what knocked on it last."""

import http.client
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.serving import WSGIRequestHandler, make_server


@dataclass(frozen=True)
class Knocked:
    """A webhook as it came, to be delivered again."""

    path: str
    headers: Mapping[str, str]
    body: bytes


App = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]
PATIENCE = 20.0


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


class FrontDoor:
    """A port on loopback; what stands behind it may change. Counts webhooks and keeps the last."""

    def __init__(self) -> None:
        self.answered = 0
        self._app: App | None = None
        self._inside = 0
        self._moved = threading.Condition()
        self.last: Knocked | None = None
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet
        )
        vars(self._server)["daemon_threads"] = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def leading_to(self, app: App) -> Iterator[None]:
        """Let the application stand behind the door, and nobody be inside when it is taken away.

        Providers tell of messages after a test has ended; these find nobody there.
        """
        self._app = app
        try:
            yield
        finally:
            with self._moved:
                self._app = None
                assert self._moved.wait_for(lambda: not self._inside, PATIENCE)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.server_port, timeout=30)
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status == 200, answer.status
        return content

    def _answer(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        with self._moved:
            app = self._app
            self._inside += 1
        try:
            return _nobody_there(start) if app is None else self._lead(app, environ, start)
        finally:
            with self._moved:
                self._inside -= 1
                self._moved.notify_all()

    def _lead(self, app: App, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        inbound = path.startswith("/webhooks/") and not path.endswith("/status")
        if inbound:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            self.last = Knocked(path, _headers(environ), body)
            environ["wsgi.input"] = _Body(body)
        try:
            return list(app(environ, start))
        finally:
            self.answered += inbound


def _nobody_there(start: StartResponse) -> Iterable[bytes]:
    start("503 Service Unavailable", [("Content-Length", "0")])
    return []


class _Body:
    """A request's body that was read before."""

    def __init__(self, body: bytes) -> None:
        self._rest = body

    def read(self, size: int = -1) -> bytes:
        size = len(self._rest) if size < 0 else size
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    kept = {"Content-Type": str(environ.get("CONTENT_TYPE", ""))}
    wanted = ("HTTP_X_TELEGRAM", "HTTP_X_TWILIO", "HTTP_X_HOMELINE")
    for name, value in environ.items():
        if name.startswith(wanted):
            kept[name.removeprefix("HTTP_").replace("_", "-").title()] = str(value)
    return kept
