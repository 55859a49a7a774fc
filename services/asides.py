"""Our own small questions beside a conversation: the menu, "erase?", "stop or stay?" and the like.

They are flows of ``kind: aside`` with one question, shipped in ``flows/library/asides``. They run
on the same engine as everything else; their answers are actions (``CHOICES``) and are not stored.
"""

from collections.abc import Callable, Mapping
from functools import cache

from flows import engine
from flows.flow import Flow
from flows.gazetteer import LIBRARY
from flows.loader import load
from services.apply import apply_aside
from services.scene import Scene
from services.sessions import ask_again, begin, take_answer
from services.stopping import come_back, stop

GIVE_UP_AFTER = 2
Act = Callable[[Scene], None]


@cache
def asides() -> Mapping[str, Flow]:
    """Every shipped aside by its name."""
    return {path.stem: load(path) for path in sorted((LIBRARY / "asides").glob("*.yaml"))}


def open_aside(scene: Scene, name: str) -> None:
    """Ask a small question of ours; what was waiting waits on."""
    flow = asides()[name]
    scene.aside, events = engine.start(
        flow, tag=scene.next_tag(), language=scene.language, now=scene.now
    )
    apply_aside(scene, flow, scene.aside, events)


def answer_aside(scene: Scene) -> None:
    """Take the message as the answer to the open aside.

    Two answers that fit nothing close it: the person is rather answering what waited before.
    """
    aside = scene.aside
    if aside is None or scene.heard.input is None:
        return
    flow = asides()[aside.flow]
    scene.aside, events = engine.step(flow, aside, scene.heard.input, scene.now)
    chosen = apply_aside(scene, flow, scene.aside, events)
    if chosen is not None:
        scene.aside = None
        (CHOICES.get((flow.id, chosen)) or CHOICES.get((flow.id, "*"), ask_again))(scene)
        if not scene.has_effect:
            scene.say("nothing_open")
    elif scene.aside.status != "waiting":
        scene.aside = None
        ask_again(scene)
    elif scene.aside.attempts >= GIVE_UP_AFTER:
        scene.aside = None
        scene.forget_parts()
        take_answer(scene)


def _open(name: str) -> Act:
    return lambda scene: open_aside(scene, name)


def _say_then_ask(phrase: str) -> Act:
    def act(scene: Scene) -> None:
        scene.say(phrase)
        ask_again(scene)

    return act


def _erase(scene: Scene) -> None:
    scene.erase = True


def _begin_again(scene: Scene) -> None:
    if scene.running:
        begin(scene, scene.running.published, scene.running.origin)


CHOICES: dict[tuple[str, str], Act] = {
    ("menu", "language"): _open("language"),
    ("menu", "privacy"): _say_then_ask("privacy"),
    ("menu", "leave"): stop,
    ("menu", "erase"): _open("erase"),
    ("menu", "again"): ask_again,
    ("language", "*"): _say_then_ask("language_changed"),
    ("erase", "erase"): _erase,
    ("erase", "keep"): _say_then_ask("kept"),
    ("stop_or_stay", "stop"): stop,
    ("stop_or_stay", "erase"): _open("erase"),
    ("stop_or_stay", "stay"): _say_then_ask("stayed"),
    ("come_back", "come_back"): come_back,
    ("resume", "start_again"): _begin_again,
}
