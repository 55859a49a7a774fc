"""A storm: members on three channels, rough providers, the real processes, and what came of it."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bot.channels.twilio_sending import RETRIES
from tests.chaos.balancer import Balanced, balance_telegram, balance_twilio
from tests.chaos.company import Company
from tests.chaos.house import NUMBER, PUBLIC_URL, SECRET, TOKEN, Asked, House
from tests.chaos.members import (
    Member,
    Readers,
    make_plan,
    registration,
)
from tests.fakes.hooks import Shake
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_people import Person
from tests.fakes.telegram_state import Bubble, Webhook
from tests.fakes.twilio import FakeTwilio
from tests.fakes.twilio_people import Phone
from tests.fakes.twilio_state import StatusPlan, Text

ROUGH = Shake(again=0.6, most=5, spread=0.5, parallel=0.4)
NAMES = {"organisation": "Chaos"}


@dataclass
class Storm:
    """Everything of one run."""

    house: House
    telegram: FakeTelegram
    twilio: FakeTwilio
    companies: list[Company]
    balancers: list[Balanced]
    seconds: float = 0.0
    nudges: int = 0
    restarts: list[float] = field(default_factory=list)

    @property
    def members(self) -> list[Member]:
        """Everybody."""
        return [m for company in self.companies for m in company.members.values()]

    def begin(self, spread: float) -> None:
        """Everybody says hello."""
        for company in self.companies:
            company.begin(spread)

    def take_their_time(self) -> None:
        """Let both providers think before and after they take a message, as the real ones do."""
        for fake in (self.telegram, self.twilio):
            rule = partial(fake.script.add, "slow", before_ms=100, after_ms=200)
            fake.run(rule)

    def run(
        self, seconds: float, *, blows: Iterator[float] | None = None, patience: float | None = None
    ) -> None:
        """Until all are thanked; `blows` strikes and gives the pause until the next one."""
        began = time.monotonic()
        strike_at = began + next(blows) if blows else None
        while not all(m.done for m in self.members):
            now = time.monotonic()
            if now - began > seconds:
                break
            if blows and strike_at and now >= strike_at:
                pause = next(blows, None)
                strike_at = time.monotonic() + pause if pause is not None else None
            if patience is not None:
                self.nudges += sum(company.nudge(patience) for company in self.companies)
            time.sleep(0.1)
        self.seconds = time.monotonic() - began
        self.settle()

    def settle(self, seconds: float = 15) -> None:
        """Wait until nothing is on its way any more, copies included."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            waiting = sum(len(a.waiting) for a in self.telegram.accounts.values())
            unsent = self.house.ask(
                "select count(*) from messages where status in ('queued', 'sending')"
            )[0][0]
            if not waiting and not unsent:
                break
            time.sleep(0.2)
        time.sleep(ROUGH.spread + 0.3)


@contextmanager
def storm(
    data: Path,
    members: int,
    *,
    seed: int = 1,
    shake: Shake = ROUGH,
    statuses: StatusPlan | None = None,
    think: tuple[float, float] = (0.02, 0.3),
    asked: Asked | None = None,
) -> Iterator[Storm]:
    """Providers, house and members, everything connected; nobody has spoken yet."""
    with ExitStack() as stack:
        telegram = stack.enter_context(FakeTelegram(limits=False, seed=seed))
        twilio = stack.enter_context(FakeTwilio(seed=seed))
        asked = asked or Asked()
        asked.telegram_api, asked.twilio_api = telegram.url, twilio.url
        house = stack.enter_context(House(data, asked))
        balancers = [balance_telegram(telegram, house.ports), balance_twilio(twilio, house.ports)]
        connect(house, telegram, twilio)
        telegram.courier.shake = twilio.inbound.shake = shake
        twilio.statuses.plan = statuses or StatusPlan(reorder=0.3, duplicate=0.2, drop=0.05)
        companies = _people(telegram, twilio, members, think, seed)
        yield Storm(house, telegram, twilio, companies, balancers)


def connect(house: House, telegram: FakeTelegram, twilio: FakeTwilio) -> None:
    """Let both providers know where the house takes messages in."""
    hook = Webhook(PUBLIC_URL + house.lines["telegram"].webhook("telegram"), SECRET, 100)
    account = telegram.bot(TOKEN, "chaos_bot")

    def hang() -> None:
        account.webhook = hook
        telegram.widen(account, 100)

    telegram.run(hang)
    sms, whatsapp = house.lines["sms"], house.lines["whatsapp"]
    for address, line in ((NUMBER, sms), (f"whatsapp:{NUMBER}", whatsapp)):
        url = PUBLIC_URL + line.webhook("twilio") + RETRIES
        twilio.sender(address, url, fallback=url)


def _people(
    telegram: FakeTelegram, twilio: FakeTwilio, many: int, think: tuple[float, float], seed: int
) -> list[Company]:
    dice = random.Random(seed)
    readers = Readers(registration(), NAMES)
    chats = Company(telegram, readers, think=think, seed=seed)
    phones = Company(twilio, readers, think=think, seed=seed)
    for number in range(many):
        kind = ("telegram", "sms", "whatsapp")[number % 3]
        buttons = kind != "sms" and dice.random() < 0.7
        if kind == "telegram":
            person = telegram.person(500_001 + number, language="en")
            plan = make_plan(f"telegram:{person.id}", dice, with_buttons=buttons)
            chats.join(Member(plan, person.send, _presser(person)))
        else:
            path = f"+44770{1_000_000 + number}"
            phone = twilio.phone(path if kind == "sms" else f"whatsapp:{path}")
            plan = make_plan(f"{kind}:{path}", dice, with_buttons=buttons)
            phones.join(Member(plan, phone.send, _tapper(phone)))
    seen: set[tuple[int, int]] = set()

    def chat(person: Person, bubble: Bubble) -> None:
        new = (bubble.chat, bubble.id) not in seen
        seen.add((bubble.chat, bubble.id))
        buttons = [(b["text"], b.get("callback_data", "")) for row in bubble.rows for b in row]
        chats.saw(f"telegram:{person.id}", bubble.text, buttons, new=new)

    def text(phone: Phone, message: Text) -> None:
        kind = "" if phone.on_whatsapp else "sms:"
        phones.saw(f"{kind}{phone.address}", message.body, message.buttons, new=True)

    telegram.listen(chat)
    twilio.listen(text)
    return [chats, phones]


def _presser(person: Person) -> Any:
    def press(payload: str) -> None:
        for bubble in reversed(person.bubbles):
            if any(b.get("callback_data") == payload for row in bubble.rows for b in row):
                person.press(bubble, payload)
                return

    return press


def _tapper(phone: Phone) -> Any:
    def tap(payload: str) -> None:
        for text in reversed(phone.inbox):
            for title, given in text.buttons:
                if given == payload:
                    phone._press(text, title, payload)
                    return

    return tap
