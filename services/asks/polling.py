"""A poll as one person meets it: told how it is counted, asked, thanked, and asked anew."""

from collections.abc import Mapping
from typing import Any

from flows.inputs import Pressed, Text
from flows.normalising import normalise
from flows.questions.base import Answer, At, Question
from flows.state import COMPLETE, SKIPPED, State
from flows.wording import LANGUAGES, phrase
from models.ask import AskMode
from services.asks.poll_answers import only_question
from services.asks.poll_results import say_when, show_so_far, tell_state
from services.audiences.asked_before import BY_RULE
from services.catalogue import Asked, Entry, Published
from services.conversation.props import Past
from services.conversation.scene import Running, Scene
from services.conversation.sessions import ask_again, ask_of, begin, is_over, seed_of

WELCOME = "welcome"
TOLD_MODE = {AskMode.NAMED: "poll_named", AskMode.SECRET: "poll_secret"}
"""What people are told about a vote before they give it."""
NOT_NOW = "not_now"
_OURS = frozenset({"broadcast", BY_RULE})


def enter_ask(scene: Scene, ask: Asked, origin: dict[str, Any]) -> None:
    """Ask somebody who came by a code or a word, say what they answered, or why it is too late."""
    running = scene.running
    published = scene.catalogue.version(ask.version_id)
    if published is None or not ask.is_open(scene.now):
        tell_state(scene, ask)
        ask_again(scene)
    elif not scene.is_consented:
        _welcome(scene, published, origin)
    elif running and running.origin.get("ask") == str(ask.id):
        ask_again(scene)
    elif scene.is_new or scene.recalls():
        past = scene.memory.asked.get(ask.id) if scene.memory else None
        _ask(scene, ask, published, past, origin)


