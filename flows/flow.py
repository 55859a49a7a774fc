"""A flow: questions in order, with conditions; built from a mapping with exact error places."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from flows.conditions import RESERVED, Condition, Names, fields, parse
from flows.errors import FlowInvalid, FlowLimit
from flows.gazetteer import Gazetteer, bundled
from flows.questions import BY_NAME
from flows.questions.base import Frame, Question
from flows.spec import Spec, duration

KINDS: Final = ("registration", "module", "poll", "consultation", "notice", "aside")
_MOST_QUESTIONS: Final = 100

__all__ = ["KINDS", "Flow", "FlowInvalid", "FlowLimit", "Rule", "build"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A follow-up: when the condition holds at the end, this flow starts after a while."""

    when: Condition | None
    start: str
    after: timedelta


@dataclass(frozen=True, eq=False, slots=True)
class Flow:
    """One published version of a flow file; never changes.

    `definition` is the mapping it was built from, JSON-able. `mentions` are the names its
    conditions look at that are no questions of its own. `about` is its subject in a few words, by
    language.
    """

    id: str
    kind: str
    version: int
    languages: tuple[str, ...]
    entry: Mapping[str, tuple[str, ...]]
    purpose: Mapping[str, str]
    about: Mapping[str, str]
    questions: tuple[Question, ...]
    follow_ups: tuple[Rule, ...]
    definition: Mapping[str, Any]
    by_id: Mapping[str, Question]
    mentions: frozenset[str]

    def question(self, question_id: str | None) -> Question | None:
        """The question with this id, or None."""
        return None if question_id is None else self.by_id.get(question_id)

    @property
    def secret(self) -> bool:
        """Whether its answers are votes of a secret poll."""
        return any(question.secret for question in self.questions)

    def language_for(self, language: str) -> str:
        """The language when the flow speaks it, else its first."""
        if language in self.languages:
            return language
        short = language.split("-")[0]
        return short if short in self.languages else self.languages[0]


def build(mapping: Mapping[str, Any], *, version: int = 1, places: Gazetteer | None = None) -> Flow:
    """The flow a mapping describes; raises FlowInvalid with the place of the first fault.

    `places` is the gazetteer that place and country questions search, by default the bundled one.
    """
    spec = Spec(mapping, "")
    flow_id, kind = spec.name("flow"), spec.string("kind")
    if kind not in KINDS:
        raise spec.fault("kind", f"must be one of: {', '.join(KINDS)}")
    languages = spec.strings("languages")
    if not languages or len(set(languages)) < len(languages):
        raise spec.fault("languages", "needs one language or more, each once")
    spec.languages = languages
    entry, purpose = spec.words("entry"), _purpose(spec)
    about = spec.texts("about", required=False)
    questions = _questions(spec, languages, places or bundled())
    ids = frozenset(question.id for question in questions)
    follow_ups = tuple(_rule(item, ids) for item in spec.items("follow_ups"))
    spec.done()
    conditions = [question.when for question in questions if question.when is not None]
    mentions = frozenset[str]().union(*(fields(condition) for condition in conditions)) - ids
    return Flow(
        id=flow_id,
        kind=kind,
        version=version,
        languages=languages,
        entry=entry,
        purpose=purpose,
        about=about,
        questions=questions,
        follow_ups=follow_ups,
        definition=mapping,
        by_id={question.id: question for question in questions},
        mentions=mentions,
    )


def _purpose(spec: Spec) -> Mapping[str, str]:
    if not spec.has("purpose"):
        return {}
    inner = spec.inner("purpose")
    found = {key: inner.string(key) for key in ("why", "owner", "decision") if inner.has(key)}
    inner.done()
    return found


def _questions(spec: Spec, languages: tuple[str, ...], places: Gazetteer) -> tuple[Question, ...]:
    questions: list[Question] = []
    seen: set[str] = set()
    for item in spec.items("questions"):
        question = _question(item, languages, places, frozenset(seen))
        if question.id in RESERVED:
            raise item.fault("id", "joins conditions, so it names no question: choose another")
        if question.id in seen:
            raise item.fault("id", "is already the id of another question")
        seen.add(question.id)
        questions.append(question)
    if not questions:
        raise spec.fault("questions", "needs at least one question")
    if len(questions) > _MOST_QUESTIONS:
        raise FlowLimit("questions", f"has more than {_MOST_QUESTIONS} questions")
    return tuple(questions)


def _question(
    item: Spec, languages: tuple[str, ...], places: Gazetteer, earlier: frozenset[str]
) -> Question:
    question_id, kind = item.name("id"), item.string("type")
    if kind not in BY_NAME:
        raise item.fault("type", f"must be one of: {', '.join(sorted(BY_NAME))}")
    when = item.raw("when")
    frame = Frame(
        id=question_id,
        text=item.texts("text", required=BY_NAME[kind].needs_text),
        when=None if when is None else parse(when, Names(earlier), item.at("when")),
        required=item.flag("required", default=True),
        languages=languages,
        places=places,
    )
    question = BY_NAME[kind](frame, item)
    item.done()
    return question


def _rule(item: Spec, ids: frozenset[str]) -> Rule:
    when = item.raw("when")
    after = duration(item.string("after", "0 minutes"))
    if after is None:
        raise item.fault("after", "must be a duration such as 3 days")
    rule = Rule(
        when=None if when is None else parse(when, Names(ids), item.at("when")),
        start=item.name("start"),
        after=after,
    )
    item.done()
    return rule
