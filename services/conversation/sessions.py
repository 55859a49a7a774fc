"""Starting a flow, asking its question again, and the offer to register."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from flows import engine
from flows.phones import country_of
from flows.state import Value
from models.base import new_id
from services.catalogue import Asked, Published
from services.conversation.apply import apply_events
from services.conversation.scene import Running, Scene

_NOTHING: Mapping[str, Value] = {}


def begin(
    scene: Scene,
    published: Published,
    origin: dict[str, Any],
    *,
    pausing: bool = False,
    known: Mapping[str, Value] = _NOTHING,
) -> None:
    """Start a flow for this person; one that was running ends where it is.

    With `pausing` the one that was running goes on afterwards, unless one waits for that already.
    What is `known` is not asked.
    """
    left = [scene.running] if pausing and scene.paused else [scene.running, scene.paused]
    if pausing and not scene.paused:
        left, scene.paused = [], scene.running
    elif not pausing:
        scene.paused = None
    _leave(scene, left)
    session_id = new_id(scene.now)
    state, events = engine.start(
        published.flow,
        tag=scene.next_tag(),
        language=scene.language,
        now=scene.now,
        known=known,
        hints=_hints(scene),
        seed=seed_of(session_id),
    )
    scene.running = Running(session_id, published, state, origin, touched=True)
    apply_events(scene, scene.running, events)


def seed_of(session_id: UUID) -> int:
    """Return the chance by which a passage's options are put in order: bits of its id."""
    return session_id.int & 0xFFFFFF


def _leave(scene: Scene, left: Iterable[Running | None]) -> None:
    for one in filter(None, left):
        one.status = "partial" if scene.is_consented else "stopped"
        scene.ended_sessions.append(one)


def ask_of(scene: Scene, origin: dict[str, Any]) -> Asked | None:
    """Return the ask a passage belongs to, or None for any other passage."""
    return next((a for a in scene.catalogue.asks.values() if str(a.id) == origin.get("ask")), None)


def is_over(scene: Scene, running: Running) -> bool:
    """Whether the passage belongs to an ask that takes no answers any more."""
    ask = ask_of(scene, running.origin)
    return ask is not None and not ask.is_open(scene.now)


def ask_again(scene: Scene) -> None:
    """Show the waiting question again, if one waits; one of a poll that is over waits no more."""
    running = scene.running
    if running and is_over(scene, running):
        running.status = "partial"
        scene.ended_sessions.append(running)
        scene.running, scene.paused = scene.paused, None
        running = scene.running
    if running and running.state.status == "waiting":
        running.state, events = engine.resume(running.published.flow, running.state, now=scene.now)
        apply_events(scene, running, events)


def ask_again_or_offer(scene: Scene) -> None:
    """Show the waiting question again, or offer to register."""
    if scene.running:
        ask_again(scene)
    else:
        offer(scene)


def offer(scene: Scene) -> None:
    """Register somebody who is in no flow, or thank a member for what they wrote.

    Who agreed is asked neither language nor consent again: for the sake of a poll, or in a
    registration they did not finish in time, who are told why it begins anew.
    """
    registration = scene.catalogue.registration()
    if scene.is_registered or registration is None:
        scene.say("nothing_open")
    elif scene.done or "registration" in scene.granted:
        if not scene.done:
            scene.say("expired")
        begin(scene, registration, {}, known={"language": scene.language, "consent": "yes"})
    else:
        begin(scene, registration, {})


def _hints(scene: Scene) -> dict[str, str]:
    """The country a phone number begins with: a guess, which the flow asks about."""
    scheme, _, number = scene.heard.address.partition(":")
    country = country_of(number) if scheme in {"sms", "whatsapp"} else None
    return {"country": country} if country else {}
