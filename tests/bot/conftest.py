"""A desk that takes messages in and sends them out, on the worker's real database."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from bot.channels.base import Arrival, ChannelView
from bot.channels.transport import open_client
from bot.delivery import DeliveryLoop
from bot.doorbell import Bell
from bot.inbound import Intake
from bot.knocks import Taken
from composition import Homeline
from flows import loader
from flows.inputs import Input, Pressed, Text
from models.channel import ChannelKind
from models.walls import system_scope
from services import flows
from tests.conftest import MadeUp, MovedByHand, Urls
from tests.factories import Factory
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio
from tests.web import settings_for

TOKEN = "1001:made-up"
SIGNED = {"account_sid": "AC" + "0" * 32, "auth_token": "t" * 32}
NUMBER = "+447700900999"
CHATTY = {"chat_rate": 1000}


@dataclass
class Desk:
    """One organisation with three channels and the registration of crises."""

    homeline: Homeline
    organisation_id: UUID
    clock: MovedByHand
    views: dict[str, ChannelView]
    engine: Engine
    notes: Path | None = None
    others: list[Intake] = field(default_factory=list)
    _ids: Any = field(default_factory=lambda: count(1))

    @property
    def intake(self) -> Intake:
        """The first web process."""
        return self.homeline.intake

    def another_intake(self) -> Intake:
        """What a second web process would have."""
        line = self.homeline
        other = Intake(
            *(line.engine, line.message_path, line.keyring, line.keys),
            *(self.clock, line.ringer, line.ballots),
        )
        self.others.append(other)
        return other

    def arrival(
        self,
        said: str | Input,
        person: int | str = 1,
        *,
        kind: str = "telegram",
        receipt: str = "",
        event: str = "message",
    ) -> Arrival:
        """One delivery; a person is a Telegram number, or a phone's last digits."""
        number = f"+4477009{int(person):05}" if kind != "telegram" else None
        scheme = {"sms": "sms", "whatsapp": "whatsapp", "telegram": "telegram"}[kind]
        message = str(next(self._ids))
        return Arrival(
            kind=event,
            receipt=receipt or f"message:{person}:{message}",
            address=f"{scheme}:{number or person}",
            number=number,
            input=Text(said) if isinstance(said, str) else said,
            language="en",
            provider_id=f"in-{message}",
        )

    def hear(self, said: str | Input, person: int = 1, **more: Any) -> Taken:
        """Take in one message."""
        kind = more.get("kind", "telegram")
        return self.intake.take(self.views[kind], self.arrival(said, person, **more))

    def register(self, person: int = 1, kind: str = "telegram") -> None:
        """Lead somebody through the whole registration."""
        for said in ("hello", "1", "1", "Kenya", "1,2", "Nairobi"):
            self.hear(said, person, kind=kind)

    def press(self, value: str, person: int = 1) -> Taken:
        """Press a button of the question that waits."""
        state = self.scalar("select state->'session' from conversations") or {}
        return self.hear(Pressed(f"{state['tag']}.{state['asked']}.{value}"), person)

    def ask(self, query: str, **params: Any) -> list[Any]:
        """Rows of every organisation, as the sweeps see them."""
        with system_scope(self.engine) as db:
            return [tuple(row) for row in db.execute(text(query), params)]

    def scalar(self, query: str, **params: Any) -> Any:
        """The first value."""
        rows = self.ask(query, **params)
        return rows[0][0] if rows else None

    def change(self, statement: str, **params: Any) -> None:
        """Let something have happened."""
        with system_scope(self.engine) as db:
            db.execute(text(statement), params)

    def loop(self, worker: str = "worker-1", bell: Bell | None = None) -> DeliveryLoop:
        """A worker's delivery loop."""
        line = self.homeline
        engine = line.open().delivery
        return DeliveryLoop(engine, line.sender, self.clock, worker, bell, notes=self.notes)

    def deliver(self, until: Callable[[], bool] | None = None, seconds: float = 8) -> None:
        """Let one worker send, by default until nothing is due."""
        asyncio.run(self._deliver(until or self._nothing_due, seconds))

    async def _deliver(self, until: Callable[[], bool], seconds: float) -> None:
        loop = self.loop()
        running = asyncio.create_task(loop.run())
        try:
            async with asyncio.timeout(seconds):
                while not running.done() and not await asyncio.to_thread(until):
                    await asyncio.sleep(0.005)
        finally:
            loop.stop()
            await running

    def look(self, times: int = 3) -> None:
        """Let one worker look so many times, wait for what flies, and record it."""
        asyncio.run(self._look(times))

    async def _look(self, times: int) -> None:
        loop = self.loop()
        loop._awake_until = float("inf")
        async with open_client(64) as loop._http:
            for _ in range(times):
                await loop._once()
                if loop._flying:
                    await asyncio.wait(loop._flying.values())
            await loop._land()
        loop._database.close()

    def _nothing_due(self) -> bool:
        due = self.scalar(
            "select count(*) from messages where status = 'sending'"
            " or (status = 'queued' and due_at <= :now)",
            now=self.clock.now(),
        )
        return bool(due == 0)

    def statuses(self) -> list[Any]:
        """Status and error of what was said to people, in order."""
        return self.ask(
            "select status, error_code from messages where direction = 'out' order by id"
        )


@pytest.fixture(scope="session")
def telegram() -> Iterator[FakeTelegram]:
    with FakeTelegram(limits=False, any_token=True) as fake:
        fake.bot(TOKEN)
        yield fake


@pytest.fixture(scope="session")
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio() as fake:
        fake.sender(NUMBER)
        fake.sender(f"whatsapp:{NUMBER}")
        yield fake


@pytest.fixture
def desk(
    urls: Urls,
    engine: Engine,
    organisation: MadeUp,
    making: Callable[[], AbstractContextManager[Factory]],
    clock: MovedByHand,
    tmp_path: Path,
    telegram: FakeTelegram,
    twilio: FakeTwilio,
) -> Iterator[Desk]:
    with making() as make:
        flows.publish(make.db, loader.load(loader.library()["registration-express"]), now=make.now)
        channels = {
            "telegram": make.channel(
                credentials={"token": TOKEN, "secret": "made-up-secret"}, config=CHATTY, rate=5000
            ),
            "sms": make.channel(ChannelKind.SMS, credentials=SIGNED, sender=NUMBER, rate=5000),
            "whatsapp": make.channel(
                ChannelKind.WHATSAPP, credentials=SIGNED, sender=f"whatsapp:{NUMBER}", rate=5000
            ),
        }
        keys = {kind: channel.key for kind, channel in channels.items()}
    line = Homeline(
        settings_for(
            urls, tmp_path, telegram_api_url=telegram.url, twilio_api_url=twilio.url,
            public_url="http://127.0.0.1:1", ballot_keys=tmp_path / "ballots",
        )
    )  # fmt: skip
    line.clock = clock
    views = {kind: line.directory.by_key(key) for kind, key in keys.items()}
    for fake in (telegram, twilio):
        fake.run(fake.reset)
    desk = Desk(line, organisation.id, clock, views, engine)  # type: ignore[arg-type]
    yield desk
    for other in desk.others:
        other.close()
    line.close()
