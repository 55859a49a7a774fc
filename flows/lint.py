"""What is wrong with a flow that can be built but must not be published."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, combinations, islice, product
from typing import Final

from flows.conditions import fields, may_hold
from flows.flow import Flow
from flows.forbidden import forbidden
from flows.keywords import RESERVED, inside, recognise
from flows.lengths import LONGEST_NAMES, lengths, room_for
from flows.normalising import normalise
from flows.questions.base import Question
from flows.questions.choice import Listed
from flows.questions.consent import Consent
from flows.sms import measure
from flows.state import Value
from flows.wording import LANGUAGES, phrases

NOT_TRANSLATED: Final = "is not translated"
PLACEHOLDERS: Final = frozenset({"organisation", "office"})
LONGEST_PAYLOAD: Final = 60
_LONGEST_TAG: Final = 4
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_TWILIO: Final = frozenset(
    "stop stopall unsubscribe cancel end quit revoke optout start yes unstop help info".split()
)
_EXEMPT: Final = frozenset({"aside", "notice"})
_MOST_CASES: Final = 5000
_LONG_PHRASES: Final = frozenset({"privacy", "mydata"})
_SAID_TOGETHER: Final = (("privacy", "sees_sms"),)
"""Phrases that stand in one message by SMS, which has the room of a longer one."""
_AN_INSTANT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_PARAMS: Final = {
    "guess": "Saint Petersburg",
    "most": "480",
    "least": "1",
    "at": "8",
    "of": "8",
    "receipt": "7KQ-20261122",
    "line": "+44 20 7946 0000",
    "link": "https://members.example.org/m/AAAAAAAAAAAAAAAAAAAAAA",
    "code": "123456",
    "qr": "https://members.example.org/j/k7m2pq.png",
    "poster": "https://members.example.org/j/k7m2pq/poster.pdf",
    "option": "Weekday mornings",
    "share": "100",
    "shares": "Weekday mornings 45%, others 55%",
    "figures": "Weekday mornings 45%, others 55% (1,000 answers)",
    "typed": "",
    "asker": "Consulate in Cape Town 24",
    "outcome": "",
    "topic": "a" * 24,
    "count": "1,000",
    "lines": "",
    "ways": "SMS: K7M2PQ > +447700900900",
    "answers": "",
    "said": "a" * 40,
    "day": "Wednesday",
    "date": "31 December 2026",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: where it is and what to do about it."""

    place: str
    problem: str

    def __str__(self) -> str:
        """The finding as one line."""
        return f"{self.place}: {self.problem}"


def lint(flow: Flow) -> list[Finding]:
    """Every fault of the flow, in the order of the file; an empty list when it may be published."""
    return [
        *_purpose(flow),
        *_consent_first(flow),
        *_entry(flow),
        *chain.from_iterable(_question(flow, question) for question in flow.questions),
        *_too_long(flow),
    ]


def lint_phrases() -> list[Finding]:
    """Faults of the shipped phrases: missing, unequal placeholders, too long."""
    english = phrases(LANGUAGES[0])
    found: list[Finding] = []
    for language in LANGUAGES:
        own = phrases(language)
        for name in sorted(english.keys() ^ own.keys()):
            found.append(Finding(f"{language}.{name}", "is missing in one of the languages"))
        for name in sorted(english.keys() & own.keys()):
            place, text = f"{language}.{name}", own[name]
            if set(_PLACEHOLDER.findall(text)) != set(_PLACEHOLDER.findall(english[name])):
                found.append(Finding(place, "has other placeholders than the English phrase"))
            found += _phrase_too_long(place, text, longer=name in _LONG_PHRASES)
        for names in _SAID_TOGETHER:
            text = "\n".join(own.get(name, "") for name in names)
            found += _phrase_too_long(f"{language}.{'+'.join(names)}", text, longer=True)
    return found


def _phrase_too_long(place: str, text: str, *, longer: bool) -> Iterator[Finding]:
    params = {**LONGEST_NAMES, **_PARAMS}
    unknown = sorted(set(_PLACEHOLDER.findall(text)) - params.keys())
    if unknown:
        yield Finding(place, f"write the longest {{{unknown[0]}}} there may be into flows/lint.py")
        return
    length = measure(_PLACEHOLDER.sub(lambda one: params[one[1]], text))
    if length.parts > room_for(length, longer=longer):
        yield Finding(place, f"has {length.units} units, {length.parts} parts")


def _purpose(flow: Flow) -> Iterator[Finding]:
    if flow.kind in _EXEMPT:
        return
    for key in ("why", "owner", "decision"):
        if not flow.purpose.get(key):
            yield Finding(f"purpose.{key}", "is missing: say why it is asked and who decides what")


