"""What every question type is: how it reads an answer, and what it shows.

A type is one class in one file. It overrides `read` and, when it has buttons, `press` and
`shown`; everything else has a default. Readings are what an input turned out to be.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, TypeAlias

from flows.conditions import Condition
from flows.events import Event
from flows.gazetteer import Gazetteer
from flows.inputs import Attachment
from flows.spec import Spec
from flows.state import SEALED, SKIPPED, Value

NOTHING: Final[Mapping[str, Value]] = {}
UNTICK: Final = "-"
"""Stands before the value of a ticked box: its button takes the tick away. No value begins so."""
_NOT_KEPT: Final = {
    "photo": "photo_not_kept",
    "document": "photo_not_kept",
    "video": "photo_not_kept",
    "contact": "contact_not_kept",
    "voice": "no_voice",
}


@dataclass(frozen=True, slots=True)
class At:
    """Where the conversation stands when a question is read or shown."""

    language: str
    page: int = 0
    picked: tuple[str, ...] = ()
    answers: Mapping[str, Value] = field(default_factory=dict)
    order: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A valid answer; `file` is a recording that says it, which is still with its provider."""

    value: Value
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Guess:
    """Probably this value; it is read back before it counts."""

    value: str


@dataclass(frozen=True, slots=True)
class Picking:
    """Not an answer yet: these options are picked, or offered by a search."""

    values: tuple[str, ...]
    edit: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Another page of the same question is wanted."""

    page: int
    edit: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """No answer. With a phrase we say exactly what is wrong, else the next rung of help.

    With `counts` False the person did nothing wrong, and the rungs stay where they are.
    """

    phrase: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    counts: bool = True


Reading: TypeAlias = Answer | Guess | Picking | Page | Problem


@dataclass(frozen=True, slots=True)
class Shown:
    """One option as it is shown; `value` is the last part of its payload."""

    label: str
    value: str
    digit: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """What all questions have in common, read by `flow.build`."""

    id: str
    text: Mapping[str, str]
    when: Condition | None
    required: bool
    languages: tuple[str, ...]
    places: Gazetteer


class Question:
    """One question of a flow, immutable once built."""

    type: ClassVar[str]
    example: ClassVar[Mapping[str, object]]
    """A question of this type as a flow file has it; a test builds it."""
    sample: ClassVar[str] = ""
    """What a person may type to answer the example at once; tests do. Needed without `values`."""
    keys: ClassVar[tuple[str, ...]] = ()
    """Keys of the flow file that only this type reads; a test looks for them in the docs."""
    sealed: bool = False
    """Whether answers are personal and stored sealed."""
    secret: bool = False
    """Whether answers are votes of a secret poll, which nothing of the conversation remembers."""
    waits: ClassVar[bool] = True
    """Whether the conversation waits for an answer."""
    counted: ClassVar[bool] = True
    """Whether the question counts in "2 of 5"."""
    digits: ClassVar[bool] = False
    """Whether 0 skips, 8 opens the menu and 9 goes back; else only the words do."""
    returns: ClassVar[bool] = True
    """Whether BACK may come back to this question."""
    needs_text: ClassVar[bool] = True
    """Whether the flow file must give the question a text."""
    repeats: ClassVar[bool] = True
    """Whether the first rung of help repeats the question's text; long texts are not repeated."""
    takes_pin: ClassVar[bool] = False
    """Whether a shared location may be an answer."""
    several: ClassVar[bool] = False
    """Whether an answer is a list of values."""
    ordered: ClassVar[bool] = False
    """Whether conditions may compare answers with `at_least` and `at_most`: numbers and dates."""
    told: ClassVar[bool] = False
    """Whether results of a poll say how many gave each of its `values`; else how many answered."""
    six_digits: ClassVar[bool] = False
    """Whether six digits may be an answer, so that they are not taken for a code of ours."""
    redacts: ClassVar[bool] = False
    """Whether numbers of papers and cards are taken out of answers before they are stored."""
    hinting: ClassVar[tuple[str, str, str] | None] = None
    """The phrases that ask about a hint, agree and disagree; None when hints are not used."""
    help: tuple[str, str] = ("help_text", "example_text")
    """The phrases of the first two rungs of help."""
    hint: ClassVar[str] = ""
    """The phrase that says how to answer without buttons."""

    def __init__(self, frame: Frame, spec: Spec) -> None:
        self.id = frame.id
        self.text = frame.text
        self.when = frame.when
        self.required = frame.required
        self.languages = frame.languages

    def order(self, seed: int) -> int:
        """In which of all possible orders the options stand for this seed; 0 is the file's."""
        return 0

    def style(self, at: At) -> str:
        """How the options are meant: none, choice, scale, multi, search (of many), contact."""
        return "none"

    def said(self, at: At) -> str:
        """The question's own words."""
        return self.in_language(self.text, at.language)

    def shown(self, at: At) -> tuple[Shown, ...]:
        """The options of the page, in order."""
        return ()

    def beside(self, at: At) -> tuple[tuple[str, str, str], ...]:
        """More buttons: phrase of the label, value, digit."""
        return ()

    def read(self, text: str, normalised: str, at: At) -> Reading:
        """What typed text means; `text` is clean, `normalised` for matching. Total."""
        raise NotImplementedError

    def press(self, value: str, at: At) -> Reading | None:
        """What a pressed value means; None when it is no value of this question."""
        return None

    def pin(self, latitude: float, longitude: float) -> Reading:
        """What a location means; nothing to a question that is not about places."""
        return Problem("pin_not_needed", counts=False)

    def attachment(self, given: Attachment) -> Reading:
        """What a photo, contact card and the like means."""
        return Problem(_NOT_KEPT.get(given.kind, "not_text"), counts=False)

    def label(self, value: str, language: str) -> str:
        """What a value is called, to read it back."""
        return value

    def fits(self, value: Value, answers: Mapping[str, Value]) -> bool:
        """Whether the answer still makes sense beside the others, when one of them has changed."""
        return True

    def takes_hint(self, value: str) -> bool:
        """Whether this likely answer from outside may be asked about."""
        return False

    def confirmed(self, value: str) -> Value:
        """The answer, when the guess that was read back is right."""
        return value

    def other_texts(self) -> Iterable[tuple[str, Mapping[str, str]]]:
        """More words of the flow file, with their key, for lint."""
        return ()

    def effects(self, value: Value, before: Value | None) -> tuple[Event, ...]:
        """What the answer results in beyond being stored; `before` is the earlier answer."""
        return ()

    def ends(self, value: Value) -> str | None:
        """The reason when this answer ends the flow and nothing is to be stored."""
        return None

    def values(self) -> tuple[str, ...]:
        """Every value a payload of this question may carry, for lint."""
        return ()

    def summarise(self, values: Iterable[Value]) -> Mapping[str, int]:
        """How often each option was chosen; for other types how many answered."""
        given = [value for value in values if value != SKIPPED]
        return {"answered": len(given)} if self.sealed or not self.values() else tally(given)

    def in_language(self, texts: Mapping[str, str], language: str) -> str:
        """The text in the language, else in the flow's first that has it."""
        found = texts.get(language)
        if found is not None:
            return found
        return next((texts[one] for one in self.languages if one in texts), "")


def tally(values: Iterable[Value]) -> Mapping[str, int]:
    """How often each value occurs; the values of a multiple choice count one by one."""
    counts: Counter[str] = Counter()
    for value in values:
        counts.update(map(str, value) if isinstance(value, list) else [str(value)])
    del counts[SEALED]
    return counts
