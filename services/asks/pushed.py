"""What a sending brought to a person, answered from there: its buttons, however late they come.

A message of a sending is found again by the provider's id of it, or by the tag of its buttons, in
`Memory.sent`; so a button means the poll it stands under, whatever has begun since.
"""

from collections.abc import Mapping
from typing import Any

from flows import engine
from flows.inputs import Pressed
from services.asks.polling import NOT_NOW, enter_ask, leave_over, origin_of, tell_truth
from services.catalogue import Asked
from services.conversation.answering import settle
from services.conversation.apply import apply_events
from services.conversation.props import Sent
from services.conversation.scene import Scene
from services.conversation.sessions import ask_again, ask_again_or_offer, ask_of, is_over

RESULT = "result"


def open_pushed(scene: Scene) -> None:
    """Ask in full what an invitation only named, and say before whose question it is."""
    scene.aside, running = None, scene.running
    ask = ask_of(scene, running.origin) if running and "broadcast" in running.origin else None
    if running and ask and is_over(scene, running):
        leave_over(scene, running)
    elif running and ask:
        if not running.state.answers:
            tell_truth(scene, ask, running.origin)
        ask_again(scene)
    elif scene.recalls():
        sent = _pressed_on(scene)
        found = _asked_in(scene, sent.content) if sent else None
        if found:
            enter_ask(scene, *found)
        else:
            ask_again_or_offer(scene)


def read_result(scene: Scene) -> None:
    """Say what a template only announced: the result, and what is done with it."""
    scene.aside = None
    if not scene.recalls():
        return
    told = [one for one in _sent(scene) if _template(one) == RESULT]
    sent = _pressed_on(scene) or next(iter(told), None)
    if sent is None or _template(sent) != RESULT:
        ask_again_or_offer(scene)
        return
    scene.parts.extend(sent.content["parts"])
    scene.secrets["result"] = sent.content["code"]
    ask_again(scene)


def answer_pushed(scene: Scene) -> bool:
    """Take a button of an earlier sending as the answer to its own poll; False for any other."""
    heard = scene.heard.input
    if not isinstance(heard, Pressed) or not _is_earlier(scene, heard.payload):
        return False
    if not scene.recalls():
        return True
    tag, _, pressed = heard.payload.partition(".")
    sent = next((one for one in _sent(scene) if one.content.get("tag") == tag), None)
    found = _asked_in(scene, sent.content) if sent else None
    if found is None:
        return False
    scene.aside = None
    if pressed.endswith(f".{NOT_NOW}"):
        scene.say("poll_later", code=found[0].code.upper())
        ask_again(scene)
        return True
    enter_ask(scene, *found)
    _step(scene, found[0], pressed)
    return True


def _step(scene: Scene, ask: Asked, pressed: str) -> None:
    """Let the passage that has just begun take the button; what it would have asked is known."""
    running = scene.running
    if running is None or running.origin.get("ask") != str(ask.id):
        return
    scene.forget_parts()
    heard = Pressed(f"{running.state.tag}.{pressed}")
    running.state, events = engine.step(running.published.flow, running.state, heard, scene.now)
    apply_events(scene, running, events)
    settle(scene, running)


def _is_earlier(scene: Scene, payload: str) -> bool:
    """Whether a button may stand under another poll than the one that waits or was just done."""
    tag, _, rest = payload.partition(".")
    question, _, value = rest.partition(".")
    present = (scene.running, scene.paused, scene.done)
    if not value or tag in {one.state.tag for one in present if one}:
        return False
    if scene.aside and scene.aside.tag == tag:
        return False
    versions = (scene.catalogue.version(ask.version_id) for ask in scene.catalogue.asks.values())
    return any(one and one.flow.question(question) for one in versions)


def _asked_in(scene: Scene, content: Mapping[str, Any]) -> tuple[Asked, dict[str, Any]] | None:
    """The ask that a message of a sending asks, and where a passage from there comes from."""
    code = content.get("code")
    ask = next((one for one in scene.catalogue.asks.values() if one.code == code), None)
    if ask is None:
        return None
    came = {name: content[name] for name in ("broadcast", "code", "asker") if name in content}
    return ask, origin_of(ask) | came


def _pressed_on(scene: Scene) -> Sent | None:
    """The message whose button was pressed, if a sending sent it."""
    wanted = scene.heard.pressed_message
    return next((one for one in _sent(scene) if wanted and one.provider_id == wanted), None)


def _sent(scene: Scene) -> tuple[Sent, ...]:
    return tuple(scene.memory.sent) if scene.memory else ()


def _template(sent: Sent) -> str:
    return str((sent.content.get("template") or {}).get("name", ""))
