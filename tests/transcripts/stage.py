"""The whole system around one person: web over real HTTP, a delivery loop, the providers' fakes."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app import create_app
from bot.delivery import DeliveryLoop
from bot.doorbell import Bell
from commands.chats import Chat
from composition import Homeline
from flows import loader
from models import Address, AskMode, Channel, ChannelKind, Message, MessageStatus
from models.base import new_id
from models.channel import StopReply
from models.db import transaction
from models.due import Due
from models.flow_version import EntryCode
from models.rule import Rule
from models.walls import system_scope
from services import channels, flows, organisations, retention
from services.conversation import dues
from services.rules import firings
from tests.conftest import MovedByHand, Urls
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_state import Webhook
from tests.fakes.twilio import FakeTwilio
from tests.transcripts.asking import Asking
from tests.transcripts.door import FrontDoor
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


class Stage:
    """One organisation with one channel and one flow, on a database of its own."""

    def __init__(self, line: Homeline, clock: MovedByHand, door: FrontDoor, fakes: Fakes) -> None:
        self.line, self.clock, self.door, self.fakes = line, clock, door, fakes
        self.organisation_id: UUID
        self.channel: Channel
        self.code = ""
        self.poll = ""
        self.asking = Asking(self)

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
                mode = AskMode(chat.mode)
                self.poll, *_ = [self.asking.open_poll(db, one, mode) for one in chat.asks]
        self.open_channel(kind, chat.language)
        if kind == "whatsapp" and (chat.asks or self._has_rules()):
            self.asking.approve_templates()

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

    def move_on(self, step: timedelta) -> None:
        """Let a moment pass in which nothing falls due."""
        self._move(self.clock.now() + step)

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
        ballot_keys=data / "ballots",
    )
    line = Homeline(settings)
    line.clock = clock
    try:
        with door.leading_to(create_app(homeline=line)), delivering(line, data):
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
            line.open().delivery, line.sender, line.clock, "transcripts", Bell(data, "transcripts")
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
