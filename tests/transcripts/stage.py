"""The whole system around one person: web over real HTTP, a delivery loop, the providers' fakes."""

import asyncio
import http.client
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID
from wsgiref.types import StartResponse, WSGIEnvironment

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from bot import approvals
from bot.delivery import DeliveryLoop
from bot.doorbell import Bell
from commands.chats import Chat
from composition import Homeline
from flows import loader
from flows.loader import library, read
from models import Address, Ask, Channel, ChannelKind, Message, MessageStatus
from models.base import new_id
from models.channel import StopReply
from models.db import transaction
from models.due import Due
from models.flow_version import EntryCode
from models.rule import Rule
from models.walls import system_scope
from services import channels, flows, organisations, retention
from services.asks import asks, closing
from services.asks.asks import NewAsk
from services.conversation import dues
from services.rules import firings
from tests.conftest import MovedByHand, Urls
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_state import Webhook
from tests.fakes.twilio import FakeTwilio
from tests.web import settings_for

PATIENCE = 20.0
RULES_ACT = timedelta(hours=8)
"""How often rules look here while time passes."""
CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    "telegram": {"token": "1001:made-up", "secret": "made-up-secret"},
    "sms": {"account_sid": "AC" + "0" * 32, "auth_token": "t" * 32},
    "whatsapp": {"account_sid": "AC" + "0" * 32, "auth_token": "t" * 32},
    "simulator": {},
}
SENDERS = {"sms": "+447700900900", "whatsapp": "whatsapp:+447700900901"}


@dataclass(frozen=True)
class Fakes:
    """Both providers."""

    telegram: FakeTelegram
    twilio: FakeTwilio


@dataclass(frozen=True)
class Knocked:
    """A webhook as it came, to be delivered again."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


class FrontDoor:
    """A port on loopback; what stands behind it may change. Counts webhooks and keeps the last."""

    def __init__(self) -> None:
        self.app: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]] | None = None
        self.answered = 0
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

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.server_port, timeout=30)
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status == 200, answer.status
        return content

    def _answer(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        assert self.app is not None
        path = environ["PATH_INFO"]
        inbound = path.startswith("/webhooks/") and not path.endswith("/status")
        if inbound:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            self.last = Knocked(path, _headers(environ), body)
            environ["wsgi.input"] = _Body(body)
        try:
            return list(self.app(environ, start))
        finally:
            self.answered += inbound


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


class Stage:
    """One organisation with one channel and one flow, on a database of its own."""

    def __init__(self, line: Homeline, clock: MovedByHand, door: FrontDoor, fakes: Fakes) -> None:
        self.line, self.clock, self.door, self.fakes = line, clock, door, fakes
        self.organisation_id: UUID
        self.channel: Channel
        self.code = ""
        self.poll = ""

    def furnish(self, kind: str, chat: Chat) -> None:
        """Make organisation, channel and flows, and tell the provider where the webhook is.

        A poll that the transcript asks is open, for strangers as well.
        """
        now = self.clock.now()
        self.organisation_id = new_id(now)
        with transaction(self.line.engine, self.organisation_id) as db:
            keyring = self.line.keyring
            organisations.create(db, "Consulate", keyring=keyring, now=now)
            for flow in (chat.flow, *chat.also):
                flows.publish(db, loader.load(loader.library()[flow]), now=now)
            self.code = db.scalars(select(EntryCode.code)).first() or ""
            if chat.asks:
                flows.publish(db, loader.load(loader.library()["welcome"]), now=now)
                self.poll = self._open_poll(db, chat.asks)
        self.open_channel(kind, chat.language)
        if kind == "whatsapp" and self._has_rules():
            self._approve_templates(chat.language)

    def _approve_templates(self, language: str) -> None:
        """What a rule begins days later is outside WhatsApp's window."""
        engine, fake, now = self.line.engine, self.fakes.twilio, self.clock.now
        view = self.line.directory.by_key(self.channel.key)
        assert view is not None
        work = approvals.submit(engine, view, fake.url, languages=(language,), now=now)
        asyncio.run(work)
        fake.run(lambda: fake.review("approved"))
        asyncio.run(approvals.refresh(engine, view, fake.url, now=now))

    def _open_poll(self, db: Session, flow: str) -> str:
        now = self.clock.now()
        asked = asks.create(db, NewAsk(definition=read(library()[flow])), now=now)
        return asks.open_ask(db, asked.id, now=now).code

    def close_poll(self) -> None:
        """Take no more answers to the poll."""
        with transaction(self.line.engine, self.organisation_id) as db:
            ask_id = db.scalars(select(Ask.id)).one()
            told = {"en": "From 1 March we open one Saturday a month."}
            closing.close(db, ask_id, report_back=told, now=self.clock.now())

    def open_channel(self, kind: str, language: str) -> None:
        """Open one more channel of the organisation."""
        now, keyring = self.clock.now(), self.line.keyring
        with transaction(self.line.engine, self.organisation_id) as db:
            new = channels.NewChannel(
                kind=ChannelKind(kind),
                name=kind,
                credentials=CREDENTIALS[kind],
                sender=SENDERS.get(kind, ""),
                config={"chat_rate": 1000, "username": "fake_desk_bot"},
                stop_reply=_stop_reply(kind),
                default_language=language,
            )
            self.channel = channels.add(db, organisations.open_keys(db, keyring), new, now=now)
        self._point_webhook(kind)

    def _point_webhook(self, kind: str) -> None:
        provider = {"telegram": "telegram", "simulator": "simulator"}.get(kind, "twilio")
        self.path = f"/webhooks/{provider}/{self.channel.key}"
        url = f"{self.door.url}{self.path}"
        if kind == "telegram":
            account = self.fakes.telegram.bot(CREDENTIALS[kind]["token"])
            self.fakes.telegram.run(lambda: _set_webhook(account, url))
        elif kind in SENDERS:
            self.fakes.twilio.sender(SENDERS[kind], url)

    def pass_time(self, step: Any) -> None:
        """Let time pass, and whatever is due meanwhile happen at its moment."""
        end = self.clock.now() + step
        while self._has_rules() and self.clock.now() + RULES_ACT < end:
            self._pass_until(self.clock.now() + RULES_ACT)
        self._pass_until(end)
        with system_scope(self.line.engine) as db:
            retention.run(db, now=end)
        self.settle()

    def _pass_until(self, end: Any) -> None:
        while (due := self._next_due()) is not None and due <= end:
            self._move(max(due, self.clock.now()))
            dues.run(self.line.engine, self.line.directory.read_catalogue, now=self.clock.now())
            self.settle()
            if self._next_due() == due:
                break
        self._move(end)
        firings.fire_all(self.line.engine, self.line.keys.open, now=end)

    def _has_rules(self) -> bool:
        with transaction(self.line.engine, self.organisation_id) as db:
            return db.scalar(select(Rule.id).limit(1)) is not None

    def _move(self, moment: Any) -> None:
        step = moment - self.clock.now()
        self.clock.advance(step)
        for fake in (self.fakes.telegram, self.fakes.twilio):
            fake.clock.advance(step.total_seconds())

    def _next_due(self) -> Any:
        with transaction(self.line.engine, self.organisation_id) as db:
            return db.scalar(select(Due.due_at).order_by(Due.due_at).limit(1))

    def settle(self) -> None:
        """Wait until everything that is due has been sent."""
        wait_until(lambda: not self._unsent())

    def _unsent(self) -> bool:
        with transaction(self.line.engine, self.organisation_id) as db:
            waiting = select(Message.id).where(
                (Message.status == MessageStatus.SENDING)
                | ((Message.status == MessageStatus.QUEUED) & (Message.due_at <= self.clock.now()))
            )
            return db.scalar(waiting.limit(1)) is not None

    def address(self) -> Address | None:
        with transaction(self.line.engine, self.organisation_id) as db:
            return db.scalars(select(Address)).first()