def origin_of(ask: Asked, entry: Entry | None = None) -> dict[str, Any]:
    """Return where a passage through an ask comes from, as its row keeps it."""
    office = entry.office_id if entry else ask.office_id
    found = {
        "ask": ask.id,
        "code": entry.code if entry else None,
        "relay": entry.relay_id if entry else None,
        "parent": entry.parent_id if entry else None,
        "asker": entry.asker if entry else None,
        "office": office,
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def _welcome(scene: Scene, published: Published, origin: dict[str, Any]) -> None:
    """Ask a stranger for consent and nothing else; the poll comes straight after it."""
    first = scene.catalogue.newest.get(WELCOME) or scene.catalogue.registration()
    if first is None:
        begin(scene, published, origin)
        return
    came = {name: value for name, value in origin.items() if name != "ask"}
    begin(scene, first, came | {"then": origin})


def go_on_to_ask(scene: Scene, running: Running) -> None:
    """After a stranger's consent: the poll they came for, in the same message."""
    then = running.origin.get("then")
    ask = ask_of(scene, then or {})
    if ask is None:
        return
    scene.parts = [part for part in scene.parts if part.get("say") != "thanks"]
    running.origin = {name: value for name, value in running.origin.items() if name != "then"}
    scene.ended_sessions.append(running)
    scene.running = None
    enter_ask(scene, ask, dict(then or {}))


def _ask(
    scene: Scene, ask: Asked, published: Published, past: Past | None, origin: dict[str, Any]
) -> None:
    if past and past.completed_at and ask.mode is AskMode.SECRET:
        scene.say("voted_already")
        ask_again(scene)
    elif past and past.completed_at:
        scene.done = _again(scene, past)
        _say_answered(scene, ask, scene.done)
    else:
        tell_truth(scene, ask, origin)
        running = scene.running
        begin(scene, published, origin, pausing=running is not None)


def tell_truth(scene: Scene, ask: Asked, origin: Mapping[str, Any]) -> None:
    """Say who asks, where somebody is named for it, and who can see the answer."""
    names = {str(one): name for one, name in ask.askers.items()}.get(str(origin.get("asker")))
    if names:
        name = names.get(scene.language) or next(iter(names.values()))
        scene.say("asks_you", asker=name)
    scene.say(TOLD_MODE[ask.mode])


def _again(scene: Scene, past: Past) -> Running:
    """Return a passage that was completed before, as it stood."""
    flow = past.published.flow
    state = State(
        flow=flow.id,
        version=flow.version,
        tag=scene.next_tag(),
        language=flow.language_for(scene.language),
        answers=past.answers,
        status=COMPLETE,
        seed=seed_of(past.session_id),
    )
    return Running(
        id=past.session_id,
        published=past.published,
        state=state,
        origin=dict(past.origin),
        status="complete",
        completed_at=past.completed_at,
        shown_at=scene.now,
    )


def leave_over(scene: Scene, running: Running) -> None:
    """Say that the ask is over, and go on with what it had interrupted."""
    if ask := ask_of(scene, running.origin):
        tell_state(scene, ask)
    _put_away(scene, running)


def _put_away(scene: Scene, running: Running, status: str = "partial") -> None:
    running.status = status
    scene.ended_sessions.append(running)
    scene.running, scene.paused = scene.paused, None
    ask_again(scene)


def thank(scene: Scene, running: Running) -> None:
    """Say what was understood, when the result comes, and how to change it."""
    ask = ask_of(scene, running.origin)
    if ask is None or running.published.flow.secret:
        return
    running.completed_at = running.completed_at or scene.now
    scene.done = running
    if not scene.parts or scene.parts[-1].get("say") != "thanks":
        return
    scene.parts.pop()
    waits = scene.paused is not None and not is_over(scene, scene.paused)
    if waits and running.correcting is None:
        scene.say("thanks")
        return
    first = len(scene.parts) + 1
    _say_done(scene, running, "poll_said", "thanks")
    say_when(scene, ask)
    _offer_change(scene, ask, running)
    show_so_far(scene, ask, running.published.flow, at=first)


def _say_done(scene: Scene, running: Running, said: str, otherwise: str) -> None:
    """Say back the one coded answer of a poll; several answers are not said back."""
    question = only_question(running)
    if question is None or running.state.answers.get(question.id) in (None, SKIPPED):
        scene.say(otherwise)
        return
    answer = [question.id, running.state.answers[question.id]]
    scene.parts.append({"say": said, "params": {}, "answer": answer})
    scene.speak_of(running.published)


def _say_answered(scene: Scene, ask: Asked, running: Running) -> None:
    if scene.running:
        scene.say("poll_answered_all")
        ask_again(scene)
        return
    first = len(scene.parts) + 1
    _say_done(scene, running, "poll_answered", "poll_answered_all")
    _offer_change(scene, ask, running)
    show_so_far(scene, ask, running.published.flow, at=first)


def _offer_change(scene: Scene, ask: Asked, running: Running) -> None:
    number = only_question(running) is not None
    scene.parts[-1] |= {
        "press": [
            ["press_change", f"{ask.code}.done.change"],
            ["press_menu", f"{ask.code}.done.menu"],
        ],
        "hint": "poll_change_number" if number else "poll_change_word",
    }


def is_ours(running: Running) -> bool:
    """Whether we began the passage, by a sending or a rule."""
    return not _OURS.isdisjoint(running.origin)


def is_unbegun(running: Running) -> bool:
    """Whether we began the passage and nothing of it is answered yet."""
    return is_ours(running) and not running.state.answers


def wants_later(scene: Scene, running: Running) -> bool:
    """Whether somebody who was sent something and has answered nothing says "not now"."""
    if not is_unbegun(running):
        return False
    match scene.heard.input:
        case Pressed(payload):
            return payload == f"{running.state.tag}.{running.state.asked}.{NOT_NOW}"
        case Text(text):
            return _is_later(text, running)
    return False


def _is_later(text: str, running: Running) -> bool:
    """Whether words put a poll off, and are no answer to what it asks."""
    question, said = running.published.flow.question(running.state.asked), normalise(text)
    names = (NOT_NOW, "not_now_also") if question and question.values() else (NOT_NOW,)
    words = (phrase(name, language).split(",") for name in names for language in LANGUAGES)
    if said not in {normalise(one) for several in words for one in several}:
        return False
    if question is None or not question.values():
        return True
    return not _reads(question, Text(text), running)


def _reads(question: Question, heard: Text, running: Running) -> bool:
    """Whether words answer a question as they stand, without a guess."""
    at = At(running.state.language, order=question.order(running.state.seed))
    return isinstance(question.read(heard.text, normalise(heard.text), at), Answer)


def is_free(scene: Scene, heard: Text) -> bool:
    """Whether nothing was begun but a push of ours, which these words do not answer."""
    running = scene.running
    if running is None or not is_unbegun(running):
        return False
    question = running.published.flow.question(running.state.asked)
    return question is not None and bool(question.values()) and not _reads(question, heard, running)


def put_off(scene: Scene, running: Running) -> None:
    """Ask no more for now, nor remind: its code, if it has one, begins it any time."""
    ask, flow = ask_of(scene, running.origin), running.published.flow.id
    code = ask.code if ask else scene.catalogue.code_of(flow)
    if code:
        scene.say("poll_later", code=code.upper())
    else:
        scene.say("later_fine")
    _put_away(scene, running, "stopped")
