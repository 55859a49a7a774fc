"""Calling a person: the word PERSON, words of danger, and what is written while a case is open.

Here a message only asks for an officer; the case is written with it in one transaction
(``services/conversation/changes.py``), and officers work on it in ``services/people/cases.py``.
"""

from flows.danger import in_danger
from flows.inputs import Attachment, Text
from models.case import CaseReason
from services.conversation.scene import RIGHTS, Scene
from services.conversation.sessions import ask_again


def call(scene: Scene) -> None:
    """Let a person read this conversation, and say so; no time is promised."""
    scene.call_person(CaseReason.PERSON)
    scene.say("person_told")
    ask_again(scene)


def belongs_to_case(scene: Scene) -> bool:
    """Whether this message goes to the person's case: nothing else waits for what they write."""
    return scene.case_id is not None and scene.running is None and _is_written(scene)


def note(scene: Scene) -> None:
    """Add the message to the case; the first of several is acknowledged."""
    scene.call_person(CaseReason.PERSON)
    if not scene.case_noted:
        scene.say("case_noted")
    scene.case_noted = True


def leave_unread(scene: Scene) -> None:
    """Keep what somebody writes who has stopped for an officer; nothing is answered."""
    if _is_written(scene):
        scene.call_person(CaseReason.STOPPED_MESSAGE)


def watch_for_danger(scene: Scene) -> None:
    """Call a person at once when danger is named, beside whatever else the message did.

    Only the first such message of a case is answered past the guards and to people who have
    stopped, so that the words are no way to make us write without end.
    """
    heard = scene.heard
    if heard.kind != "message" or not isinstance(heard.input, Text) or scene.stopped:
        return
    if not in_danger(heard.input.text):
        return
    if scene.standing.case_id is None:
        scene.lane = RIGHTS
    line = scene.catalogue.emergency_line
    call_now = [{"say": "danger_call", "params": {"line": line}}] if line else []
    scene.parts[:0] = [{"say": "danger_told", "params": {}}, *call_now]
    scene.call_person(CaseReason.DANGER)


def _is_written(scene: Scene) -> bool:
    return scene.heard.kind == "message" and isinstance(scene.heard.input, Text | Attachment)
