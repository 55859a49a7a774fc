"""What somebody answered in a poll: answered anew, changed, or too late for that."""

from dataclasses import replace

from flows import engine
from flows.inputs import Pressed, Text
from flows.normalising import normalise
from flows.progress import cleared
from flows.questions.base import Answer, At, Guess, Question
from flows.state import COMPLETE
from services.asks.poll_results import tell_state
from services.catalogue import Asked
from services.conversation.apply import apply_events
from services.conversation.scene import Running, Scene
from services.conversation.sessions import ask_again, ask_of, is_over


def only_question(running: Running) -> Question | None:
    """The question of a poll that asks but one, if that has options."""
    waiting = [one for one in running.published.flow.questions if one.waits]
    return waiting[0] if len(waiting) == 1 and waiting[0].values() else None


def answer_again(scene: Scene) -> bool:
    """Take another number, or an older button, as a change of what was answered; False if none."""
    done, heard = scene.done, scene.heard.input
    if done is None or is_over(scene, done) or not isinstance(heard, Text | Pressed):
        return False
    question = _meant(done, heard)
    if question is None or question.id not in done.state.answers:
        return False
    flow = done.published.flow
    done.state, _ = engine.reopen(flow, done.state, question.id, now=scene.now)
    done.correcting = question.id
    scene.running = done
    done.state, events = engine.step(flow, done.state, heard, scene.now)
    apply_events(scene, done, events)
    return True


def comes_late(scene: Scene) -> bool:
    """Tell who answers a poll anew that is over what came of it; False if they do not."""
    done, heard = scene.done, scene.heard.input
    if done is None or not isinstance(heard, Text | Pressed) or _meant(done, heard) is None:
        return False
    return tell_over(scene)


def tell_over(scene: Scene) -> bool:
    """Tell what came of the poll answered last, if it is over; False if it is not."""
    done = scene.done
    ask = ask_of(scene, done.origin) if done and is_over(scene, done) else None
    if ask is not None:
        tell_state(scene, ask)
    return ask is not None


def tell_voted(scene: Scene) -> None:
    """Tell who has voted in secret that the first vote counts, or what came of it by now."""
    ask = _voted_in(scene)
    if ask is None or ask.is_open(scene.now):
        scene.say("voted_already")
    else:
        tell_state(scene, ask)


def has_voted(scene: Scene) -> bool:
    """Whether the vote given last was a secret one, in a poll that is still open."""
    ask = _voted_in(scene)
    return ask is not None and ask.is_open(scene.now)


def _voted_in(scene: Scene) -> Asked | None:
    asks = scene.catalogue.asks.values()
    return next((ask for ask in asks if scene.voted and ask.version_id == scene.voted), None)


def changeable(scene: Scene) -> tuple[str, ...]:
    """The questions of the poll last answered that may be answered anew; none once it is over."""
    done = scene.done
    if done is None or is_over(scene, done):
        return ()
    asked = done.published.flow.questions
    return tuple(one.id for one in asked if one.waits and one.id in done.state.answers)


def change_answer(scene: Scene, question: str) -> bool:
    """Ask a question of the poll last answered anew; False when there is none to change."""
    done = scene.done
    if done is None or question not in changeable(scene):
        return False
    if scene.running is not None and scene.running is not done:
        scene.paused = scene.running
    flow = done.published.flow
    done.state, events = engine.reopen(flow, done.state, question, now=scene.now)
    done.correcting = question
    done.status = "waiting"
    scene.running = done
    apply_events(scene, done, events)
    return True


def keep_answer(scene: Scene, running: Running) -> None:
    """Leave an answer that was to be corrected as it is, and go on where the person was."""
    running.state = cleared(running.state, running.state.answers, running.state.language)
    running.state = replace(running.state, asked=None, status=COMPLETE)
    running.status, running.correcting = "complete", None
    scene.ended_sessions.append(running)
    scene.running, scene.paused = scene.paused, None
    if ask_of(scene, running.origin):
        scene.done = running
    scene.say("kept_as_is")
    ask_again(scene)


def _meant(done: Running, heard: Text | Pressed) -> Question | None:
    """The question of a poll just answered that this message answers once more."""
    if isinstance(heard, Pressed):
        tag, _, rest = heard.payload.partition(".")
        asked, _, value = rest.partition(".")
        question = done.published.flow.question(asked) if tag == done.state.tag else None
        return question if question is not None and value in question.values() else None
    question = only_question(done)
    if question is None:
        return None
    at = At(done.state.language, order=question.order(done.state.seed))
    reading = question.read(heard.text, normalise(heard.text), at)
    return question if isinstance(reading, Answer | Guess) else None
