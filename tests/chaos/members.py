"""People who register on made-up phones: what each will answer, what they saw and did."""

import random
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from flows import loader
from flows.flow import Flow
from flows.gazetteer import LIBRARY
from flows.questions.base import UNTICK

REGISTRATION = "registration-express"
ORDER = ("language", "consent", "country", "purposes", "place", "thanks")
Do = tuple[str, str]
Buttons = Sequence[tuple[str, str]]

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


@cache
def registration() -> Flow:
    """The flow everybody is led through."""
    return loader.load(loader.library()[REGISTRATION])


@cache
def _whether_they_refuse() -> tuple[str, ...]:
    """What we ask back when the number that refuses came, perhaps twice, in each language."""
    (question,) = loader.load(LIBRARY / "asides" / "refuse.yaml").questions
    return tuple(question.text.values())


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
            "language": str(1 + registration().languages.index(self.language)),
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
    doubted: int = 0
    nudges: int = 0
    screen: Buttons = ()
    changes: list[float] = field(default_factory=list)
    acts: int = 0

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

    def next_act(self) -> Do:
        """What somebody does who looks at the screen now: hello, a button or words."""
        question = self.at
        if question is None:
            return ("send", "hello")
        if not self.plan.with_buttons or not self.screen or question in ("country", "place"):
            return ("send", self.plan.words(question))
        if question == "purposes":
            return ("press", _payload(self.screen, self._next_tick()))
        value = {"language": self.plan.language, "consent": "yes"}[question]
        return ("press", _payload(self.screen, value))

    def _next_tick(self) -> str:
        """The first box that is not yet as they want it, or Done."""
        for number, purpose in enumerate(PURPOSES):
            label = next(each for each, payload in self.screen if _value(payload) == purpose)
            if label.startswith("\u2611") != (number in self.plan.picks):
                return purpose
        return "done"

    def longest_silence(self) -> float:
        """Seconds between doing something and seeing anything new, at worst."""
        saw = sorted([*(at for at, _ in self.seen), *self.changes])
        worst = 0.0
        answered_at = float("-inf")
        for at, _ in self.did:
            if at >= answered_at:  # else they only said the same again while they waited
                place = bisect(saw, at)
                answered_at = saw[place] if place < len(saw) else at
                worst = max(worst, answered_at - at)
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

    def doubts(self, text: str) -> bool:
        """Whether a message asks if they refuse: a number of theirs came twice."""
        return any(words in text for words in _whether_they_refuse())


def _payload(buttons: Buttons, value: str) -> str:
    for _, payload in buttons:
        if _value(payload) == value:
            return payload
    raise LookupError(f"no button for {value}")


def _value(payload: str) -> str:
    """What a button stands for, whether it sets a tick or takes it away."""
    return payload.rpartition(".")[2].removeprefix(UNTICK)
