"""What one message does, decided from top to bottom in one place.

The order is the promise (design 5): STOP and the rights before anything, then a stopped person's
silence, an open aside, an entry, the waiting question, and last the offer to register.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flows import engine
from flows.inputs import Text
from flows.keywords import Keyword, Word, recognise
from models.base import new_id
from services.apply import apply_aside, apply_events
from services.asides import asides
from services.catalogue import Entry, Published
from services.scene import Running, Scene

WELCOME_BACK_AFTER = timedelta(hours=20)
UNHURT_BY_STOP = frozenset({Word.DELETE, Word.PRIVACY, Word.HELP, Word.MYDATA})


def handle(scene: Scene) -> None:
    """Decide what this message does and let it change the scene."""
    if scene.heard.kind in {"blocked", "unblocked"}:
        scene.address_status = "blocked" if scene.heard.kind == "blocked" else "active"
        return
    keyword = _keyword(scene)
    if keyword and keyword.word is Word.STOP and _is_plain(scene, keyword):
        _stop(scene)
    elif scene.has_stopped:
        _while_stopped(scene, keyword)
    elif keyword and _allowed(scene, keyword) and keyword.word in GLOBAL:
        GLOBAL[keyword.word](scene, keyword)
    elif scene.aside:
        _answer_aside(scene)
    elif not _enter(scene, keyword):
        _go_on(scene, keyword)


def _keyword(scene: Scene) -> Keyword | None:
    """The conversation-wide word of this message; a provider's own opt-out handling wins."""
    reported = {"opted_out": Word.STOP, "opted_in": Word.START, "help_answered": Word.HELP}
    if scene.heard.kind in reported:
        return Keyword(reported[scene.heard.kind], scene.language, sure=True)
    if isinstance(scene.heard.input, Text):
        offered = (scene.language, *scene.catalogue.languages)
        return recognise(scene.heard.input.text, offered, opted_out=scene.has_stopped)
    return None


def _is_plain(scene: Scene, keyword: Keyword) -> bool:
    """Whether this STOP needs no question back.

    END or CANCEL may be an answer: on SMS the provider has taken it for STOP already, on chat
    channels we ask. STOP inside a sentence is always asked about.
    """
    return keyword.sure and (not keyword.ambiguous or scene.line.kind == "sms")


def _allowed(scene: Scene, keyword: Keyword) -> bool:
    """An unsure STOP is asked about; other words that may be answers are left to the question."""
    return keyword.word is Word.STOP or not (keyword.ambiguous and scene.running)


# --- STOP and coming back -----------------------------------------------------------------------


def _stop(scene: Scene) -> None:
    already = scene.has_stopped
    scene.stopped = True
    scene.aside = None
    scene.language = _spoken_language(scene)
    if not already:
        scene.withdraw_messages()
    if scene.line.kind == "sms" and scene.line.stop_reply == "provider":
        return
    if scene.heard.kind == "opted_out":
        return
    scene.say_as_right("stopped")


def _while_stopped(scene: Scene, keyword: Keyword | None) -> None:
    """START alone brings a person back; anything else re-subscribes nobody (design 5)."""
    if scene.aside:
        _answer_aside(scene)
    elif scene.heard.entry and scene.catalogue.entry(scene.heard.entry):
        _open_aside(scene, "come_back")
        scene.lane = 0
    elif keyword and keyword.word is Word.START and keyword.sure:
        come_back(scene)
    elif keyword and keyword.sure and keyword.word in UNHURT_BY_STOP:
        GLOBAL[keyword.word](scene, keyword)
        scene.lane = 0


def come_back(scene: Scene) -> None:
    """Send messages to this person again, and go on where they were."""
    scene.returned = True
    scene.grant_messages()
    scene.say_as_right("started")
    _go_on_or_offer(scene)


def _ask_about_stop(scene: Scene, keyword: Keyword) -> None:
    _open_aside(scene, "stop_or_stay")


# --- words that work anywhere -------------------------------------------------------------------


def _start(scene: Scene, keyword: Keyword) -> None:
    if not _enter(scene, keyword):
        _go_on_or_offer(scene)


def _help(scene: Scene, keyword: Keyword) -> None:
    if scene.heard.kind != "help_answered":
        scene.say_as_right("help")
        _ask_again(scene)


def _privacy(scene: Scene, keyword: Keyword) -> None:
    scene.say_as_right("privacy")


def _menu(scene: Scene, keyword: Keyword) -> None:
    _open_aside(scene, "menu")


def _delete(scene: Scene, keyword: Keyword) -> None:
    if scene.is_new:
        scene.say_as_right("nothing_to_erase")
    else:
        _open_aside(scene, "erase")


def _language(scene: Scene, keyword: Keyword) -> None:
    _open_aside(scene, "language")


def _restart(scene: Scene, keyword: Keyword) -> None:
    if scene.running:
        begin(scene, scene.running.published, scene.running.origin)
    else:
        _go_on_or_offer(scene)


def _join(scene: Scene, keyword: Keyword) -> None:
    if not _enter(scene, keyword):
        scene.say("code_unknown")
        _go_on_or_offer(scene)


GLOBAL: dict[Word, Callable[[Scene, Keyword], None]] = {
    Word.STOP: _ask_about_stop,
    Word.START: _start,
    Word.HELP: _help,
    Word.PRIVACY: _privacy,
    Word.MENU: _menu,
    Word.DELETE: _delete,
    Word.LANGUAGE: _language,
    Word.RESTART: _restart,
    Word.JOIN: _join,
}


