"""Taking an answer: to the question that waits, or anew to the poll answered last."""

from datetime import timedelta

from flows import engine
from services import polling
from services.apply import apply_events
from services.repeating import hear_again, is_echo
from services.scene import Running, Scene
from services.sessions import ask_again, offer

WELCOME_BACK_AFTER = timedelta(hours=20)


def take_answer(scene: Scene) -> None:
    """Take the message as the answer to the waiting question, or offer to register."""
    running = scene.running
    if is_echo(scene):
        hear_again(scene)
    elif running is None:
        _without_question(scene)
    elif polling.is_over(scene, running):
        polling.leave_over(scene, running)
    elif scene.heard.input is None:
        ask_again(scene)
    elif polling.wants_later(scene, running):
        polling.put_off(scene, running)
    elif scene.heard.kind == "message":
        _step(scene, running)


def _without_question(scene: Scene) -> None:
    if scene.secret:
        scene.say("voted_already")
    elif polling.answer_again(scene):
        assert scene.running is not None
        settle(scene, scene.running)
    else:
        offer(scene)


def _step(scene: Scene, running: Running) -> None:
    """Let the flow take one message.

    After a long pause an answer that fits is taken as usual; anything else is met with the
    question again instead of a correction, since the person may not have it before their eyes.
    """
    assert scene.heard.input is not None
    before = running.state
    running.state, events = engine.step(
        running.published.flow, before, scene.heard.input, scene.now
    )
    if _long_ago(scene) and running.state.attempts > before.attempts:
        running.state = before
        scene.say("welcome_back")
        ask_again(scene)
    else:
        apply_events(scene, running, events)
        settle(scene, running)


def settle(scene: Scene, running: Running) -> None:
    """What is done gives way: to the poll somebody came for, or to what it interrupted."""
    if running.correcting not in (None, running.state.asked):
        running.correcting = None
    if running.status == "waiting" or scene.running is not running:
        return
    if running.status == "complete":
        polling.thank(scene, running)
        polling.go_on_to_ask(scene, running)
    if scene.running is running and scene.paused and running.correcting is None:
        scene.ended_sessions.append(running)
        scene.running, scene.paused = scene.paused, None
        ask_again(scene)


def _long_ago(scene: Scene) -> bool:
    last = scene.standing.last_in_at
    return last is not None and scene.now - last > WELCOME_BACK_AFTER
