"""What a condition over people must be to mean something here, with the exact place of each fault.

A condition that reads well but can never hold (a misspelt country, a question nobody asks) would
quietly leave everybody out; it is refused in words instead.
"""

from collections.abc import Iterator, Mapping
from typing import Final
from uuid import UUID

from flows.conditions import Condition, Names, as_text, parse
from flows.countries import countries
from flows.errors import FlowInvalid
from flows.flow import Flow
from flows.gazetteer import bundled
from flows.questions.base import Question
from flows.questions.language import NAMES as LANGUAGES
from models.channel import ChannelKind
from models.conditions import CONSENT, FIELDS
from models.person_fields import GRANTED, InstantField
from models.profile import CORE_QUESTIONS, is_core
from services.catalogue import Catalogue
from services.errors import Invalid

MOST_COMPARISONS: Final = 100
MOST_VALUES: Final = 500
_MANY: Final = "The list is too long: at most 500 values."

Fault = tuple[str, str]


def read(
    mapping: object, catalogue: Catalogue, place: str = "condition", *, flow: Flow | None = None
) -> Condition:
    """Return the condition a mapping describes; Invalid with every fault and its place.

    With `flow`, bare names are questions of that flow first.
    """
    ids = frozenset(flow.by_id) if flow else frozenset[str]()
    try:
        condition = parse(mapping, Names(ids), place)
    except FlowInvalid as fault:
        raise Invalid(_sentence(), faults=[(fault.place, fault.problem)]) from None
    comparisons = [
        (_with_flow(name, flow), operator, where, values)
        for name, operator, where, values in _comparisons(mapping, place)
    ]
    if len(comparisons) > MOST_COMPARISONS:
        told = f"It compares {len(comparisons)} fields; at most {MOST_COMPARISONS}, please."
        raise Invalid(_sentence(), faults=[(place, told)])
    faults = [fault for one in comparisons for fault in _faults(*one, catalogue)]
    if faults:
        raise Invalid(_sentence(), faults=faults)
    return condition


def stored(mapping: object) -> Condition:
    """Return a condition as it was saved; it was checked then, and flows may have changed."""
    return parse(mapping, Names(), "condition")


_VALUES: Final = {
    "country": "countries are codes of two letters, such as ZA",
    "language": f"there are: {', '.join(LANGUAGES)}",
    "channel": f"there are: {', '.join(ChannelKind)}",
    "office": "offices are ids of this organisation",
    "place": "towns are ids of GeoNames, such as 3369157",
}
MOST_TOLD: Final = 20


def options_of(catalogue: Catalogue, name: str) -> Mapping[str, Question]:
    """Return the question behind each value that a name may have, where its flow lists them."""
    if name in CORE_QUESTIONS:
        asked = [
            one.flow.by_id[name]
            for one in catalogue.newest.values()
            if name in one.flow.by_id and is_core(one.flow.kind, name)
        ]
    else:
        asked = list(filter(None, [_question(catalogue, name)]))
    return {value: question for question in asked for value in question.values()}


def purposes(catalogue: Catalogue) -> frozenset[str]:
    """Return every purpose that a published flow asks people to allow."""
    found: set[str] = set()
    for published in catalogue.newest.values():
        for question in published.flow.questions:
            purpose = getattr(question, "purpose", None)
            if purpose:
                found.add(str(purpose))
            if getattr(question, "grants", False):
                found.update(question.values())
    return frozenset(found)


def _with_flow(name: str, flow: Flow | None) -> str:
    """The name by which a question of the flow is known everywhere."""
    if flow is None or name not in flow.by_id or is_core(flow.kind, name):
        return name
    return f"{flow.id}.{name}"


def _sentence() -> str:
    return "The condition cannot be used."


