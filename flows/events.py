"""What one step of a conversation results in; the engine's only output.

Every event carries an `example` of itself as arguments; a test builds each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

from flows.state import Value


@dataclass(frozen=True, slots=True)
class Said:
    """We say a phrase of `flows/phrases`, with its parameters."""

    phrase: str
    params: Mapping[str, str] = field(default_factory=dict)
    example: ClassVar[Mapping[str, Any]] = {"phrase": "too_long", "params": {"most": "480"}}


@dataclass(frozen=True, slots=True)
class Asked:
    """We ask, or show again, a question; `edit` means the message last sent is replaced.

    A `guess` is read back instead; `hinted` when it comes from outside, not from what was typed.
    `order` is which of all orders the options stand in; 0 is that of the file.
    """

    question: str
    rung: int = 0
    page: int = 0
    picked: tuple[str, ...] = ()
    edit: bool = False
    position: tuple[int, int] | None = None
    guess: str | None = None
    hinted: bool = False
    order: int = 0
    example: ClassVar[Mapping[str, Any]] = {"question": "country", "position": (1, 3)}


@dataclass(frozen=True, slots=True)
class Answered:
    """A question has a valid answer; the value is plain text when `sealed`.

    `file` is the provider's name of the recording that says it.
    """

    question: str
    value: Value
    sealed: bool
    file: str | None = None
    example: ClassVar[Mapping[str, Any]] = {"question": "country", "value": "ZA", "sealed": False}


@dataclass(frozen=True, slots=True)
class Skipped:
    """No answer holds for the question: skipped, or made irrelevant by a changed answer."""

    question: str
    example: ClassVar[Mapping[str, Any]] = {"question": "place"}


@dataclass(frozen=True, slots=True)
class LanguageChosen:
    """The person wants to be written to in this language."""

    language: str
    example: ClassVar[Mapping[str, Any]] = {"language": "fr"}


@dataclass(frozen=True, slots=True)
class ConsentGranted:
    """The person allows the purpose, by answering this question."""

    purpose: str
    question: str
    example: ClassVar[Mapping[str, Any]] = {"purpose": "registration", "question": "consent"}


@dataclass(frozen=True, slots=True)
class ConsentRefused:
    """The person refuses the consent a flow rests on: stop, and store nothing."""

    question: str
    example: ClassVar[Mapping[str, Any]] = {"question": "consent"}


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn:
    """The person takes back an earlier consent, by answering this question anew."""

    purpose: str
    question: str
    example: ClassVar[Mapping[str, Any]] = {"purpose": "polls", "question": "purposes"}


@dataclass(frozen=True, slots=True)
class Completed:
    """Nothing is left to ask."""

    example: ClassVar[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Ended:
    """The flow stops early; reason `refused`, `declined`, `under_age`, `expired`."""

    reason: str
    example: ClassVar[Mapping[str, Any]] = {"reason": "refused"}


@dataclass(frozen=True, slots=True)
class PersonWanted:
    """A person should look: `asked` for, or the third rung of help was reached."""

    asked: bool = False

    example: ClassVar[Mapping[str, Any]] = {"asked": True}


@dataclass(frozen=True, slots=True)
class MenuWanted:
    """The person asked for the menu inside a question (digit 8, or its button)."""

    example: ClassVar[Mapping[str, Any]] = {}


Event: TypeAlias = (
    Said
    | Asked
    | Answered
    | Skipped
    | LanguageChosen
    | ConsentGranted
    | ConsentRefused
    | ConsentWithdrawn
    | Completed
    | Ended
    | PersonWanted
    | MenuWanted
)


def as_part(event: Said | Asked) -> dict[str, Any]:
    """The stored, text-free form of what we say; `wording.compose` reads it."""
    if isinstance(event, Said):
        part: dict[str, Any] = {"say": event.phrase}
        if event.params:
            part["params"] = dict(event.params)
        return part
    part = {
        "ask": event.question,
        "rung": event.rung,
        "page": event.page,
        "picked": list(event.picked),
        "position": None if event.position is None else list(event.position),
        "guess": event.guess,
    }
    marks = {"hinted": event.hinted, "order": event.order}
    return part | {name: mark for name, mark in marks.items() if mark}
