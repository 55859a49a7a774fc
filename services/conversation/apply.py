"""From the engine's events to changes of the scene: one function an event, in one table."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from flows import events as happened
from flows.events import Event, as_part
from flows.flow import Flow
from flows.gazetteer import bundled
from flows.questions.consent import Consent
from flows.state import SEALED, State
from models.case import CaseReason
from models.profile import is_core
from services.conversation import moments
from services.conversation.props import Vote
from services.conversation.scene import AnswerRow, ConsentRow, Running, Scene


def apply_events(scene: Scene, running: Running, events: Iterable[Event]) -> None:
    """Let each event of one step change the scene, in order."""
    for event in events:
        APPLY[type(event)](scene, running, event)


def _said(scene: Scene, running: Running, event: happened.Said) -> None:
    if running.is_test and event.phrase == "thanks":
        scene.say("poll_test_over")
    else:
        scene.parts.append(as_part(event))


def _asked(scene: Scene, running: Running, event: happened.Asked) -> None:
    scene.ask(running.published.flow, running.published.version_id, running.state.tag, event)


def _answered(scene: Scene, running: Running, event: happened.Answered) -> None:
    if running.is_test:
        return
    question = running.published.flow.question(event.question)
    if question is not None and question.secret:
        scene.vote = Vote(UUID(str(running.origin["ask"])), str(event.value))
        return
    text = str(event.value) if event.sealed else None
    value = None if event.sealed else event.value
    scene.answers.append(AnswerRow(running, event.question, value, text, skipped=False))
    _profile(scene, running, event.question, SEALED if event.sealed else event.value)
    if event.file is not None:
        scene.keep_recording(running, event.question, event.file)


def _profile(scene: Scene, running: Running, question: str, value: Any) -> None:
    flow = running.published.flow
    if is_core(flow.kind, question):
        scene.profile[question] = value
        if question == "place":
            place = bundled().get(str(value))
            scene.profile["time_zone"] = place.time_zone if place else None
            scene.profile["region"] = (place.region or None) if place else None
    else:
        scene.rest[f"{flow.id}.{question}"] = value


def _skipped(scene: Scene, running: Running, event: happened.Skipped) -> None:
    if running.is_test:
        return
    scene.answers.append(AnswerRow(running, event.question, None, None, skipped=True))
    _profile(scene, running, event.question, None)


def _language_chosen(scene: Scene, running: Running, event: happened.LanguageChosen) -> None:
    scene.change_language(event.language)


def _granted(scene: Scene, running: Running, event: happened.ConsentGranted) -> None:
    running.touched = True
    if event.purpose not in scene.granted:
        scene.granted.append(event.purpose)
    _consent(scene, running, event.purpose, "granted", event.question)
    if isinstance(running.published.flow.question(event.question), Consent):
        remind_at = moments.remind_at(scene.line.kind, scene.now)
        scene.dues.append({"kind": "reminder", "due_at": remind_at, "session": running.id})
        if running.published.flow.kind == "registration":
            renew_at = moments.renew_at(scene.now)
            scene.dues.append({"kind": "renewal", "due_at": renew_at, "session": None})


def _withdrawn(scene: Scene, running: Running, event: happened.ConsentWithdrawn) -> None:
    if event.purpose in scene.granted:
        scene.granted.remove(event.purpose)
    _consent(scene, running, event.purpose, "withdrawn", event.question)


def _consent(scene: Scene, running: Running, purpose: str, action: str, question: str) -> None:
    flow = running.published.flow
    scene.consents.append(ConsentRow(purpose, action, question, flow.id, flow.version))
    scene.profile["consents"] = list(scene.granted)


def _refused(scene: Scene, running: Running, event: happened.ConsentRefused) -> None:
    """A refusal is not kept as an answer: nothing of the person is stored but the running line."""
    scene.answers.clear()


def _completed(scene: Scene, running: Running, event: happened.Completed) -> None:
    running.status = "complete"
    running.touched = True
    if running.published.flow.kind == "registration" and running.completed_at is None:
        scene.profile["registered_at"] = scene.now.isoformat()


def _ended(scene: Scene, running: Running, event: happened.Ended) -> None:
    """Whoever may not or does not want to be registered leaves nothing behind (design 5)."""
    running.status = "stopped"
    running.touched = True
    refuses = event.reason == "refused" and not scene.standing.consents
    if event.reason == "under_age" or refuses:
        scene.leave(event.reason)


def _person_wanted(scene: Scene, running: Running, event: happened.PersonWanted) -> None:
    scene.call_person(CaseReason.PERSON if event.asked else CaseReason.STUCK)


def _menu_wanted(scene: Scene, running: Running, event: happened.MenuWanted) -> None:
    scene.aside_wanted = "menu"


APPLY: dict[type[Any], Callable[[Scene, Running, Any], None]] = {
    happened.Said: _said,
    happened.Asked: _asked,
    happened.Answered: _answered,
    happened.Skipped: _skipped,
    happened.LanguageChosen: _language_chosen,
    happened.ConsentGranted: _granted,
    happened.ConsentWithdrawn: _withdrawn,
    happened.ConsentRefused: _refused,
    happened.Completed: _completed,
    happened.Ended: _ended,
    happened.PersonWanted: _person_wanted,
    happened.MenuWanted: _menu_wanted,
}


def apply_aside(scene: Scene, flow: Flow, state: State, events: Iterable[Event]) -> str | None:
    """Let an aside speak; its answers are not stored. Returns what was chosen, if it is settled."""
    chosen: str | None = None
    for event in events:
        if isinstance(event, happened.Said):
            scene.parts.append(as_part(event))
        elif isinstance(event, happened.Asked):
            scene.ask(flow, None, state.tag, event)
        elif isinstance(event, happened.LanguageChosen):
            scene.change_language(event.language)
        elif isinstance(event, happened.Answered):
            chosen = str(event.value)
    return chosen
