"""What makes answers that came by one relay look unlike those of a group of people.

Pure: passages in, the marked ones out. Relays are watched for speed and sameness as every study
that recruits by personal codes does (domain report 4, "Relay practice"); it names the signs and no
figures, so the figures are ours. A mark changes no count, and nobody is told: a busy minute in a
large group is a mark, too.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import prod
from typing import Final
from uuid import UUID

from flows.flow import Flow
from flows.questions.base import Question
from flows.questions.choice import Listed
from insights.counted import tallied
from services.conversation.sessions import seed_of

QUICK_WITHIN: Final = timedelta(minutes=2)
QUICK_MOST: Final = 20
"""More than this by one relay in QUICK_WITHIN: one answer takes about ten seconds to give, and a
group that is told reads it over hours."""
SAME_IN_A_ROW: Final = 10
SAME_QUESTIONS: Final = 3
"""So many people one after the other whose answers to so many questions or more are all equal; with
seven in ten agreeing on each question, that is chance once in fifty thousand times."""
LEAST_CHANCE: Final = 1 / 100
"""One person who chose the same place in every list; marked when chance does that more rarely."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One person's passage that came to its end by a relay, with the coded answers."""

    id: UUID
    completed_at: datetime
    answers: Mapping[str, str]


def too_quick(passages: Sequence[Passage]) -> set[UUID]:
    """Return the passages of moments in which unusually many came; they are given in order."""
    marked, first = set[UUID](), 0
    for last, one in enumerate(passages):
        while passages[first].completed_at <= one.completed_at - QUICK_WITHIN:
            first += 1
        if last - first + 1 > QUICK_MOST:
            marked.update(each.id for each in passages[first : last + 1])
    return marked


def all_alike(flow: Flow, passages: Sequence[Passage]) -> set[UUID]:
    """Return passages that repeat one another, and those that chose the same place throughout."""
    asked = _asked(flow)
    marked = {one.id for one in passages if _in_one_line(asked, one)}
    if len(asked) < SAME_QUESTIONS:
        return marked
    ids = [question.id for question in asked]
    for answers, run in groupby(passages, lambda one: tuple(one.answers.get(i) for i in ids)):
        alike = [one.id for one in run]
        given = sum(answer is not None for answer in answers)
        if len(alike) >= SAME_IN_A_ROW and given >= SAME_QUESTIONS:
            marked.update(alike)
    return marked


def _asked(flow: Flow) -> Sequence[Question]:
    counted = {one.id for one in tallied(flow) if not one.many}
    return [one for one in flow.questions if one.id in counted]


def _in_one_line(asked: Collection[Question], passage: Passage) -> bool:
    """Whether every answer stood at the same place of its list, in the order it was shown."""
    seed = seed_of(passage.id)
    given = [one for one in asked if passage.answers.get(one.id) in one.values()]
    places = {_place(one, passage.answers[one.id], seed) for one in given}
    if len(places) != 1:
        return False
    chance = prod(1 / len(one.values()) for one in given[1:])
    return chance < LEAST_CHANCE


def _place(question: Question, value: str, seed: int) -> int:
    place = question.values().index(value)
    if isinstance(question, Listed):
        return question.arranged(question.order(seed)).index(place)
    return place
