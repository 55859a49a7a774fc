"""Buttons that belong to no question: of a WhatsApp template, and under the thanks for a poll."""

import re
from typing import Final

from flows.inputs import Pressed
from flows.keywords import Keyword, Word
from flows.templates import pressed
from services.asks import polling, pushed
from services.conversation.changing import change_poll
from services.conversation.entering import enter_by_code
from services.conversation.scene import Scene
from services.conversation.sessions import ask_again, ask_again_or_offer, ask_of

RENEWAL: Final = "renewal"
_DONE: Final = re.compile(r"([a-z0-9]+)\.done\.(change|menu)")


def word_in(scene: Scene) -> Keyword | None:
    """The word that a button stands for, or None."""
    if _meaning(scene)[1] == "stop":
        return Keyword(Word.STOP, scene.language)
    return Keyword(Word.MENU, scene.language) if _done(scene)[1] == "menu" else None


def take_press(scene: Scene) -> bool:
    """Follow such a button, or one of an earlier sending; False if it is none.

    The press of a template has opened the window, so all can be said in full now.
    """
    template, meaning = _meaning(scene)
    code, wanted = _done(scene)
    if wanted == "change":
        _change(scene, code)
    elif meaning == "answer":
        _OPENED.get(template, _answer)(scene)
    elif meaning == "later":
        _put_off(scene, template)
    else:
        return pushed.answer_pushed(scene)
    return True


_OPENED: Final = {
    "invitation": pushed.open_pushed,
    "reminder": pushed.open_pushed,
    pushed.RESULT: pushed.read_result,
}


def _put_off(scene: Scene, template: str) -> None:
    """Leave for later what we began; who puts off anything else is told nothing more."""
    running = scene.running
    if template != pushed.RESULT and running and polling.is_ours(running):
        polling.put_off(scene, running)
    elif template in ("invitation", pushed.RESULT):
        scene.say("later_fine")


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
    ask = ask_of(scene, scene.done.origin) if scene.done else None
    if ask is None or ask.code != code or not change_poll(scene):
        enter_by_code(scene, code)


def _meaning(scene: Scene) -> tuple[str, str]:
    """Which template's button was pressed and what it means; both empty for any other."""
    heard = scene.heard.input
    return (pressed(heard.payload) if isinstance(heard, Pressed) else None) or ("", "")


def _done(scene: Scene) -> tuple[str, str]:
    heard = scene.heard.input
    found = _DONE.fullmatch(heard.payload) if isinstance(heard, Pressed) else None
    return (found[1], found[2]) if found else ("", "")
