"""People who register on made-up phones, and what each of them saw and did.

A member answers every question once, after thinking for a moment, by button or by words. A question
that comes again is answered again only if no answer of theirs is fresh, as people do; somebody who
hears nothing for long says the same once more, and that is counted.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flows import loader
from flows.flow import Flow
from tests.fakes.server import FakeServer

REGISTRATION = "registration-express"
ORDER = ("language", "consent", "country", "purposes", "place", "thanks")
FRESH = 3.0
Do = tuple[str, str]

LANGUAGES = {"en": "English", "fr": "Français", "ar": "العربية"}
COUNTRIES = {
    "KE": {"en": "Kenya", "fr": "Kenya", "ar": "كينيا"},
    "FR": {"en": "France", "fr": "France", "ar": "فرنسا"},
    "ZA": {"en": "South Africa", "fr": "Afrique du Sud", "ar": "جنوب أفريقيا"},
}
PLACES = {  # GeoNames ids
    "KE": ("184745", {"en": "Nairobi", "fr": "Nairobi", "ar": "نيروبي"}),
    "FR": ("2996944", {"en": "Lyon", "fr": "Lyon", "ar": "ليون"}),
    "ZA": ("3369157", {"en": "Cape Town", "fr": "Le Cap", "ar": "كيب تاون"}),
}
PURPOSES = ("alerts", "polls", "consultations", "projects", "events")


def registration() -> Flow:
    """The flow everybody is led through."""
    return loader.load(loader.library()[REGISTRATION])


@dataclass(frozen=True, slots=True)
class Plan:
    """What one member will answer; `values` is what must be stored in the end."""

    address: str
    language: str
    country: str
    picks: tuple[int, ...]
    with_buttons: bool

    @property
    def values(self) -> dict[str, Any]:
        """Question -> stored value."""
        return {
            "language": self.language,
            "consent": "yes",
            "country": self.country,
            "purposes": [PURPOSES[n] for n in self.picks],
            "place": PLACES[self.country][0],
        }

    def words(self, question: str) -> str:
        """What the member types for a question."""
        typed = {
            "language": str(1 + list(LANGUAGES).index(self.language)),
            "consent": "1",
            "country": COUNTRIES[self.country][self.language],
            "purposes": ",".join(str(n + 1) for n in self.picks),
            "place": PLACES[self.country][1][self.language],
        }
        return typed[question]


def make_plan(address: str, dice: random.Random, *, with_buttons: bool) -> Plan:
    """Somebody with answers of their own."""
    picks = sorted(dice.sample(range(len(PURPOSES)), dice.randint(1, 3)))
    return Plan(
        address,
        dice.choice(list(LANGUAGES)),
        dice.choice(list(COUNTRIES)),
        tuple(picks),
        with_buttons,
    )


@dataclass
class Member:
    """One person: what they saw, in order, and what they did."""

    plan: Plan
    send: Callable[[str], object]
    press: Callable[[str], object]
    seen: list[tuple[float, str]] = field(default_factory=list)
    did: list[tuple[float, Do]] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    again: int = 0
    nudges: int = 0
    picked: int = 0

    @property
    def at(self) -> str | None:
        """The question on the screen."""
        return self.seen[-1][1] if self.seen else None

    @property
    def done(self) -> bool:
        """Whether they have been thanked."""
        return self.at == "thanks"

    @property
    def order(self) -> list[str]:
        """The questions in the order they came, repeats included."""
        return [question for _, question in self.seen]

    def longest_silence(self) -> float:
        """Seconds between doing something and seeing something new, at worst."""
        worst = 0.0
        moments = sorted([(at, "did") for at, _ in self.did] + [(at, "saw") for at, _ in self.seen])
        waiting_since: float | None = None
        for at, what in moments:
            if what == "did":
                waiting_since = waiting_since if waiting_since is not None else at
            elif waiting_since is not None:
                worst, waiting_since = max(worst, at - waiting_since), None
        return worst


class Readers:
    """Tells which question a text is, in any language."""

    def __init__(self, flow: Flow, names: Mapping[str, str]) -> None:
        self._texts: list[tuple[str, str]] = [("language", "Your language?")]
        for question in flow.definition["questions"]:
            texts = [*dict(question.get("text", {})).values(), *question.get("more", {}).values()]
            for text in texts:
                filled = str(text).strip()
                for name, value in names.items():
                    filled = filled.replace("{" + name + "}", value)
                self._texts.append((question["id"], filled))

    def question(self, text: str) -> str | None:
        """The question a message asks, or None for anything else."""
        text = text.replace("\u2068", "").replace("\u2069", "")  # names stand apart in Arabic
        return next((name for name, words in self._texts if words in text), None)


class Company:
    """All members on one fake; their acts run on the fake's thread."""

    def __init__(
        self, fake: FakeServer, readers: Readers, *, think: tuple[float, float], seed: int
    ) -> None:
        self._fake = fake
        self._readers = readers
        self._think = think
        self._dice = random.Random(seed)
        self.members: dict[str, Member] = {}

    def join(self, member: Member) -> None:
        """One more member."""
        self.members[member.plan.address] = member

    def begin(self, spread: float) -> None:
        """Everybody says hello within `spread` seconds."""

        def act() -> None:
            for member in self.members.values():
                self._fake.spawn(self._do(member, ("send", "hello"), self._dice.uniform(0, spread)))

        self._fake.run(act)

    def saw(
        self, address: str, text: str, buttons: Sequence[tuple[str, str]], *, new: bool
    ) -> None:
        """A message on somebody's phone; called on the fake's thread."""
        member = self.members.get(address)
        if member is None:
            return
        question = self._readers.question(text)
        if new:
            self._note(member, question, text)
        if question is None or question == "thanks" or (not new and not buttons):
            return
        if not self._willing(member, question, new=new):
            return
        act = self._answer(member, question, buttons, new=new)
        if act is not None:
            self._fake.spawn(self._do(member, act, self._dice.uniform(*self._think)))

    def nudge(self, patience: float) -> int:
        """Let those who heard nothing for so long say the same again; how many did."""
        now = time.monotonic()
        silent = [m for m in self.members.values() if not m.done and self._waits(m, now) > patience]

        def act() -> None:
            for member in silent:
                member.nudges += 1
                self._fake.spawn(self._do(member, member.did[-1][1], 0.0))

        self._fake.run(act)
        return len(silent)

    # --- one member ---

    def _note(self, member: Member, question: str | None, text: str) -> None:
        now = time.monotonic()
        if question is None:
            member.strange.append(text[:60])
            return
        if question in member.order:
            member.again += 1
        member.seen.append((now, question))

    def _willing(self, member: Member, question: str, *, new: bool) -> bool:
        """People answer what is asked now; what they have just answered they do not repeat."""
        if not new:
            return question == member.at
        earlier = [at for at, name in member.seen[:-1] if name == question]
        if not earlier:
            return True
        later = {name for _, name in member.seen if ORDER.index(name) > ORDER.index(question)}
        last_did = member.did[-1][0] if member.did else 0.0
        return not later and time.monotonic() - last_did > FRESH

    def _answer(
        self, member: Member, question: str, buttons: Sequence[tuple[str, str]], *, new: bool
    ) -> Do | None:
        plan = member.plan
        if not plan.with_buttons or not buttons or question in ("country", "place"):
            return ("send", plan.words(question)) if new else None
        if question == "purposes":
            return self._pick(member, buttons, new=new)
        value = {"language": plan.language, "consent": "yes"}[question]
        return ("press", _payload(buttons, value)) if new else None

    def _pick(self, member: Member, buttons: Sequence[tuple[str, str]], *, new: bool) -> Do | None:
        """One press a tick, then Done; every change of the buttons calls for the next."""
        if new:
            member.picked = 0
        ticked = sum(label.startswith("\u2611") for label, _ in buttons)
        if ticked < member.picked:
            return None
        member.picked = ticked + 1
        if ticked < len(member.plan.picks):
            return ("press", _payload(buttons, PURPOSES[member.plan.picks[ticked]]))
        return ("press", _payload(buttons, "done"))

    async def _do(self, member: Member, act: Do, pause: float) -> None:
        await self._fake.clock.sleep(pause)
        member.did.append((time.monotonic(), act))
        if act[0] == "press":
            member.press(act[1])
        else:
            member.send(act[1])

    def _waits(self, member: Member, now: float) -> float:
        did = member.did[-1][0] if member.did else now
        saw = member.seen[-1][0] if member.seen else 0.0
        return now - did if did > saw else 0.0


def _payload(buttons: Sequence[tuple[str, str]], value: str) -> str:
    for _, payload in buttons:
        if payload.rpartition(".")[2] == value:
            return payload
    raise LookupError(f"no button for {value}")
