"""Buttons that belong to no question: of a WhatsApp template, and under the thanks for a poll."""

import re
from typing import Final

from flows.inputs import Pressed
from flows.keywords import Keyword, Word
from flows.templates import pressed
from services.asks import polling
from services.conversation.entering import enter_by_code
from services.conversation.scene import Scene
from services.conversation.sessions import ask_again, ask_again_or_offer

RENEWAL: Final = "renewal"
_READ_RESULT: Final = "template.result.answer"
_DONE: Final = re.compile(r"([a-z0-9]+)\.done\.(change|menu)")


def word_in(scene: Scene) -> Keyword | None:
    """The word that a button stands for, or None."""
    if _meaning(scene) == "stop":
        return Keyword(Word.STOP, scene.language)
    return Keyword(Word.MENU, scene.language) if _done(scene)[1] == "menu" else None


def take_press(scene: Scene) -> bool:
    """Follow such a button: the question in full, not now, or an answer anew; False if it is none.

    The press of a template has opened the window, so the question can be asked in full.
    """
    meaning = _meaning(scene)
    code, wanted = _done(scene)
    if wanted == "change":
        _change(scene, code)
    elif scene.heard.input == Pressed(_READ_RESULT):
        _tell_outcome(scene)
    elif meaning == "answer":
        _answer(scene)
    elif meaning == "later" and scene.running and "broadcast" in scene.running.origin:
        polling.put_off(scene, scene.running)
    return meaning is not None or wanted == "change"


def _answer(scene: Scene) -> None:
    """Ask the waiting question in full; the renewal's own button has answered it already."""
    renews = scene.aside is not None and scene.aside.flow == RENEWAL
    scene.aside = None
    if renews:
        scene.say("renewed")
        ask_again(scene)
    else:
        ask_again_or_offer(scene)


def _change(scene: Scene, code: str) -> None:
    """Ask the poll of this code anew; an older one is read from its rows first."""
    scene.aside = None
    ask = polling.ask_of(scene, scene.done.origin) if scene.done else None
    if ask is None or ask.code != code or not polling.change_answer(scene):
        enter_by_code(scene, code)


def _tell_outcome(scene: Scene) -> None:
    """Say what will be done with the newest ask of theirs that was reported back on.

    Outside WhatsApp's window only a template could say that there is something to read.
    """
    if not scene.recalls():
        return
    scene.aside = None
    mine = scene.memory.asked if scene.memory else {}
    told = [one for ask_id in mine if (one := scene.catalogue.asks.get(ask_id)) and one.outcome]
    if not told:
        ask_again_or_offer(scene)
        return
    outcome = max(told, key=lambda one: one.id).outcome or {}
    words = outcome.get(scene.language) or next(iter(outcome.values()), "")
    scene.say("reported", outcome=words)


def _meaning(scene: Scene) -> str | None:
    heard = scene.heard.input
    return pressed(heard.payload) if isinstance(heard, Pressed) else None


def _done(scene: Scene) -> tuple[str, str]:
    heard = scene.heard.input
    found = _DONE.fullmatch(heard.payload) if isinstance(heard, Pressed) else None
    return (found[1], found[2]) if found else ("", "")