def _comparisons(mapping: object, place: str) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Each comparison of a condition that was parsed: field, operator, place, values."""
    assert isinstance(mapping, Mapping)
    for key, wanted in mapping.items():
        inner = f"{place}.{key}"
        if key in ("all", "any"):
            for index, one in enumerate(wanted):
                yield from _comparisons(one, f"{inner}[{index}]")
        elif key == "not":
            yield from _comparisons(wanted, inner)
        else:
            yield _comparison(str(key), wanted, inner)


def _comparison(name: str, wanted: object, place: str) -> tuple[str, str, str, tuple[str, ...]]:
    operator = "is"
    while isinstance(wanted, Mapping):
        key, wanted = next(iter(wanted.items()))
        operator = operator if key == "not" else str(key)
        place = f"{place}.{key}"
    listed = wanted if isinstance(wanted, list | tuple) else [wanted]
    return name, operator, place, tuple(map(as_text, listed))


def _faults(
    name: str, operator: str, place: str, values: tuple[str, ...], catalogue: Catalogue
) -> Iterator[Fault]:
    if len(values) > MOST_VALUES:
        yield place, _MANY
    elif name.startswith(CONSENT):
        yield from _of_consent(name, operator, place, values, catalogue)
    elif name in FIELDS:
        yield from _of_profile(name, operator, place, values, catalogue)
    else:
        yield from _of_answer(name, operator, place, values, catalogue)


def _of_consent(
    name: str, operator: str, place: str, values: tuple[str, ...], catalogue: Catalogue
) -> Iterator[Fault]:
    known = purposes(catalogue)
    if name.removeprefix(CONSENT) not in known:
        yield place, f"is no purpose asked about here; there are: {', '.join(sorted(known))}"
    elif operator not in ("is", "known") or (operator == "is" and values != (GRANTED,)):
        yield place, "takes granted, or known: true or false"


def _of_profile(
    name: str, operator: str, place: str, values: tuple[str, ...], catalogue: Catalogue
) -> Iterator[Fault]:
    if isinstance(FIELDS[name], InstantField):
        if operator in ("is", "has"):
            yield place, "is a moment: use at_least, at_most or within"
    elif operator in ("at_least", "at_most", "within"):
        yield place, "has no order: name the values it may have"
    elif operator in ("is", "has"):
        yield from (
            (place, f"has no such value; {_values_of(name, catalogue)}")
            for value in values
            if not _is_value(name, value, catalogue)
        )


def _values_of(name: str, catalogue: Catalogue) -> str:
    """What a profile field may be compared with, in words; never what somebody sent."""
    if name in _VALUES:
        return _VALUES[name]
    return f"there are: {', '.join(options_of(catalogue, name))}"


def _is_value(name: str, value: str, catalogue: Catalogue) -> bool:
    match name:
        case "country":
            return value in countries().names
        case "language":
            return value in LANGUAGES
        case "channel":
            return value in set(ChannelKind)
        case "office":
            return _is_office(value, catalogue)
        case "place":
            return bundled().get(value) is not None
    listed = options_of(catalogue, name)
    return not listed or value in listed


def _is_office(value: str, catalogue: Catalogue) -> bool:
    try:
        return UUID(value) in catalogue.offices
    except ValueError:
        return False


def _of_answer(
    name: str, operator: str, place: str, values: tuple[str, ...], catalogue: Catalogue
) -> Iterator[Fault]:
    question = _question(catalogue, name)
    flow, _, asked = name.partition(".")
    if question is None:
        yield place, "is no question of a published flow"
    elif is_core(catalogue.newest[flow].flow.kind, asked):
        yield place, f"is known without its flow: write {asked}"
    elif operator == "known":
        return
    elif question.sealed:
        yield place, "is kept sealed: only known: true or false can be asked"
    elif question.several and operator != "has":
        yield place, "takes several answers: use has"
    elif operator in ("at_least", "at_most", "within") and not question.ordered:
        yield place, "has no order: name the values it may have"
    elif operator in ("is", "has") and question.values():
        listed = countries().codes if question.type == "country" else question.values()
        yield from (
            (place, f"has no such answer; there are: {', '.join(sorted(listed)[:MOST_TOLD])}")
            for value in values
            if value not in listed
        )


def _question(catalogue: Catalogue, name: str) -> Question | None:
    flow, _, asked = name.partition(".")
    published = catalogue.newest.get(flow)
    return None if published is None else published.flow.question(asked)
