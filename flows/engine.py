"""The conversation: pure, total and bounded. Events are the only output.

State is the answers so far; the next question is the first relevant one without an answer. BACK
asks an earlier question again and keeps the later answers, so a changed answer leads straight
on to what is still open; answers that no longer apply are dropped.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from flows.events import (
    Answered,
    Asked,
    Completed,
    Ended,
    Event,
    LanguageChosen,
    MenuWanted,
    PersonWanted,
    Said,
    Skipped,
)
from flows.figures import read_digits
from flows.flow import Flow
from flows.inputs import Attachment, Input, Pin, Pressed, Text
from flows.keywords import greeting, inside
from flows.matching import says
from flows.normalising import LONGEST_MATCHED, clean, normalise
from flows.progress import (
    before,
    cleared,
    is_relevant,
    position,
    with_hint,
    without_guess,
    without_irrelevant,
)
from flows.questions.base import Answer, At, Guess, Page, Picking, Problem, Question, Reading
from flows.redaction import redact
from flows.state import COMPLETE, SEALED, SHOWN, SKIPPED, STOPPED, WAITING, State, Value

Step = tuple[State, tuple[Event, ...]]

_NOTHING: Final[Mapping[str, str]] = {}
_LAST_RUNG: Final = 3
_DIGITS: Final = {0: "skip", 8: "menu", 9: "back"}


def start(
    flow: Flow,
    *,
    tag: str,
    language: str,
    now: datetime,
    known: Mapping[str, Value] = _NOTHING,
    hints: Mapping[str, str] = _NOTHING,
    seed: int = 0,
) -> Step:
    """The first step of a new passage through the flow; `tag` marks its buttons.

    `known` holds answers and facts known already: a question of that name is not asked, other names
    serve conditions. `hints` are likely answers by question; they are asked about, never taken.
    `seed` is a number of chance, by which options without an order of their own are put in one.
    """
    state = State(
        flow=flow.id,
        version=flow.version,
        tag=tag,
        language=flow.language_for(language),
        answers={name: value for name, value in known.items() if name in flow.by_id},
        known={name: value for name, value in known.items() if name in flow.mentions},
        hints={name: value for name, value in hints.items() if name in flow.by_id},
        seed=seed,
    )
    return _advance(flow, state, now, ())


def resume(flow: Flow, state: State, *, now: datetime) -> Step:
    """The waiting question again, with the rungs of help set back."""
    if state.status != WAITING:
        return state, ()
    state = replace(state, attempts=0)
    question = flow.question(state.asked)
    if question is None:
        return _advance(flow, replace(state, asked=None), now, ())
    return state, (_ask(flow, state, question, now),)


def reopen(flow: Flow, state: State, question_id: str, *, now: datetime) -> Step:
    """An answered question asked again, at any time; nothing when it was never answered."""
    question = flow.question(question_id)
    if question is None or not question.waits or question_id not in state.answers:
        return state, ()
    given = state.answers[question_id]
    state = replace(
        cleared(state, state.answers, state.language),
        asked=question_id,
        picked=tuple(given) if isinstance(given, list) else (),
    )
    return state, (_ask(flow, state, question, now),)


def step(flow: Flow, state: State, input: Input, now: datetime) -> Step:
    """What one input results in: the new state and the events, in order. Total on any input."""
    if state.status != WAITING:
        return state, ()
    question = flow.question(state.asked)
    if question is None:
        return _advance(flow, replace(state, asked=None), now, ())
    if isinstance(input, Attachment) and input.kind == "sticker" and input.emoji:
        input = Text(input.emoji)
    if isinstance(input, Text):
        return _typed(flow, state, question, input.text, now)
    if isinstance(input, Pressed):
        return _pressed(flow, state, question, input.payload, now)
    if isinstance(input, Pin):
        return _take(flow, state, question, question.pin(input.latitude, input.longitude), now)
    return _take(flow, state, question, question.attachment(input), now)


def _typed(flow: Flow, state: State, question: Question, text: str, now: datetime) -> Step:
    text = clean(text)
    normalised = normalise(text[:LONGEST_MATCHED])
    if state.guess is not None:
        agreed = says(normalised)
        if agreed is not None:
            return _confirmed(flow, state, question, agreed, now)
        state = without_guess(state)
    reading = question.read(text, normalised, _at(state, question))
    if greeting(normalised) and not (question.digits and isinstance(reading, Answer)):
        return state, (Said("greeted"), _ask(flow, state, question, now))
    if question.sealed or not isinstance(reading, Answer):
        digit = read_digits(normalised) if question.digits else None
        action = inside(normalised) or (None if digit is None else _DIGITS.get(digit))
        if action is not None:
            done = _act(flow, state, question, action, now)
            if done is not None:
                return done
    return _take(flow, state, question, reading, now)


def _pressed(flow: Flow, state: State, question: Question, payload: str, now: datetime) -> Step:
    tag, _, rest = payload.partition(".")
    asked, _, value = rest.partition(".")
    if tag != state.tag or asked != question.id:
        return state, (Said("already_answered"), _ask(flow, state, question, now))
    if state.guess is not None:
        if value in ("yes", "no"):
            return _confirmed(flow, state, question, value == "yes", now)
        state = without_guess(state)
    reading = question.press(value, _at(state, question))
    if reading is not None:
        return _take(flow, state, question, reading, now)
    done = _act(flow, state, question, value, now)
    return done or _take(flow, state, question, Problem(), now)


def _act(flow: Flow, state: State, question: Question, action: str, now: datetime) -> Step | None:
    """What a word or button that belongs to no question in particular does; None for no such."""
    if action == "back":
        return _back(flow, state, question, now)
    if action == "skip":
        return _skip(flow, state, question, now)
    if action == "menu":
        return state, (MenuWanted(),)
    if action == "person":
        told = (PersonWanted(asked=True), Said("person_told"))
        return state, (*told, _ask(flow, state, question, now))
    if action == "more":
        reading = question.press("more", _at(state, question))
        return None if reading is None else _take(flow, state, question, reading, now)
    return None


def _confirmed(flow: Flow, state: State, question: Question, agreed: bool, now: datetime) -> Step:
    guess = state.guess
    state = without_guess(state)
    if agreed and guess is not None:
        return _take(flow, state, question, Answer(question.confirmed(guess)), now)
    return state, (_ask(flow, state, question, now),)


def _take(flow: Flow, state: State, question: Question, reading: Reading, now: datetime) -> Step:
    """What a reading does to the conversation."""
    match reading:
        case Answer(value, file):
            return _answer(flow, state, question, value, now, file)
        case Guess(value):
            state = replace(state, guess=value)
        case Picking(values, edit):
            state = replace(state, picked=values)
            return state, (_ask(flow, state, question, now, edit=edit),)
        case Page(page, edit):
            state = replace(state, page=page)
            return state, (_ask(flow, state, question, now, edit=edit),)
        case Problem():
            return _stumble(flow, state, question, reading, now)
    return state, (_ask(flow, state, question, now),)


def _stumble(flow: Flow, state: State, question: Question, problem: Problem, now: datetime) -> Step:
    """Three rungs of help; after the third an optional question is skipped."""
    said = () if problem.phrase is None else (Said(problem.phrase, problem.params),)
    if not problem.counts:
        return state, (*said, _ask(flow, state, question, now))
    if state.attempts >= _LAST_RUNG and not question.required:
        return _skip(flow, state, question, now)
    rung = min(state.attempts + 1, _LAST_RUNG)
    wanted = (PersonWanted(),) if state.attempts == _LAST_RUNG - 1 else ()
    state = replace(state, attempts=rung)
    shown = rung if problem.phrase is None or rung == _LAST_RUNG else 0
    return state, (*said, *wanted, _ask(flow, state, question, now, rung=shown))


def _answer(
    flow: Flow,
    state: State,
    question: Question,
    value: Value,
    now: datetime,
    file: str | None = None,
) -> Step:
    reason = question.ends(value)
    if reason is not None:
        stopped = replace(state, status=STOPPED, asked=None, attempts=0, picked=(), page=0)
        return stopped, (*question.effects(value, None), Ended(reason), Said(reason))
    effects = question.effects(value, state.answers.get(question.id))
    language = state.language
    for effect in effects:
        if isinstance(effect, LanguageChosen):
            language = effect.language
    told: tuple[Event, ...] = () if file is None else (Said("voice_kept"),)
    if question.redacts and (kept := redact(str(value))) != value:
        value, told = kept, (Said("redacted"),)
    answers = {**state.answers, question.id: SEALED if question.sealed else value}
    answered = Answered(question.id, value, question.sealed, file)
    moved = cleared(state, answers, language)
    return _advance(flow, moved, now, (answered, *effects, *told))


def _skip(flow: Flow, state: State, question: Question, now: datetime) -> Step:
    if question.required:
        return state, (Said("required"), _ask(flow, state, question, now))
    answers = {**state.answers, question.id: SKIPPED}
    return _advance(flow, cleared(state, answers, state.language), now, (Skipped(question.id),))


def _back(flow: Flow, state: State, question: Question, now: datetime) -> Step:
    """Asks the question before this one again."""
    earlier = before(flow, question, state, now)
    if earlier is None:
        return state, (Said("nothing_before"), _ask(flow, state, question, now))
    return reopen(flow, state, earlier.id, now=now)


def _advance(flow: Flow, state: State, now: datetime, events: tuple[Event, ...]) -> Step:
    """Goes on to the first relevant question without an answer, showing notes on the way."""
    state, dropped = without_irrelevant(flow, state, now)
    said: list[Event] = [*events, *dropped]
    answers = dict(state.answers)
    for question in flow.questions:
        if question.id in answers or not is_relevant(question, state, now):
            continue
        if question.waits:
            state = with_hint(replace(state, answers=answers, asked=question.id), question)
            return state, (*said, _ask(flow, state, question, now))
        answers[question.id] = SHOWN
        said.append(Asked(question.id))
    if flow.kind != "aside" and not (said and isinstance(said[-1], Asked)):
        said.append(Said("thanks"))
    said.append(Completed())
    return replace(state, answers=answers, asked=None, status=COMPLETE), tuple(said)


def _ask(
    flow: Flow,
    state: State,
    question: Question,
    now: datetime,
    *,
    rung: int = 0,
    edit: bool = False,
) -> Asked:
    return Asked(
        question.id,
        rung=rung,
        page=state.page,
        picked=state.picked,
        edit=edit,
        position=position(flow, state, question, now),
        guess=state.guess,
        hinted=state.hinted,
        order=question.order(state.seed),
    )


def _at(state: State, question: Question) -> At:
    return At(state.language, state.page, state.picked, state.answers, question.order(state.seed))
