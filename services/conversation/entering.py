"""What a code or a word opens, for somebody who sends it."""

from typing import Any

from flows.inputs import Text
from flows.keywords import Keyword
from services.asks import polling
from services.catalogue import Asked, Entry, Published
from services.conversation.scene import Scene
from services.conversation.sessions import ask_again, begin


def enter(scene: Scene, keyword: Keyword | None) -> bool:
    """Start what an entry code or entry word opens; False when this message holds none.

    A code also counts when it stands alone; the words of a flow do while no question waits that
    the person has begun with, or that they answer.
    """
    entry = _entry(scene, keyword)
    if entry:
        return _enter_by(scene, entry)
    heard = scene.heard.input
    if isinstance(heard, Text) and (scene.running is None or polling.is_free(scene, heard)):
        published = scene.catalogue.opened_by(heard.text)
        return published is not None and _open_flow(scene, published, None)
    return False


def is_bare_code(scene: Scene, keyword: Keyword | None) -> bool:
    """Whether the message is the code of an ask and nothing else."""
    if keyword is not None or not isinstance(scene.heard.input, Text):
        return False
    found = scene.catalogue.entry(scene.heard.input.text[:40])
    return found is not None and found.ask_id is not None


def _entry(scene: Scene, keyword: Keyword | None) -> Entry | None:
    code = scene.heard.entry or (keyword.argument if keyword else None)
    if code is None and keyword is None and isinstance(scene.heard.input, Text):
        found = scene.catalogue.entry(scene.heard.input.text[:40])
        return found if found and (found.ask_id or scene.running is None) else None
    return scene.catalogue.entry(code) if code else None


def enter_by_code(scene: Scene, code: str) -> bool:
    """Start what a code opens; False when it opens nothing."""
    entry = scene.catalogue.entry(code)
    return entry is not None and _enter_by(scene, entry)


def _enter_by(scene: Scene, entry: Entry) -> bool:
    if entry.closed:
        scene.say("code_closed")
        ask_again(scene)
        return True
    scene.aside = None
    ask = scene.catalogue.asks.get(entry.ask_id) if entry.ask_id else None
    if ask:
        polling.enter_ask(scene, ask, polling.origin_of(ask, entry))
        return True
    published = scene.catalogue.newest.get(entry.flow) or scene.catalogue.registration()
    return published is not None and _open_flow(scene, published, entry)


def _open_flow(scene: Scene, published: Published, entry: Entry | None) -> bool:
    """Begin a flow, or go on with it when the person is in it already."""
    running = scene.running
    ask: Asked | None = scene.catalogue.newest_ask(published.flow.id)
    if ask:
        polling.enter_ask(scene, ask, polling.origin_of(ask, entry))
    elif running and running.published.flow.id == published.flow.id:
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
