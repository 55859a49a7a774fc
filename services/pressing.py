"""The buttons of a WhatsApp template: answer, not now, stop."""

from flows.inputs import Pressed
from flows.keywords import Keyword, Word
from flows.templates import pressed
from services.scene import Scene
from services.sessions import ask_again_or_offer


def stop_in(scene: Scene) -> Keyword | None:
    """The STOP that a template's button stands for, or None."""
    stops = _meaning(scene) == "stop"
    return Keyword(Word.STOP, scene.language) if stops else None


def take_press(scene: Scene) -> bool:
    """Follow a template's button: the waiting question again, or nothing more; False if it is none.

    The press has opened the window, so the question can be asked in full.
    """
    meaning = _meaning(scene)
    if meaning == "answer":
        scene.aside = None
        ask_again_or_offer(scene)
    return meaning is not None


def _meaning(scene: Scene) -> str | None:
    heard = scene.heard.input
    return pressed(heard.payload) if isinstance(heard, Pressed) else None
