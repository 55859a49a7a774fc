"""A mark on a scale."""

import re
from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from flows.figures import Maybe, read_count
from flows.normalising import normalise
from flows.questions.base import Answer, At, Frame, Problem, Question, Reading, Shown
from flows.spec import Spec

_OF: Final = re.compile(r"(\d+) ?(?:/|of|out of|sur|de|من) ?(\d+)")
_STARS: Final = re.compile("[\u2b50\U0001f31f\u2605]+")
_POINT: Final = "\ufe0f"


class Scale(Question):
    """One of `points` marks, from 1 on; `low` and `high` say what the ends mean.

    Buttons carry the digits. Without buttons the text itself says which digits there are.
    """

    type = "scale"
    ordered = True
    told = True
    keys: ClassVar[tuple[str, ...]] = ("points", "low", "high")
    help = ("help_choice", "example_choice")
    example: ClassVar[Mapping[str, object]] = {
        "id": "trust",
        "type": "scale",
        "text": {"en": "How much do you trust the consulate?"},
        "points": 5,
        "low": {"en": "not at all"},
        "high": {"en": "fully"},
    }

    def __init__(self, frame: Frame, spec: Spec) -> None:
        super().__init__(frame, spec)
        self.points = spec.number("points", default=5, least=2, most=10)
        self.low, self.high = spec.texts("low"), spec.texts("high")
        self._ends = {normalise(text): 1 for text in self.low.values()} | {
            normalise(text): self.points for text in self.high.values()
        }

    def style(self, at: At) -> str:
        return "scale"

    def said(self, at: At) -> str:
        low = self.in_language(self.low, at.language)
        high = self.in_language(self.high, at.language)
        return f"{super().said(at)}\n1 = {low}, {self.points} = {high}"

    def shown(self, at: At) -> tuple[Shown, ...]:
        return tuple(Shown(value, value) for value in self.values())

    def read(self, text: str, normalised: str, at: At) -> Reading:
        stars = "".join(text.replace(_POINT, "").split())
        if _STARS.fullmatch(stars):
            return self._mark(len(stars))
        if normalised in self._ends:
            return Answer(self._ends[normalised])
        share = _OF.fullmatch(normalised)
        if share:
            return self._mark(int(share[1])) if int(share[2]) == self.points else Problem()
        found = read_count(text)
        return Problem() if found is None else self._mark(_plain(found))

    def press(self, value: str, at: At) -> Reading | None:
        return Answer(int(value)) if value in self.values() else None

    def values(self) -> tuple[str, ...]:
        return tuple(map(str, range(1, self.points + 1)))

    def other_texts(self) -> Iterable[tuple[str, Mapping[str, str]]]:
        return (("low", self.low), ("high", self.high))

    def _mark(self, value: int) -> Reading:
        return Answer(value) if 1 <= value <= self.points else Problem()


def _plain(found: int | Maybe) -> int:
    return found.value if isinstance(found, Maybe) else found
