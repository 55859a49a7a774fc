"""What a rule says: read from its definition (docs/rules.md), with the exact place of a fault."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from flows.conditions import RESERVED, Condition, Names, parse
from flows.spec import Spec, duration

PLACE: Final = "definition"


class Step(StrEnum):
    """What follows: a flow for the person, a case about them, or a draft poll."""

    START = "start"
    CASE = "case"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Share:
    """The share of an option is this many percent or more."""

    question: str
    option: str
    at_least: int


@dataclass(frozen=True, slots=True)
class Jump:
    """The share of an option is so many points away from that of the wave before."""

    question: str
    option: str
    points: int
    answers: int


@dataclass(frozen=True, slots=True)
class Near:
    """The shares of two options are so many points apart or fewer."""

    question: str
    options: tuple[str, str]
    within: int


@dataclass(frozen=True, slots=True)
class UnderQuota:
    """Fewer people have answered than this percentage of the ask's quota."""

    percent: int


Figures = Share | Jump | Near | UnderQuota


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as it is meant: when it holds, how often at most, and what follows after a while.

    `when` is about a person, `figures` about an ask; one of them is None. `flow` is what is
    started or drafted. `overall` None is without end.
    """

    when: Condition | None
    figures: Figures | None
    step: Step
    flow: str | None
    audience: Mapping[str, Any] | None
    after: timedelta
    per_person: int
    overall: int | None
    cooldown: timedelta
    approval: bool


class _AnyName(Names):
    """Whatever was found good when the rule was saved."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name not in RESERVED


def read(definition: object, names: Names | None = None) -> RuleText:
    """Return what a definition means; raises FlowInvalid with the place of the first fault.

    With `names`, those are all that its condition may look at.
    """
    spec = Spec(definition, PLACE)
    figures = _figures(spec.inner("figures")) if spec.has("figures") else None
    spec.raw("figures")
    when = spec.raw("when")
    if figures is not None and when is not None:
        raise spec.fault("when", "is about one person: leave it out, or take figures out")
    step, flow = _step(spec, about_person=figures is None)
    caps = Spec(spec.raw("at_most") or {}, spec.at("at_most"))
    text = RuleText(
        when=None if when is None else parse(when, names or _AnyName(), spec.at("when")),
        figures=figures,
        step=step,
        flow=flow,
        audience=_audience(spec, step),
        after=_span(spec, "after"),
        per_person=caps.number("person", default=1, least=1, most=100),
        overall=_overall(caps, figures),
        cooldown=_span(spec, "cooldown"),
        approval=spec.flag("approval", default=False),
    )
    caps.done()
    spec.done()
    return text


def _step(spec: Spec, *, about_person: bool) -> tuple[Step, str | None]:
    given = [step for step in Step if spec.has(step)]
    if len(given) != 1:
        raise spec.fault("start", "say one thing that follows: start, case or draft")
    step = given[0]
    if (step is Step.DRAFT) == about_person:
        told = "follows from figures" if about_person else "is for one person; figures make a draft"
        raise spec.fault(step, told)
    if step is not Step.CASE:
        return step, spec.name(step)
    if not spec.flag(step, default=True):
        raise spec.fault(step, "must be true")
    return step, None


def _audience(spec: Spec, step: Step) -> Mapping[str, Any] | None:
    given = spec.raw("audience")
    if given is None:
        return None
    if step is not Step.DRAFT or not isinstance(given, Mapping):
        raise spec.fault("audience", "is a condition over people, for a draft")
    return given


def _overall(caps: Spec, figures: Figures | None) -> int | None:
    if not caps.has("all"):
        return 1 if figures is not None else None
    return caps.number("all", default=1, least=1, most=999_999)


def _span(spec: Spec, key: str) -> timedelta:
    span = duration(spec.string(key, "0 minutes"))
    if span is None or span > timedelta(days=366):
        raise spec.fault(key, "must be a duration up to a year, such as 3 days")
    return span


def _figures(spec: Spec) -> Figures:
    if spec.has("under_quota"):
        found: Figures = UnderQuota(_percent(spec, "under_quota"))
    elif spec.has("within"):
        options = spec.strings("options")
        if len(set(options)) != 2 or len(options) != 2:
            raise spec.fault("options", "needs two options")
        found = Near(spec.name("question"), (options[0], options[1]), _percent(spec, "within"))
    elif spec.has("jump"):
        answers = spec.number("answers", default=50, least=10, most=999_999)
        question, option = spec.name("question"), spec.value("option")
        found = Jump(question, option, _percent(spec, "jump"), answers)
    elif spec.has("at_least"):
        question, option = spec.name("question"), spec.value("option")
        found = Share(question, option, _percent(spec, "at_least"))
    else:
        raise spec.fault("at_least", "say what: at_least, jump, within or under_quota")
    spec.done()
    return found


def _percent(spec: Spec, key: str) -> int:
    return spec.number(key, default=0, least=1, most=100)
