"""STOP, START, HELP and the other words that mean the same anywhere, in every language."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from flows import words
from flows.normalising import normalise


class Word(StrEnum):
    """What a conversation-wide word asks for."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    MENU = "menu"
    DELETE = "delete"
    PRIVACY = "privacy"
    MYDATA = "mydata"
    CHANGE = "change"
    PERSON = "person"
    LANGUAGE = "language"
    RESTART = "restart"
    LESS = "less"
    JOIN = "join"
    RELAY = "relay"
    HELLO = "hello"


@dataclass(frozen=True, slots=True)
class Keyword:
    """A recognised word and the language it was said in.

    `sure` is False for a wish to stop inside a sentence: ask. `ambiguous` marks a word that may
    also be an answer (END, CANCEL, INFO): on SMS the provider has decided, on chat channels ask.
    `argument` is the code after JOIN or RELAY.
    """

    word: Word
    language: str
    sure: bool = True
    ambiguous: bool = False
    argument: str | None = None


def _listed(listed: str) -> list[str]:
    return [normalise(word.replace("_", " ")) for word in listed.split()]


_AMBIGUOUS: Final = frozenset(_listed(words.AMBIGUOUS))
_BY_PROVIDERS: Final = frozenset(_listed(words.BY_PROVIDERS))
_OPTED_OUT_START: Final = {
    normalise(word): language for language, word in words.OPTED_OUT_START.items()
}
_JOIN: Final = {
    word: language for language, listed in words.JOIN.items() for word in _listed(listed)
}
_RELAY: Final = {
    normalise(word.replace("_", " ")): language
    for language, listed in words.OTHERS["relay"].items()
    for word in listed.split()
}
_CODE: Final = re.compile(r"[A-Za-z0-9_-]{2,64}")
_SENTENCES: Final = {language: re.compile(pattern) for language, pattern in words.SENTENCES.items()}
_HELLO: Final = {
    word: language for language, listed in reversed(words.HELLO.items()) for word in _listed(listed)
}
_COMMAND: Final = re.compile(r"\s*/([a-z_]{1,32})(?:@\w+)?\s*", re.IGNORECASE | re.ASCII)
_STOP_ROOTS: Final = re.compile(
    "stop|subscri|opt|text|messag|contact|writ|send|alone|remove|take|arret|cess|ecri|desabo|desinsc"
    "|laiss|fich|retire|supprim|enlev|plus|envoy|derang|dej|pare|basta|escrib|mand|envi|molest"
    "|quiero|baja|mas|borre|deix|escrev|quero|chega|incomod|mais|tirem|remov"
    "|توق|وقف|كف|لا |الغ|احذف|ازيل"
)
_LONGEST_WORD: Final = 40
_LONGEST_SENTENCE: Final = 300


def _table() -> Mapping[str, Mapping[str, Word]]:
    """Every word, with its meaning in each language that has it."""
    table: dict[str, dict[str, Word]] = {}
    meanings = {Word.STOP: words.STOP} | {Word(name): by for name, by in words.OTHERS.items()}
    for word, by_language in meanings.items():
        for language, listed in by_language.items():
            for one in _listed(listed):
                table.setdefault(one, {}).setdefault(language, word)
    return table


_TABLE: Final = _table()
RESERVED: Final = frozenset(_TABLE) | frozenset(_JOIN)
"""Every conversation-wide word, normalised; none may be the label of an option."""
_INSIDE: Final = {
    word: name
    for name, by_language in (
        *words.INSIDE.items(),
        *((name, words.OTHERS[name]) for name in ("menu", "person")),
    )
    for listed in by_language.values()
    for word in _listed(listed)
}


def recognise(text: str, languages: Sequence[str], *, opted_out: bool = False) -> Keyword | None:
    """The conversation-wide word a message is, or None; total on any text.

    `languages` are those on offer, the person's first: a word several languages share is said in
    the first of them. STOP counts in every language we know. `opted_out` lets YES mean START.
    """
    if text[:1] == "/" and (command := _COMMAND.fullmatch(text)):
        text = command[1].replace("_", " ")
    normalised = normalise(text[:_LONGEST_SENTENCE])
    if not normalised:
        return None
    if len(normalised) <= _LONGEST_WORD:
        meanings = _TABLE.get(normalised)
        if meanings is not None:
            return _in_language(normalised, meanings, languages)
        if opted_out and normalised in _OPTED_OUT_START:
            return Keyword(Word.START, _OPTED_OUT_START[normalised])
    if normalised in _HELLO:
        return Keyword(Word.HELLO, _HELLO[normalised])
    return _joining(text) or _wish_to_stop(normalised, languages)


def inside(normalised: str) -> str | None:
    """`back`, `skip`, `more`, `menu` or `person` when the normalised text is such a word."""
    return _INSIDE.get(normalised)


def is_providers(text: str) -> bool:
    """Whether an SMS provider takes this text for STOP and confirms it by itself."""
    return normalise(text[:_LONGEST_WORD]) in _BY_PROVIDERS


def greeting(normalised: str) -> bool:
    """Whether the normalised text is a greeting and nothing more."""
    return normalised in _HELLO


def _in_language(
    normalised: str, meanings: Mapping[str, Word], languages: Sequence[str]
) -> Keyword:
    language = next((one for one in languages if one in meanings), next(iter(meanings)))
    return Keyword(meanings[language], language, ambiguous=normalised in _AMBIGUOUS)


def _joining(text: str) -> Keyword | None:
    """JOIN or RELAY and a code: two words, the first of them in some language."""
    parts = text[:100].split()
    if len(parts) != 2 or not _CODE.fullmatch(parts[1]):
        return None
    first = normalise(parts[0])
    for word, languages in ((Word.JOIN, _JOIN), (Word.RELAY, _RELAY)):
        if first in languages:
            return Keyword(word, languages[first], argument=parts[1])
    return None


def _wish_to_stop(normalised: str, languages: Sequence[str]) -> Keyword | None:
    if " " not in normalised or not _STOP_ROOTS.search(normalised):
        return None
    order = sorted(_SENTENCES, key=lambda one: one not in languages)
    found = next((one for one in order if _SENTENCES[one].search(normalised)), None)
    return None if found is None else Keyword(Word.STOP, found, sure=False)
