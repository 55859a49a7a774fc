"""What an ask must be before it may exist, and before it may open; faults are told in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flows.errors import FlowError, FlowInvalid
from flows.flow import Flow, build
from flows.lint import NOT_TRANSLATED, Finding, lint
from flows.questions.choice import Choice
from insights.breakdowns import BreakdownsInvalid, plan
from models.ask import AskerKind, AskKind, AskMode
from services.errors import Invalid

MOST_QUESTIONS = 5
MOST_ASKERS = 6
MOST_BREAKDOWNS = 6
LONGEST_TOLD = 300
MOST_TOLD = 50
BREAKDOWNS = (
    "country",
    "region",
    "age_band",
    "gender",
    "activity",
    "link",
    "language",
    "channel",
    "office",
)
"""Profile fields by which results may be broken down, if that was declared before opening."""
CONSENT_FOR: Mapping[AskKind, str] = {
    AskKind.POLL: "polls",
    AskKind.CONSULTATION: "consultations",
    AskKind.NOTICE: "alerts",
}
"""The purpose of consent without which nobody is sent an ask of this kind."""


class FlowFaulty(Invalid):
    """The flow has faults."""

    code = "flow_invalid"


class NotTranslated(Invalid):
    """Texts are missing in a language of the ask."""

    code = "not_translated"


@dataclass(frozen=True, slots=True)
class Missing:
    """A language in which people would read something in another one, and which texts those are.

    Without places the flow does not speak the language of the organisation at all.
    """

    language: str
    places: tuple[str, ...]


def flow_of(definition: Mapping[str, Any]) -> Flow:
    """Return the flow of an ask; FlowFaulty with every fault but missing translations."""
    try:
        flow = build(definition)
    except FlowInvalid as fault:
        raise FlowFaulty(faults=[(f"flow.{fault.place}", fault.problem)]) from None
    except FlowError:
        raise FlowFaulty("The flow cannot be used.", place="flow") from None
    faults = [one for one in lint(flow) if one.problem != NOT_TRANSLATED]
    if faults:
        raise FlowFaulty(faults=_told(faults))
    _check_kind(flow)
    return flow


def as_mode(definition: Mapping[str, Any], mode: AskMode) -> Mapping[str, Any]:
    """Return a flow as a mapping whose one choice is marked a secret vote, or is not."""
    questions = definition.get("questions")
    if not isinstance(questions, list):
        return definition
    return {**definition, "questions": [_as_mode(one, mode) for one in questions]}


def _as_mode(question: Any, mode: AskMode) -> Any:
    if not isinstance(question, dict):
        return question
    left = {name: value for name, value in question.items() if name != "secret"}
    if mode is AskMode.SECRET and question.get("type") == Choice.type:
        return left | {"secret": True}
    return left


def _check_kind(flow: Flow) -> None:
    if flow.kind not in set(AskKind):
        told = "An ask is a poll, a consultation or a notice; say so in the flow's kind."
        raise Invalid(told, place="flow.kind")
    asked = sum(question.waits for question in flow.questions)
    if flow.kind == AskKind.POLL and not 1 <= asked <= MOST_QUESTIONS:
        told = f"A poll has 1 to {MOST_QUESTIONS} questions; this one has {asked}. One is the norm."
        raise Invalid(told, place="flow.questions")
    gone = [key for key in ("why", "owner", "decision") if not flow.purpose.get(key, "").strip()]
    if gone:
        told = "Say why it is asked, who answers for it and what it decides."
        raise Invalid(told, place=f"flow.purpose.{gone[0]}")


def check_mode(flow: Flow, mode: AskMode, breakdowns: Sequence[object]) -> None:
    """Check that a secret ask is as narrow as its promise: one choice, nothing else looked at."""
    if mode is not AskMode.SECRET:
        return
    waiting = [question for question in flow.questions if question.waits]
    if flow.kind != AskKind.POLL or len(waiting) != 1 or not isinstance(waiting[0], Choice):
        told = "A secret poll has exactly one question, and that is a choice."
        raise Invalid(told, place="mode")
    if flow.follow_ups:
        told = "Nothing may follow from a secret vote: take the follow-ups out."
        raise Invalid(told, place="flow.follow_ups")
    if breakdowns:
        told = "A secret poll is never broken down: take the breakdowns out."
        raise Invalid(told, place="breakdowns")


def check_breakdowns(breakdowns: Sequence[Sequence[str]]) -> None:
    """Check that the breakdowns are of one or two fields, and can be told beside each other."""
    if len(breakdowns) > MOST_BREAKDOWNS:
        raise Invalid(f"Declare at most {MOST_BREAKDOWNS} breakdowns.", place="breakdowns")
    try:
        plan(breakdowns, BREAKDOWNS)
    except BreakdownsInvalid as fault:
        raise Invalid(str(fault), place="breakdowns") from None


def check_askers(askers: Sequence[tuple[AskerKind, Mapping[str, str]]], flow: Flow) -> None:
    """Check that there is no asker or several, each with a name in every language of the flow."""
    if len(askers) == 1 or len(askers) > MOST_ASKERS:
        told = f"Name 2 to {MOST_ASKERS} askers to compare them, or none."
        raise Invalid(told, place="askers")
    for number, (_, name) in enumerate(askers):
        check_told(name, flow, f"askers[{number}].name", longest=24)


def check_told(
    texts: Mapping[str, str], flow: Flow, place: str, *, longest: int = LONGEST_TOLD
) -> None:
    """Check words by language: one in the flow's first language, none in another's, none too long.

    Who speaks a language without one reads the first.
    """
    if flow.languages[0] not in texts:
        raise Invalid(f"Say it at least in {flow.languages[0]}.", place=place)
    if not set(texts) <= set(flow.languages):
        told = f"The ask speaks {', '.join(flow.languages)}: take other languages out."
        raise Invalid(told, place=place)
    told = f"Write 1 to {longest} letters, on one line."
    for language, text in texts.items():
        if not 0 < len(text.strip()) <= longest or any(ord(letter) < 32 for letter in text):
            raise Invalid(told, place=f"{place}.{language}")


def check_told_to_all(texts: Mapping[str, str], flow: Flow, place: str) -> None:
    """Check words that leave at once and once: NotTranslated lists the languages without them."""
    gone = [(f"{place}.{one}", "is missing") for one in flow.languages if one not in texts]
    if gone:
        told = (
            "It is not said in every language of the ask. Add them, or send "
            "allow_missing_languages: people then read the first language."
        )
        raise NotTranslated(told, faults=gone)


def check_times(opens_at: datetime | None, closes_at: datetime | None, now: datetime) -> None:
    """Check that an ask closes after it opens, and that it closes in the future."""
    if closes_at is not None and closes_at <= now:
        raise Invalid("It would be over already: choose a later closes_at.", place="closes_at")
    if opens_at is not None and closes_at is not None and closes_at <= opens_at:
        raise Invalid("It would close before it opens.", place="closes_at")


def missing_languages(flow: Flow, offered: Sequence[str]) -> list[Missing]:
    """List the languages in which something of the flow is missing, the organisation's included."""
    places: dict[str, list[str]] = {}
    for finding in lint(flow):
        if finding.problem == NOT_TRANSLATED:
            place, _, language = finding.place.rpartition(".")
            places.setdefault(language, []).append(place)
    within = [Missing(language, tuple(found)) for language, found in sorted(places.items())]
    return within + [Missing(one, ()) for one in offered if one not in flow.languages]


def check_translated(flow: Flow) -> None:
    """Check that every text stands in every language of the flow; NotTranslated lists the gaps."""
    gaps = [one for one in lint(flow) if one.problem == NOT_TRANSLATED]
    if gaps:
        told = (
            "Some texts are not translated. Add them, or open with allow_missing_languages: "
            "people then read the flow's first language there."
        )
        raise NotTranslated(told, faults=_told(gaps))


def _told(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(f"flow.{one.place}", one.problem) for one in findings[:MOST_TOLD]]