def wait_until(seen: Callable[[], bool]) -> None:
    """Look again and again until it is so."""
    end = time.monotonic() + PATIENCE
    while not seen():
        if time.monotonic() > end:
            raise TimeoutError("it did not happen")
        time.sleep(0.002)  # what happens in other threads and in the database rings no bell here


@contextmanager
def staged(
    urls: Urls, data: Path, clock: MovedByHand, door: FrontDoor, fakes: Fakes
) -> Iterator[Stage]:
    """Give a stage whose web and worker run until the end of the block."""
    settings = settings_for(
        urls,
        data,
        public_url=door.url,
        telegram_api_url=fakes.telegram.url,
        twilio_api_url=fakes.twilio.url,
    )
    line = Homeline(settings)
    line.clock = clock
    door.app = create_app(homeline=line)
    try:
        with delivering(line, data):
            yield Stage(line, clock, door, fakes)
    finally:
        line.close()


@contextmanager
def delivering(line: Homeline, data: Path) -> Iterator[None]:
    """Run the worker's delivery loop on a thread."""
    started = threading.Event()
    made: list[tuple[asyncio.AbstractEventLoop, DeliveryLoop]] = []

    async def live() -> None:
        delivery = DeliveryLoop(
            line.open().delivery, line.sender, line.clock, "transcripts", Bell(data)
        )
        made.append((asyncio.get_running_loop(), delivery))
        started.set()
        await delivery.run()

    thread = threading.Thread(target=lambda: asyncio.run(live()), daemon=True)
    thread.start()
    started.wait(PATIENCE)
    try:
        yield
    finally:
        loop, delivery = made[0]
        loop.call_soon_threadsafe(delivery.stop)
        thread.join(PATIENCE)


def _stop_reply(kind: str) -> Any:
    return StopReply.PROVIDER if kind == "sms" else StopReply.OURS


def _set_webhook(account: Any, url: str) -> None:
    account.webhook = Webhook(url, CREDENTIALS["telegram"]["secret"])
