"""What members of an ask do with their phones, and everything that came to them, with its hour."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flows.wording import say
from tests.chaos.poll_words import BECAUSE, MARK, QUESTION, WHY, kind_of
from tests.chaos.roll import VALUES, Member
from tests.fakes.server import FakeServer
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_people import Person
from tests.fakes.telegram_state import Bubble
from tests.fakes.twilio import FakeTwilio
from tests.fakes.twilio_people import Phone
from tests.fakes.twilio_state import Text

Buttons = Sequence[tuple[str, str]]
THINK = (0.0, 0.1)


@dataclass(frozen=True, slots=True)
class Saw:
    """One message on somebody's phone."""

    who: UUID
    channel: str
    kind: str
    at: datetime


@dataclass(slots=True)
class _Screen:
    """One message with what can be done about it."""

    member: Member
    channel: str
    text: str
    buttons: Buttons
    press: Callable[[str], object]
    send: Callable[[str], object]

    def payload(self, ending: str) -> str | None:
        """What the button of this ending sends."""
        return next((one for _, one in self.buttons if one.endswith(ending)), None)


@dataclass
class Phones:
    """Everybody's phones; `ahead` is how far the clock of the house was moved."""

    telegram: FakeTelegram
    twilio: FakeTwilio
    seed: int = 1
    ahead: timedelta = timedelta()
    saw: list[Saw] = field(default_factory=list)
    reminded: set[UUID] = field(default_factory=set)
    guests: set[UUID] = field(default_factory=set)
    strange: list[str] = field(default_factory=list)
    _owners: dict[str, Member] = field(default_factory=dict)
    _bubbles: set[tuple[int, int]] = field(default_factory=set)
    _hands: dict[str, Person | Phone] = field(default_factory=dict)
    _busy: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        self.telegram.listen(self._chat)
        self.twilio.listen(self._text)

    @property
    def now(self) -> datetime:
        """What the clock of the house says."""
        return datetime.now(UTC) + self.ahead

    @property
    def acting(self) -> int:
        """How many people are about to do something."""
        return self._busy

    def callbacks(self) -> Mapping[int, int]:
        """How many status callbacks ended in each answer; 0: the provider waited in vain."""
        return Counter(status for _, _, status in self.twilio.statuses.calls)

    def join(self, members: Sequence[Member]) -> None:
        """Hand out the phones; everybody opened the bot when they registered."""
        account = next(iter(self.telegram.accounts.values()))
        for member in members:
            for address in member.person.addresses:
                self._owners[address] = member
                scheme, _, path = address.partition(":")
                if scheme == "telegram":
                    person = self.telegram.person(int(path), language=member.person.language)
                    account.chats.setdefault(person.id, person.chat)
                    self._hands[address] = person
                else:
                    self._hands[address] = self.twilio.phone(
                        path if scheme == "sms" else f"whatsapp:{path}"
                    )

    def hand(self, member: Member) -> Person | Phone:
        """The phone a member used last."""
        return self._hands[member.person.addresses[0]]

    def say(self, member: Member, text: str) -> None:
        """Let somebody write to us."""
        self.hand(member).send(text)

    def _chat(self, person: Person, bubble: Bubble) -> None:
        new = (bubble.chat, bubble.id) not in self._bubbles
        self._bubbles.add((bubble.chat, bubble.id))
        if not new:
            return
        buttons = [(b["text"], b.get("callback_data", "")) for row in bubble.rows for b in row]
        self._came(
            self.telegram, f"telegram:{person.id}", bubble.text, buttons,
            lambda payload: person.press(bubble, payload), person.send,
        )  # fmt: skip

    def _text(self, phone: Phone, text: Text) -> None:
        address = phone.address if phone.on_whatsapp else f"sms:{phone.address}"

        def press(payload: str) -> object:
            title = next(title for title, given in text.buttons if given == payload)
            return phone._press(text, title, payload)

        self._came(self.twilio, address, text.body, text.buttons, press, phone.send)

    def _came(
        self,
        fake: FakeServer,
        address: str,
        text: str,
        buttons: Buttons,
        press: Callable[[str], object],
        send: Callable[[str], object],
    ) -> None:
        member = self._owners.get(address)
        if member is None:
            self.strange.append(address)
            return
        channel = address.partition(":")[0]
        kind = kind_of(text)
        self.saw.append(Saw(member.id, channel, kind, self.now))
        if kind.endswith("reminder"):
            self.reminded.add(member.id)
        act = self._act(_Screen(member, channel, text, buttons, press, send), kind)
        if act is not None:
            with self._lock:
                self._busy += 1
            fake.spawn(self._do(fake, act))

    async def _do(self, fake: FakeServer, act: Callable[[], object]) -> None:
        await fake.clock.sleep(self._dice.uniform(*THINK))
        try:
            act()
        finally:
            with self._lock:
                self._busy -= 1

    def _act(self, screen: _Screen, kind: str) -> Callable[[], object] | None:
        """What somebody does who reads this, or None."""
        if (read := screen.payload("template.result.answer")) is not None:
            return lambda: screen.press(read)
        if MARK not in screen.text and not kind.endswith("reminder"):
            return None
        if any(words in screen.text for words in WHY.values()):
            return lambda: screen.send(BECAUSE)
        if kind == "test":
            return _answer(screen, VALUES[0])
        return self._as_they_are(screen)

    def _as_they_are(self, screen: _Screen) -> Callable[[], object] | None:
        member, manner = screen.member, screen.member.manner
        if member.id in self.guests:
            manner = "answers"
        if manner == "silent" or (manner == "late" and member.id not in self.reminded):
            return None
        if manner == "not_now":
            return _later(screen)
        opened = screen.payload(".answer")
        if opened is not None and opened.startswith("template."):
            return lambda: screen.press(opened)
        return _answer(screen, member.value)


def _answer(screen: _Screen, value: str) -> Callable[[], object] | None:
    """Press the option, or send its digit; None for what asks nothing."""
    payload = screen.payload(f".when_open.{value}")
    if payload is not None:
        return lambda: screen.press(payload)
    if screen.channel == "sms" and any(words in screen.text for words in QUESTION.values()):
        return lambda: screen.send(str(1 + VALUES.index(value)))
    return None


def _later(screen: _Screen) -> Callable[[], object] | None:
    payload = screen.payload(".not_now") or screen.payload(".later")
    if payload is not None:
        return lambda: screen.press(payload)
    if screen.channel == "sms":
        return lambda: screen.send(say("not_now", screen.member.person.language))
    return None
