"""A flow played on the bare engine, its state stored and loaded again between the turns."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from commands.chats import Act, Shown, Turn
from flows import engine
from flows import events as happened
from flows.events import Asked, Event, Said, as_part
from flows.flow import Flow
from flows.inputs import Attachment, Input, Pin, Pressed, Text
from flows.state import State
from flows.wording import Choice, Prompt, compose

BEGINNING: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAMES: Final = {"organisation": "Consulate", "office": "Consulate"}
TICK: Final = "\u2713 "
ORDER: Final = ("language", "saved", "skipped", "consent", "session", "erased", "address")
_PASSES: Final = re.compile(r"(\d+) (minute|hour|day|week)s? pass(?:es)?")
_PIN: Final = re.compile(r"a pin at (-?\d+(?:\.\d+)?), (-?\d+(?:\.\d+)?)")
_UNITS: Final = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
KINDS: Final = {"voice note": "voice"}


class CannotPlay(ValueError):
    """The act is not possible here: no such button, or nothing known by this name."""


class Player:
    """One person in one flow. `play` does one act and returns the turn with what came of it."""

    def __init__(self, flow: Flow, language: str, now: datetime = BEGINNING) -> None:
        self.flow = flow
        self.now = now
        self.prompts: list[Prompt] = []
        self._language = language
        self._stored: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing is asked any more."""
        return self._stored is not None and json.loads(self._stored)["status"] != "waiting"

    def play(self, act: Act) -> Turn:
        """Do one act; CannotPlay when it is impossible."""
        if act.kind == "happens":
            self.now += passed(act.text) or timedelta()
            return Turn(act)
        if self._stored is None:
            state, events = engine.start(self.flow, tag="1", language=self._language, now=self.now)
        elif self.ended:
            return Turn(act)
        else:
            state = State.from_json(json.loads(self._stored))
            state, events = engine.step(self.flow, state, self._input(act), self.now)
        self._stored = json.dumps(state.to_json())
        return Turn(act, effects_of(events), self._shown(events, state))

    def _input(self, act: Act) -> Input:
        if act.kind == "says":
            return Text(act.text)
        if act.kind == "sends":
            return sent(act.text)
        old = act.kind == "presses_old"
        return Pressed(button(self.prompts[:-1] if old else self.prompts, act.text).payload)

    def _shown(self, events: Sequence[Event], state: State) -> tuple[Shown, ...]:
        parts = [as_part(event) for event in events if isinstance(event, Said | Asked)]
        if not parts:
            return ()
        prompt = compose(parts, flow=self.flow, language=state.language, tag=state.tag, names=NAMES)
        self.prompts.append(prompt)
        return (as_shown(prompt),)


def as_shown(prompt: Prompt) -> Shown:
    """A message as a transcript has it."""
    picked = set(prompt.picked)
    labels = [TICK * (c.payload in picked) + c.label for c in prompt.choices]
    return Shown(prompt.text, (*labels, *(c.label for c in prompt.navigation)))


def button(prompts: Sequence[Prompt], label: str) -> Choice:
    """The option with this label, on the newest message that has it; CannotPlay without one."""
    for prompt in reversed(prompts):
        for choice in (*prompt.choices, *prompt.navigation):
            if choice.label == label:
                return choice
    raise CannotPlay(f"no message has the option [{label}]")


def passed(text: str) -> timedelta | None:
    """How much time "3 hours pass" is; None for anything else."""
    found = _PASSES.fullmatch(text)
    return None if found is None else int(found[1]) * _UNITS[found[2]]


def sent(text: str) -> Input:
    """What "a voice note", "a sticker 🙂" or "a pin at -33.92, 18.42" is."""
    if found := _PIN.fullmatch(text):
        return Pin(float(found[1]), float(found[2]))
    name, _, emoji = text.removeprefix("a ").partition(" \u2014 ")
    if name.startswith("sticker "):
        name, _, emoji = name.partition(" ")
    kind = KINDS.get(name, name)
    return Attachment(kind, emoji=emoji or None, file="voice" if kind == "voice" else None)


def effects_of(events: Sequence[Event]) -> tuple[str, ...]:
    """What a step changes beyond what is said, in the words and order of transcripts."""
    granted = {e.question for e in events if isinstance(e, happened.ConsentGranted)}
    told = []
    for event in events:
        hidden = isinstance(event, happened.Answered) and is_consent(
            event.value, event.question, granted
        )
        if not hidden and (tell := _TELL.get(type(event))):
            told.append(tell(event))
    return in_order(told)


def is_consent(value: object, question: str, granted: set[str]) -> bool:
    """Whether an answer is nothing but the consent that is told beside it."""
    return isinstance(value, str) and question in granted


def saved(question: str, value: object, *, sealed: bool = False) -> str:
    """The line of one answer."""
    if sealed:
        return f"saved {question}, sealed"
    shown = ", ".join(map(str, value)) or "none" if isinstance(value, list) else value
    return f"saved {question} = {shown}"


def in_order(told: Sequence[str]) -> tuple[str, ...]:
    """Effects in the order of transcripts: answers, consents, then the session."""
    return tuple(sorted(told, key=lambda one: (ORDER.index(one.split()[0]), one)))


_TELL: Final[dict[type[Any], Callable[[Any], str]]] = {
    happened.Answered: lambda e: saved(e.question, e.value, sealed=e.sealed),
    happened.Skipped: lambda e: f"skipped {e.question}",
    happened.ConsentGranted: lambda e: f"consent granted: {e.purpose}",
    happened.ConsentWithdrawn: lambda e: f"consent withdrawn: {e.purpose}",
    happened.Completed: lambda e: "session complete",
    happened.Ended: lambda e: (
        "erased" if e.reason in {"refused", "under_age"} else "session stopped"
    ),
}
