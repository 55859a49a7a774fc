"""A poll as one person meets it: told how it is counted, asked, thanked, and asked anew."""

from typing import Any
from zoneinfo import ZoneInfo

from flows import engine
from flows.inputs import Pressed, Text
from flows.normalising import normalise
from flows.questions.base import Answer, At, Guess, Question
from flows.state import COMPLETE, SKIPPED, State
from flows.wording import LANGUAGES, phrase
from models.ask import AskMode, AskStatus
from services.catalogue import Asked, Entry, Published
from services.conversation.apply import apply_events
from services.conversation.props import Past
from services.conversation.scene import Running, Scene
from services.conversation.sessions import ask_again, begin, seed_of

WELCOME = "welcome"
TOLD_MODE = {AskMode.NAMED: "poll_named", AskMode.SECRET: "poll_secret"}
"""What people are told about a vote before they give it."""
NOT_NOW = "not_now"
A_WEEK = 7


def enter_ask(scene: Scene, ask: Asked, origin: dict[str, Any]) -> None:
    """Ask somebody who came by a code or a word, say what they answered, or why it is too late."""
    running = scene.running
    published = scene.catalogue.version(ask.version_id)
    if published is None or not ask.is_open(scene.now):
        _tell_state(scene, ask)
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
        scene.say(TOLD_MODE[ask.mode])
        running = scene.running
        begin(scene, published, origin, pausing=running is not None)


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
    )


def ask_of(scene: Scene, origin: dict[str, Any]) -> Asked | None:
    """Return the ask a passage belongs to, or None for any other passage."""
    return next((a for a in scene.catalogue.asks.values() if str(a.id) == origin.get("ask")), None)


def is_over(scene: Scene, running: Running) -> bool:
    """Whether the passage belongs to an ask that takes no answers any more."""
    ask = ask_of(scene, running.origin)
    return ask is not None and not ask.is_open(scene.now)


def leave_over(scene: Scene, running: Running) -> None:
    """Say that the ask is over, and go on with what it had interrupted."""
    if ask := ask_of(scene, running.origin):
        _tell_state(scene, ask)
    _put_away(scene, running)


def _put_away(scene: Scene, running: Running) -> None:
    running.status = "partial"
    scene.ended_sessions.append(running)
    scene.running, scene.paused = scene.paused, None
    ask_again(scene)


def _tell_state(scene: Scene, ask: Asked) -> None:
    if ask.status is AskStatus.DRAFT:
        scene.say("poll_not_yet")
    elif ask.status is AskStatus.CANCELED:
        scene.say("poll_canceled")
    elif ask.status is AskStatus.CLOSED:
        scene.say_sealed("poll_result", result=ask.code)
    else:
        scene.say("poll_closed")


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
    if scene.paused and running.correcting is None:
        scene.say("thanks")
        return
    _say_done(scene, running, "poll_said", "thanks")
    if ask.closes_at is not None:
        _say_when(scene, ask)
    _offer_change(scene, ask, running)


def _say_done(scene: Scene, running: Running, said: str, otherwise: str) -> None:
    """Say back the one coded answer of a poll; several answers are not said back."""
    question = _only_question(running)
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
    _say_done(scene, running, "poll_answered", "poll_answered_all")
    _offer_change(scene, ask, running)


def _say_when(scene: Scene, ask: Asked) -> None:
    """Say the day of the result: its weekday within a week, else its date."""
    if ask.closes_at is None:
        return
    zone = ZoneInfo(scene.standing.time_zone or "UTC")
    day, today = ask.closes_at.astimezone(zone).date(), scene.now.astimezone(zone).date()
    if (day - today).days < A_WEEK:
        scene.parts.append({"say": "poll_result_on", "words": {"day": f"day_{day.weekday()}"}})
    else:
        scene.parts.append({"say": "poll_result_by", "dates": {"date": day.isoformat()}})


def _offer_change(scene: Scene, ask: Asked, running: Running) -> None:
    number = _only_question(running) is not None
    scene.parts[-1] |= {
        "press": [
            ["press_change", f"{ask.code}.done.change"],
            ["press_menu", f"{ask.code}.done.menu"],
        ],
        "hint": "poll_change_number" if number else "poll_change_word",
    }


def _only_question(running: Running) -> Question | None:
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


def _meant(done: Running, heard: Text | Pressed) -> Question | None:
    """The question of a poll just answered that this message answers once more."""
    if isinstance(heard, Pressed):
        tag, _, rest = heard.payload.partition(".")
        asked, _, value = rest.partition(".")
        question = done.published.flow.question(asked) if tag == done.state.tag else None
        return question if question is not None and value in question.values() else None
    question = _only_question(done)
    if question is None:
        return None
    at = At(done.state.language, order=question.order(done.state.seed))
    reading = question.read(heard.text, normalise(heard.text), at)
    return question if isinstance(reading, Answer | Guess) else None


def change_answer(scene: Scene) -> bool:
    """Ask the first question of the poll last answered anew; False when there is none to change."""
    done = scene.done
    if done is None or is_over(scene, done):
        return False
    flow = done.published.flow
    first = next(one for one in flow.questions if one.waits and one.id in done.state.answers)
    if scene.running is not None and scene.running is not done:
        scene.paused = scene.running
    done.state, events = engine.reopen(flow, done.state, first.id, now=scene.now)
    done.correcting = first.id
    done.status = "waiting"
    scene.running = done
    apply_events(scene, done, events)
    return True


def wants_later(scene: Scene, running: Running) -> bool:
    """Whether somebody who was pushed a poll and has answered nothing says "not now"."""
    if "broadcast" not in running.origin or running.state.answers:
        return False
    match scene.heard.input:
        case Pressed(payload):
            return payload == f"{running.state.tag}.{running.state.asked}.{NOT_NOW}"
        case Text(text):
            return normalise(text) in {normalise(phrase(NOT_NOW, one)) for one in LANGUAGES}
    return False


def put_off(scene: Scene, running: Running) -> None:
    """Ask no more for now: it counts as not answered, and its code begins it any time."""
    ask = ask_of(scene, running.origin)
    if ask is not None:
        scene.say("poll_later", code=ask.code.upper())
    _put_away(scene, running)
