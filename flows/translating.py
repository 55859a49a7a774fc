"""The texts of a flow in one language: which there are, and a flow with some of them changed.

A place names a text as lint does: `about`, `questions.when_open.text`,
`questions.when_open.options.saturday.label`. Words by which people enter the flow (`entry`) or mean
an option (`….also`) are lists.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeAlias

from flows.flow import Flow
from flows.questions.base import Question
from flows.questions.choice import Listed

Words: TypeAlias = str | list[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One text to be translated: as the first language has it, and as the wanted one does.

    `text` is None where it is missing; `needed` says that people would read the first language.
    """

    place: str
    source: Words | None
    text: Words | None
    needed: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a text stands in a definition: the object that holds it, and its key there."""

    name: str
    owner: dict[str, Any]
    key: str
    is_list: bool
    needed: bool


class NoSuchText(Exception):
    """A place that the flow does not have, or words of the wrong kind for it."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(place)
        self.place, self.problem = place, problem


def sheet(flow: Flow, language: str) -> list[Sheet]:
    """Return every text of a flow beside what it is in a language, in the order of the file."""
    found = []
    for place in _places(flow, deepcopy(dict(flow.definition))):
        texts: Mapping[str, Words] = place.owner.get(place.key) or {}
        source = texts.get(flow.languages[0])
        found.append(Sheet(place.name, source, texts.get(language), place.needed))
    return found


def translated(flow: Flow, language: str, texts: Mapping[str, Words]) -> dict[str, Any]:
    """Return the definition of a flow that speaks a language in these words; the rest stays.

    Raises NoSuchText for the first place that is not there.
    """
    definition = deepcopy(dict(flow.definition))
    places = {place.name: place for place in _places(flow, definition)}
    for name, words in texts.items():
        place = places.get(name)
        if place is None:
            raise NoSuchText(name, "there is no such text in this poll")
        if isinstance(words, list) != place.is_list:
            told = "give a list of words" if place.is_list else "give one text"
            raise NoSuchText(name, told)
        place.owner[place.key] = {**(place.owner.get(place.key) or {}), language: words}
    if language not in flow.languages:
        definition["languages"] = [*flow.languages, language]
    return definition


def _places(flow: Flow, definition: dict[str, Any]) -> Iterator[_Place]:
    yield _Place("entry", definition, "entry", is_list=True, needed=False)
    yield _Place("about", definition, "about", is_list=False, needed=False)
    for question, owner in zip(flow.questions, definition.get("questions", ()), strict=True):
        yield from _of_question(question, owner)


def _of_question(question: Question, owner: dict[str, Any]) -> Iterator[_Place]:
    name = f"questions.{question.id}"
    if question.needs_text or question.text:
        yield _Place(f"{name}.text", owner, "text", is_list=False, needed=True)
    for key, _ in question.other_texts():
        yield _Place(f"{name}.{key}", owner, key, is_list=False, needed=True)
    if isinstance(question, Listed) and question.type != "language":
        for option in owner.get("options", ()):
            where = f"{name}.options.{option['value']}"
            yield _Place(f"{where}.label", option, "label", is_list=False, needed=True)
            yield _Place(f"{where}.also", option, "also", is_list=True, needed=False)
