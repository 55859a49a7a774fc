"""RELAY in a conversation: what a leader may choose from, and what they chose.

The choices are made for one leader and one moment, so the aside keeps them as "value|label" in the
language they were shown in.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from flows import engine
from flows.flow import Flow, build
from flows.state import State
from flows.wording import phrase
from services.conversation.apply import apply_aside
from services.conversation.props import LEADS
from services.conversation.scene import Passing, Running, Scene

ASIDE = "relay"
REACH = "reach"
HELPER = "helper"
GROUP = "group"
IN_LANGUAGE = "in-"


def pass_on(scene: Scene, code: str | None) -> None:
    """Let a leader choose what to pass on; a code is that of their invitation."""
    scene.passing = Passing("accept", code) if code else Passing("list")


def remember(scene: Scene, code: str | None) -> None:
    """Let somebody who registers first pass polls on afterwards, by the invitation they sent."""
    if scene.running is not None:
        scene.running.origin[LEADS] = code or ""


def go_on_to_relay(scene: Scene, running: Running) -> None:
    """Go on with RELAY once everything is answered that had to come before.

    The end of a flow speaks the words of its own version, which no message mixes with a choice.
    """
    code = running.origin.pop(LEADS, None)
    if code is None:
        return
    if scene.running is None or scene.running is running:
        scene.forget_parts()
        scene.say("relay_registered")
        pass_on(scene, code or None)
    else:
        remember(scene, code)


def offer(scene: Scene, offered: Sequence[str], code: str = "") -> None:
    """Ask which one of the choices; with `code` they are about passing on that poll."""
    scene.offered = tuple(offered)
    flow = offer_of(scene.offered, scene.language)
    state, events = engine.start(flow, tag=scene.next_tag(), language=scene.language, now=scene.now)
    scene.aside = replace(state, known={"offered": list(offered), "code": code})
    apply_aside(scene, flow, scene.aside, events)


def offered_in(aside: State) -> Flow:
    """The open choice, made again."""
    offered = aside.known.get("offered")
    return offer_of(tuple(offered) if isinstance(offered, list) else (), aside.language)


@lru_cache(maxsize=256)
def offer_of(offered: tuple[str, ...], language: str) -> Flow:
    """The small flow that asks which of these is to be done."""
    options = [
        {"value": value, "label": {language: label}}
        for value, _, label in (one.partition("|") for one in offered)
    ]
    about_one = any(one.startswith(f"{HELPER}|") for one in offered)
    asked = {
        "id": ASIDE,
        "type": "choice",
        "required": "no",
        "text": {language: phrase("relay_next" if about_one else "relay_which", language)},
        "options": options,
    }
    return build({"flow": ASIDE, "kind": "aside", "languages": [language], "questions": [asked]})


def take_offer(scene: Scene) -> None:
    """Turn the chosen value into what is to be passed on."""
    chosen = scene.chosen or ""
    known = scene.answered_aside.known if scene.answered_aside else {}
    code = str(known.get("code", ""))
    if chosen == REACH:
        scene.passing = Passing("reach")
    elif chosen in (HELPER, GROUP):
        scene.passing = Passing(chosen, code)
    elif chosen.startswith(IN_LANGUAGE):
        scene.passing = Passing("text", code, chosen.removeprefix(IN_LANGUAGE))
    else:
        scene.passing = Passing("text", chosen)
