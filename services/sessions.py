"""Starting a flow, taking an answer in it, asking again, and the offer to register."""

from datetime import timedelta
from typing import Any

from flows import engine
from flows.inputs import Text
from flows.keywords import Keyword
from flows.phones import country_of
from models.base import new_id
from services.apply import apply_events
from services.catalogue import Entry, Published
from services.scene import Running, Scene

WELCOME_BACK_AFTER = timedelta(hours=20)


def enter(scene: Scene, keyword: Keyword | None) -> bool:
    """Start what an entry code or entry word opens; False when this message holds none."""
    code = scene.heard.entry or (keyword.argument if keyword else None)
    entry = scene.catalogue.entry(code) if code else None
    if entry:
        published = scene.catalogue.newest.get(entry.flow) or scene.catalogue.registration()
        return published is not None and _open_flow(scene, published, entry)
    if scene.running is None and isinstance(scene.heard.input, Text):
        published = scene.catalogue.opened_by(scene.heard.input.text)
        return published is not None and _open_flow(scene, published, None)
    return False


def begin(scene: Scene, published: Published, origin: dict[str, Any]) -> None:
    """Start a flow for this person; one that was running ends where it is."""
    for left in filter(None, (scene.running, scene.paused)):
        left.status = "partial" if scene.is_consented else "stopped"
        scene.ended_sessions.append(left)
    scene.paused = None
    state, events = engine.start(
        published.flow,
        tag=scene.next_tag(),
        language=scene.language,
        now=scene.now,
        hints=_hints(scene),
    )
    scene.running = Running(new_id(scene.now), published, state, origin, touched=True)
    apply_events(scene, scene.running, events)


def take_answer(scene: Scene) -> None:
    """Take the message as the answer to the waiting question, or offer to register.

    After a long pause an answer that fits is taken as usual; anything else is met with the
    question again instead of a correction, since the person may not have it before their eyes.
    """
    running = scene.running
    if running is None and scene.secret:
        scene.say("voted_already")
    elif running is None:
        offer(scene)
    elif scene.heard.input is None:
        ask_again(scene)
    elif scene.heard.kind == "message":
        before = running.state
        running.state, events = engine.step(
            running.published.flow, before, scene.heard.input, scene.now
        )
        if _long_ago(scene) and running.state.attempts > before.attempts:
            running.state = before
            scene.say("welcome_back")
            ask_again(scene)
        else:
            apply_events(scene, running, events)
            _settle(scene, running)


def _settle(scene: Scene, running: Running) -> None:
    """A correction that is done gives way to what it interrupted."""
    if running.correcting in (None, running.state.asked):
        return
    running.correcting = None
    if running.status != "waiting" and scene.paused:
        scene.ended_sessions.append(running)
        scene.running, scene.paused = scene.paused, None
        ask_again(scene)


def ask_again(scene: Scene) -> None:
    """Show the waiting question again, if one waits."""
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
    """Register somebody who is in no flow, or thank a member for what they wrote."""
    registration = scene.catalogue.registration()
    if scene.is_registered or registration is None:
        scene.say("nothing_open")
    else:
        begin(scene, registration, {})


def _open_flow(scene: Scene, published: Published, entry: Entry | None) -> bool:
    """Begin a flow, or go on with it when the person is in it already."""
    running = scene.running
    if running and running.published.flow.id == published.flow.id:
        ask_again(scene)
    elif published.flow.kind == "registration" and scene.is_registered:
        scene.say("registered_already")
        ask_again(scene)
    else:
        begin(scene, published, _origin(entry))
    return True


def _origin(entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {}
    office = str(entry.office_id) if entry.office_id else None
    return {"code": entry.code, "asker": entry.asker, "office": office}


def _hints(scene: Scene) -> dict[str, str]:
    """The country a phone number begins with: a guess, which the flow asks about."""
    scheme, _, number = scene.heard.address.partition(":")
    country = country_of(number) if scheme in {"sms", "whatsapp"} else None
    return {"country": country} if country else {}


def _long_ago(scene: Scene) -> bool:
    last = scene.standing.last_in_at
    return last is not None and scene.now - last > WELCOME_BACK_AFTER