# --- asides: one question of our own beside the conversation ---------------------------------


def _open_aside(scene: Scene, name: str) -> None:
    flow = asides()[name]
    scene.aside, events = engine.start(
        flow, tag=scene.next_tag(), language=scene.language, now=scene.now
    )
    apply_aside(scene, flow, scene.aside, events)


def _answer_aside(scene: Scene) -> None:
    aside = scene.aside
    if aside is None or scene.heard.input is None:
        return
    flow = asides()[aside.flow]
    scene.aside, events = engine.step(flow, aside, scene.heard.input, scene.now)
    chosen = apply_aside(scene, flow, scene.aside, events)
    if chosen is not None:
        scene.aside = None
        action = _speak if flow.id == "language" else ASIDE_ACTIONS.get((flow.id, chosen))
        (action or _ask_again)(scene)
        if not scene.parts and not scene.stopped and not scene.erase:
            scene.say("nothing_open")
    elif scene.aside.status != "waiting" or scene.aside.attempts >= 2:
        scene.aside = None
        scene.forget_parts()
        _go_on(scene, None)


def _erase(scene: Scene) -> None:
    scene.erase = True


def _open(name: str) -> Callable[[Scene], None]:
    return lambda scene: _open_aside(scene, name)


def _speak(scene: Scene) -> None:
    scene.say("language_changed")
    _ask_again(scene)


def _say_then_ask(phrase: str) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        scene.say(phrase)
        _ask_again(scene)

    return act


def _privacy_from_menu(scene: Scene) -> None:
    scene.say_as_right("privacy")
    _ask_again(scene)


ASIDE_ACTIONS: dict[tuple[str, str], Callable[[Scene], None]] = {
    ("menu", "language"): _open("language"),
    ("menu", "privacy"): _privacy_from_menu,
    ("menu", "leave"): _stop,
    ("menu", "erase"): _open("erase"),
    ("erase", "erase"): _erase,
    ("erase", "keep"): _say_then_ask("kept"),
    ("stop_or_stay", "stop"): _stop,
    ("stop_or_stay", "erase"): _open("erase"),
    ("stop_or_stay", "stay"): _say_then_ask("stayed"),
    ("come_back", "come_back"): come_back,
}


# --- entries, the waiting question, and the offer ---------------------------------------------


def _enter(scene: Scene, keyword: Keyword | None) -> bool:
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


def _open_flow(scene: Scene, published: Published, entry: Entry | None) -> bool:
    """Begin a flow, or go on with it when the person is in it already."""
    running = scene.running
    if running and running.published.flow.id == published.flow.id:
        _ask_again(scene)
    else:
        begin(scene, published, _origin(entry))
    return True


def _origin(entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {}
    office = str(entry.office_id) if entry.office_id else None
    return {"code": entry.code, "asker": entry.asker, "office": office}


def begin(scene: Scene, published: Published, origin: dict[str, Any]) -> None:
    """Start a flow for this person; one that was running ends where it is."""
    if scene.running:
        scene.running.status = "partial" if scene.is_consented else "stopped"
        scene.ended_sessions.append(scene.running)
    state, events = engine.start(
        published.flow, tag=scene.next_tag(), language=scene.language, now=scene.now
    )
    scene.running = Running(new_id(scene.now), published, state, origin, touched=True)
    apply_events(scene, scene.running, events)


def _go_on(scene: Scene, keyword: Keyword | None) -> None:
    running = scene.running
    if running is None:
        _offer(scene)
    elif scene.heard.input is None:
        _ask_again(scene)
    elif scene.heard.kind == "message":
        _step(scene, running)


def _step(scene: Scene, running: Running) -> None:
    """Take the message as the answer to the waiting question.

    After a long pause an answer that fits is taken as usual; anything else is met with the
    question again instead of a correction, since the person may not have it before their eyes.
    """
    before = running.state
    assert scene.heard.input is not None
    running.state, events = engine.step(
        running.published.flow, before, scene.heard.input, scene.now
    )
    if _long_ago(scene) and running.state.attempts > before.attempts:
        running.state = before
        _welcome_back(scene)
    else:
        apply_events(scene, running, events)
        if scene.menu_wanted:
            _open_aside(scene, "menu")


def _long_ago(scene: Scene) -> bool:
    last = scene.standing.last_in_at
    return last is not None and scene.now - last > WELCOME_BACK_AFTER


def _welcome_back(scene: Scene) -> None:
    if _long_ago(scene):
        scene.say("welcome_back")
    _ask_again(scene)


def _ask_again(scene: Scene) -> None:
    if scene.running and scene.running.state.status == "waiting":
        running = scene.running
        running.state, events = engine.resume(running.published.flow, running.state, now=scene.now)
        apply_events(scene, running, events)


def _go_on_or_offer(scene: Scene) -> None:
    if scene.running:
        _ask_again(scene)
    else:
        _offer(scene)


def _offer(scene: Scene) -> None:
    """Somebody in no flow: register them, or thank a member for what they wrote."""
    registration = scene.catalogue.registration()
    if scene.is_consented or registration is None:
        scene.say("nothing_open")
    else:
        begin(scene, registration, {})


def _spoken_language(scene: Scene) -> str:
    """Unknown people hear STOP confirmed in the language of the word they used."""
    keyword = _keyword(scene)
    if scene.is_new and keyword and keyword.language in scene.catalogue.languages:
        return keyword.language
    return scene.language
