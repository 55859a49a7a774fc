"""Taking an answer: to the question that waits, or anew to the poll answered last."""

from collections.abc import Iterable
from datetime import timedelta

from flows import engine
from flows.events import Ended, Event, Said
from flows.figures import read_ordinal
from flows.inputs import Text
from flows.normalising import LONGEST_MATCHED, normalise
from flows.progress import position
from flows.state import State
from services.asks import poll_answers, polling
from services.conversation.apply import apply_events
from services.conversation.repeating import is_echo
from services.conversation.scene import Running, Scene
from services.conversation.sessions import ask_again, is_over, offer
from services.relays.offering import go_on_to_relay

WELCOME_BACK_AFTER = timedelta(hours=20)


def take_answer(scene: Scene) -> None:
    """Take the message as the answer to the waiting question, or offer to register."""
    running = scene.running
    if is_echo(scene):
        scene.is_echo = True
    elif running is None:
        _without_question(scene)
    elif is_over(scene, running):
        polling.leave_over(scene, running)
    elif scene.heard.input is None:
        ask_again(scene)
    elif polling.wants_later(scene, running):
        polling.put_off(scene, running)
    elif scene.heard.kind == "message":
        _step(scene, running)


def _without_question(scene: Scene) -> None:
    if scene.secret:
        poll_answers.tell_voted(scene)
    elif poll_answers.comes_late(scene):
        return
    elif poll_answers.answer_again(scene):
        assert scene.running is not None
        settle(scene, scene.running)
    else:
        offer(scene)


def _step(scene: Scene, running: Running) -> None:
    """Let the flow take one message.

    After a long pause an answer that fits is taken as usual; anything else is met with where the
    person was, and whether to go on, since they may not have the question before their eyes.
    """
    assert scene.heard.input is not None
    before = running.state
    running.state, events = engine.step(
        running.published.flow, before, scene.heard.input, scene.now
    )
    if _leaves_it(running, events):
        running.state = before
        _leave(scene, running)
    elif _is_back(scene, running) and not _fits(before, running.state, events):
        running.state = before
        _welcome_back(scene, running)
    elif _refuses_by_number(scene, events):
        running.state = before
        scene.aside_wanted = "refuse"
    else:
        apply_events(scene, running, events)
        settle(scene, running)


def _leaves_it(running: Running, events: Iterable[Event]) -> bool:
    """Whether SKIP or BACK leaves what we began, or an answer that was to be corrected.

    Neither may lead to STOP, the only other way out of a question that needs an answer.
    """
    told = {one.phrase for one in events if isinstance(one, Said)}
    if polling.is_unbegun(running):
        return "required" in told
    corrects = running.correcting is not None and running.completed_at is not None
    return corrects and not told.isdisjoint({"required", "nothing_before"})


def _leave(scene: Scene, running: Running) -> None:
    if polling.is_unbegun(running):
        polling.put_off(scene, running)
    else:
        poll_answers.keep_answer(scene, running)


def _refuses_by_number(scene: Scene, events: Iterable[Event]) -> bool:
    """Whether a typed number says that nothing may be kept: it may be one sent twice by mistake.

    Asked about, neither the same number nor the one that agrees refuses anything.
    """
    heard = scene.heard.input
    refused = any(isinstance(one, Ended) and one.reason == "refused" for one in events)
    if not refused or scene.standing.consents or not isinstance(heard, Text):
        return False
    return read_ordinal(normalise(heard.text[:LONGEST_MATCHED])) is not None


def _fits(before: State, after: State, events: Iterable[Event]) -> bool:
    """Whether what was said belongs to the question: neither a mistake nor a greeting."""
    greeted = any(isinstance(one, Said) and one.phrase == "greeted" for one in events)
    return after.attempts <= before.attempts and not greeted


def _welcome_back(scene: Scene, running: Running) -> None:
    """Say where the person was and offer to go on or begin again."""
    flow, state = running.published.flow, running.state
    asked = flow.question(state.asked)
    place = position(flow, state, asked, scene.now) if asked else None
    if place is None:
        scene.say("welcome_back")
        ask_again(scene)
    else:
        scene.say("welcome_at", at=str(place[0]), of=str(place[1]))
        scene.aside_wanted = "resume"


def settle(scene: Scene, running: Running) -> None:
    """What is done gives way: to the poll somebody came for, or to what it interrupted."""
    if running.correcting not in (None, running.state.asked):
        running.correcting = None
    if running.status == "waiting" or scene.running is not running:
        return
    if running.status == "complete":
        polling.thank(scene, running)
        polling.go_on_to_ask(scene, running)
        go_on_to_relay(scene, running)
    if scene.running is running and scene.paused and running.correcting is None:
        scene.ended_sessions.append(running)
        scene.running, scene.paused = scene.paused, None
        ask_again(scene)


def _is_back(scene: Scene, running: Running) -> bool:
    """Whether somebody comes back after long to what they had begun; what we sent was not begun."""
    last = scene.standing.last_in_at
    away = last is not None and scene.now - last > WELCOME_BACK_AFTER
    return away and not polling.is_unbegun(running)
