"""A conversation in a few lines: say things, look at what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from flows.engine import resume, start, step
from flows.events import Asked, Event, Said, as_part
from flows.flow import Flow, build
from flows.inputs import Input, Pressed, Text
from flows.loader import library, load
from flows.state import State, Value
from flows.wording import Prompt, as_lines, compose

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAMES = {"organisation": "Consulate in Cape Town", "office": "Cape Town"}
TAG = "k3"


@lru_cache
def shipped(name: str) -> Flow:
    return load(library()[name])


def flow_of(*questions: Mapping[str, Any], languages: tuple[str, ...] = ("en",)) -> Flow:
    return build(
        {"flow": "sample", "kind": "poll", "languages": list(languages), "questions": questions}
    )


def choice(question: str = "colour", *values: str, **more: Any) -> dict[str, Any]:
    return {
        "id": question,
        "type": "choice",
        "text": {"en": f"Which {question}?"},
        "options": [
            {"value": value, "label": {"en": value.capitalize()}}
            for value in values or ("red", "green", "blue")
        ],
        **more,
    }


def text(question: str = "why", **more: Any) -> dict[str, Any]:
    return {"id": question, "type": "text", "text": {"en": f"{question.capitalize()}?"}, **more}


@dataclass
class Talk:
    """One person in one flow; the state is stored and read back between any two inputs."""

    flow: Flow
    language: str = "en"
    known: Mapping[str, Value] = field(default_factory=dict)
    state: State = field(init=False)
    events: tuple[Event, ...] = field(init=False)
    seen: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._keep(start(self.flow, tag=TAG, language=self.language, now=NOW, known=self.known))

    def say(self, *texts: str) -> "Talk":
        for one in texts:
            self.send(Text(one))
        return self

    def press(self, *values: str) -> "Talk":
        for value in values:
            self.send(Pressed(f"{TAG}.{self.state.asked}.{value}"))
        return self

    def send(self, given: Input) -> "Talk":
        self._keep(step(self.flow, self.state, given, NOW))
        return self

    def resume(self) -> "Talk":
        self._keep(resume(self.flow, self.state, now=NOW))
        return self

    def _keep(self, outcome: tuple[State, tuple[Event, ...]]) -> None:
        self.state = State.from_json(outcome[0].to_json())
        assert self.state == outcome[0]
        self.events = outcome[1]
        self.seen.extend(outcome[1])

    @property
    def parts(self) -> list[dict[str, Any]]:
        return [as_part(one) for one in self.events if isinstance(one, Said | Asked)]

    @property
    def prompt(self) -> Prompt:
        return compose(
            self.parts, flow=self.flow, language=self.state.language, tag=TAG, names=NAMES
        )

    @property
    def lines(self) -> str:
        return as_lines(self.prompt)

    @property
    def effects(self) -> list[Event]:
        return [one for one in self.events if not isinstance(one, Said | Asked)]

    @property
    def said(self) -> list[str]:
        return [one.phrase for one in self.events if isinstance(one, Said)]