def _consent_first(flow: Flow) -> Iterator[Finding]:
    """A registration asks nothing but the language before consent."""
    if flow.kind != "registration":
        return
    for question in flow.questions:
        if isinstance(question, Consent):
            return
        if question.waits and question.type != "language":
            break
    yield Finding("questions", "a registration begins with consent, after the language at most")


def _entry(flow: Flow) -> Iterator[Finding]:
    """Words that would never open the flow, or take what is an answer elsewhere."""
    for language, words in flow.entry.items():
        for word in map(normalise, words):
            heard = recognise(word, LANGUAGES, opted_out=True) or inside(word)
            if heard or word in _TWILIO or word.isdigit():
                told = f"«{word}» means something else in every message; choose another word"
                yield Finding(f"entry.{language}", told)


def _question(flow: Flow, question: Question) -> Iterator[Finding]:
    place = f"questions.{question.id}"
    yield from _texts(flow, f"{place}.text", question.text, needed=question.needs_text)
    for key, texts in question.other_texts():
        yield from _texts(flow, f"{place}.{key}", texts, needed=True)
    if isinstance(question, Listed):
        yield from _options(flow, question, place)
    size = _LONGEST_TAG + 2 + len(question.id) + max(map(len, question.values()), default=8)
    if size > LONGEST_PAYLOAD:
        yield Finding(place, f"id and values are too long for a button ({size} bytes)")
    if question.when is not None and not _can_apply(flow, question):
        yield Finding(f"{place}.when", "can never hold, so the question is never asked")


def _options(flow: Flow, question: Listed, place: str) -> Iterator[Finding]:
    for option in question.options:
        where = f"{place}.options.{option.value}"
        if question.type != "language":
            yield from _texts(flow, f"{where}.label", option.label, needed=True)
        for language in flow.languages:
            if _PLACEHOLDER.search(option.label.get(language, "")):
                told = "holds a placeholder; only the texts of questions are filled in"
                yield Finding(f"{where}.label.{language}", told)
            label = normalise(option.label.get(language, ""))
            meant = flow.kind != "aside" and (label in RESERVED or inside(label))
            if meant or label in _TWILIO:
                yield Finding(
                    f"{where}.label.{language}",
                    "is a word that means something else in every message; write a longer label",
                )
    for language in flow.languages:
        labels = [
            normalise(option.label[language])
            for option in question.options
            if language in option.label
        ]
        if len(set(labels)) < len(labels):
            yield Finding(f"{place}.options", f"two options have the same label in {language}")


def _texts(flow: Flow, place: str, texts: Mapping[str, str], *, needed: bool) -> Iterator[Finding]:
    for language in flow.languages:
        text = texts.get(language)
        if not text:
            if needed:
                yield Finding(f"{place}.{language}", NOT_TRANSLATED)
            continue
        term = forbidden(text)
        if term is not None:
            yield Finding(f"{place}.{language}", f"asks what is never asked by chat: {term}")
        for name in _PLACEHOLDER.findall(text):
            if name not in PLACEHOLDERS:
                yield Finding(f"{place}.{language}", f"{{{name}}} is no placeholder known here")


def _too_long(flow: Flow) -> Iterator[Finding]:
    for row in lengths(flow):
        if not row.fits:
            size = f"{row.length.units} units of {row.length.encoding}, {row.length.parts} parts"
            yield Finding(
                f"questions.{row.question}.{row.language}",
                f"{row.form}: {size}; at most {row.room}",
            )


def _can_apply(flow: Flow, question: Question) -> bool:
    """Whether some answers to the earlier questions let the condition hold."""
    assert question.when is not None
    names = sorted(fields(question.when))
    open_names = frozenset(name for name in names if not _possible(flow, name))
    closed = [name for name in names if name not in open_names]
    cases = product(*(_possible(flow, name) for name in closed))
    for case in islice(cases, _MOST_CASES):
        known = dict(zip(closed, case, strict=True))
        if may_hold(question.when, known.get, _AN_INSTANT, open_names):
            return True
    return False


def _possible(flow: Flow, name: str) -> list[Value | None]:
    """Every value a listed question can have, and unknown; empty when there is no end of them."""
    question = flow.question(name)
    if not isinstance(question, Listed):
        return []
    values = question.values()
    if not question.several:
        return [None, *values]
    picks = chain.from_iterable(combinations(values, size) for size in range(len(values) + 1))
    return [None, *(list(pick) for pick in islice(picks, 200))]
