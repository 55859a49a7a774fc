"""How far somebody is in a flow: which questions apply, and "2 of 5"."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from flows.conditions import Lookup, evaluate, may_hold
from flows.events import Skipped
from flows.flow import Flow
from flows.questions.base import Question
from flows.state import State, Value


def is_relevant(question: Question, state: State, now: datetime) -> bool:
    """Whether the question's condition holds for the answers so far."""
    return question.when is None or evaluate(question.when, lookup(state), now)


def position(flow: Flow, state: State, asked: Question, now: datetime) -> tuple[int, int] | None:
    """Which question of how many; None when there is nothing to count.

    The total holds what may still come, so that it can only shrink.
    """
    if not asked.counted:
        return None
    known = lookup(state)
    unanswered = frozenset(one.id for one in flow.questions if one.id not in state.answers)
    place = total = 0
    for one in flow.questions:
        if not one.counted:
            continue
        if one.when is None or may_hold(one.when, known, now, unanswered):
            total += 1
            if one is asked:
                place = total
    return (place, total) if total > 1 and place else None


def without_irrelevant(
    flow: Flow, state: State, now: datetime
) -> tuple[State, tuple[Skipped, ...]]:
    """The state without answers that a changed one has made irrelevant or wrong."""
    dropped: list[Skipped] = []
    for question in flow.questions:
        if question.id not in state.answers:
            continue
        fits = question.fits(state.answers[question.id], state.answers)
        if not fits or not is_relevant(question, state, now):
            left = {name: value for name, value in state.answers.items() if name != question.id}
            state = replace(state, answers=left)
            if question.waits:
                dropped.append(Skipped(question.id))
    return state, tuple(dropped)


def before(flow: Flow, asked: Question, state: State, now: datetime) -> Question | None:
    """The answered question that BACK leads to; a consent is never gone back behind."""
    earlier: Question | None = None
    for one in flow.questions:
        if one.id == asked.id:
            break
        if not one.returns and one.waits:
            earlier = None
        elif one.waits and one.id in state.answers and is_relevant(one, state, now):
            earlier = one
    return earlier


def cleared(state: State, answers: Mapping[str, Value], language: str) -> State:
    """The state with these answers and nothing of the question just left."""
    return State(
        flow=state.flow,
        version=state.version,
        tag=state.tag,
        language=language,
        answers=answers,
        known=state.known,
        hints=state.hints,
        seed=state.seed,
    )


def without_guess(state: State) -> State:
    """The state when what was guessed is not meant."""
    return replace(state, guess=None, hinted=False)


def with_hint(state: State, asked: Question) -> State:
    """The state with the question's hint as its guess, once; the same when there is none."""
    hint = state.hints.get(asked.id)
    if hint is None or not asked.takes_hint(hint):
        return state
    left = {name: value for name, value in state.hints.items() if name != asked.id}
    return replace(state, guess=hint, hinted=True, hints=left)


def lookup(state: State) -> Lookup:
    """What a flow's conditions see: answers first, then what was known, then the language."""

    def look(name: str) -> Value | None:
        value = state.answers.get(name)
        if value is None:
            value = state.known.get(name)
        return state.language if value is None and name == "language" else value

    return look
