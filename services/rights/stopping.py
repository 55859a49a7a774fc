"""STOP, and coming back: nothing but START, or a clear yes, sends messages to a person again."""

from flows.inputs import Text
from flows.keywords import is_providers
from services.conversation.entering import enter_by_code
from services.conversation.scene import Scene
from services.conversation.sessions import ask_again_or_offer


def stop(scene: Scene) -> None:
    """Silence every address of this person; their answers stay.

    On SMS the provider may confirm by itself (``stop_reply`` of the channel); then we do not. It
    knows only its own words: who chose to stop from a question of ours, or said it in another word,
    is answered by us.
    """
    if not scene.has_stopped:
        scene.withdraw_messages()
    scene.stopped = True
    scene.aside = None
    if not _provider_confirms(scene) and scene.heard.kind != "opted_out":
        scene.say_as_right("stopped")


def _provider_confirms(scene: Scene) -> bool:
    heard = scene.heard.input
    handled = scene.line.kind == "sms" and scene.line.stop_reply == "provider"
    return handled and isinstance(heard, Text) and is_providers(heard.text)


def come_back(scene: Scene) -> None:
    """Send messages to this person again, and go on where they were."""
    scene.returned = True
    scene.grant_messages()
    scene.say_as_right("started")
    code = scene.answered_aside.known.get("code") if scene.answered_aside else None
    if not (code and enter_by_code(scene, str(code))):
        ask_again_or_offer(scene)


def stay_away(scene: Scene) -> None:
    """Somebody who stopped was asked whether to come back, and said no: nothing is asked."""
    scene.say_as_right("stopped")
