"""Our own small questions beside a conversation: the menu, "erase?", "stop or stay?" and the like.

They are flows of ``kind: aside`` with one question, shipped in ``flows/library/asides``. They run
on the same engine as everything else; their answers are actions (``CHOICES``) and are not stored.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from flows import engine
from flows.flow import Flow
from flows.gazetteer import LIBRARY
from flows.inputs import Pressed
from flows.loader import load
from flows.state import State
from services.conversation.answering import take_answer
from services.conversation.apply import apply_aside, apply_events
from services.conversation.calling import call
from services.conversation.changing import ASIDE as CHANGE
from services.conversation.changing import aside_in, change, correct, give_up
from services.conversation.scene import Scene, Wish
from services.conversation.sessions import ask_again, begin
from services.people.waiting import holds_choice
from services.relays.offering import ASIDE as OFFER
from services.relays.offering import offered_in, take_offer
from services.rights.stopping import come_back, stay_away, stop
from services.rights.telling import give_link, options_of, pages

GIVE_UP_AFTER = 2
ASIDES_IN_PASSING = frozenset({"resume"})
"""Asides that the first answer which fits nothing closes: it is meant for what waited before."""
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
    flow = _flow_of(scene, aside)
    if scene.needs_memory:
        return
    if flow is None:
        scene.aside = None
        take_answer(scene)
        return
    scene.aside, events = engine.step(flow, aside, scene.heard.input, scene.now)
    chosen = apply_aside(scene, flow, scene.aside, events)
    if chosen is not None:
        scene.chosen, scene.answered_aside, scene.aside = chosen, scene.aside, None
        _act(scene, flow.id, chosen)
        _break_silence(scene)
    elif scene.aside.status != "waiting":
        scene.aside = None
        (give_up if flow.id == CHANGE else ask_again)(scene)
        _break_silence(scene)
    elif scene.aside.attempts >= _patience(flow) and not scene.unsure:
        scene.aside = None
        scene.forget_parts()
        take_answer(scene)


def _flow_of(scene: Scene, aside: State) -> Flow | None:
    if aside.flow == OFFER:
        return offered_in(aside)
    return aside_in(scene) if aside.flow == CHANGE else asides()[aside.flow]


def _act(scene: Scene, aside: str, chosen: str) -> None:
    if not holds_choice(scene, aside, chosen):
        (CHOICES.get((aside, chosen)) or CHOICES.get((aside, "*"), ask_again))(scene)


def _break_silence(scene: Scene) -> None:
    if not scene.has_effect and not scene.needs_memory:
        scene.say("nothing_open")


def _patience(flow: Flow) -> int:
    return 1 if flow.id in ASIDES_IN_PASSING else GIVE_UP_AFTER


def _open(name: str) -> Act:
    return lambda scene: open_aside(scene, name)


def _say_then_ask(phrase: str) -> Act:
    def act(scene: Scene) -> None:
        scene.say(phrase)
        ask_again(scene)

    return act


def privacy(scene: Scene) -> None:
    """Say who keeps what and how long, and what the company behind this channel sees."""
    scene.say("privacy")
    scene.say(f"sees_{scene.line.kind}")
    ask_again(scene)


def mydata(scene: Scene) -> None:
    """Say what is kept, give a link to all of it, and offer to read the answers here."""
    give_link(scene)
    open_aside(scene, "mydata")


def _read_here(scene: Scene) -> None:
    """Show one page of the person's answers; asking again shows the next."""
    if not scene.recalls():
        return
    open_aside(scene, "mydata")
    found = pages(scene, options_of(scene))
    page = int(str(scene.answered_aside.known.get("page", 0))) if scene.answered_aside else 0
    question = scene.parts.pop()
    if found:
        scene.say_sealed("your_answers", answers=found[page % len(found)])
        scene.aside = scene.aside and replace(scene.aside, known={"page": page + 1})
    else:
        scene.say("no_answers")
    scene.parts.append(question)


def _wish(kind: str) -> Act:
    def act(scene: Scene) -> None:
        scene.wish = Wish(kind)

    return act


def _begin_module(scene: Scene) -> None:
    """Ask the questions of the chosen topic, once nothing else is waiting."""
    published = scene.catalogue.newest.get(f"module-{scene.chosen}")
    if scene.running:
        scene.say("finish_first")
        ask_again(scene)
    elif published is None:
        scene.say("nothing_open")
    else:
        begin(scene, published, {})


def _write_less(scene: Scene) -> None:
    """Keep how many asks a month the person wants; alerts, which are no asks, stay as they are."""
    chosen = scene.chosen or ""
    scene.profile["monthly_cap"] = int(chosen) if chosen.isdecimal() else 0
    if chosen.isdecimal():
        scene.say("how_often_changed", most=chosen)
    else:
        scene.say("only_urgent")
    ask_again(scene)


def _erase(scene: Scene) -> None:
    scene.erase = True


def _tell_more(scene: Scene) -> None:
    """Give the longer text of the consent that waits."""
    running = scene.running
    if running and running.state.status == "waiting":
        flow, state = running.published.flow, running.state
        press = Pressed(f"{state.tag}.{state.asked}.more")
        running.state, events = engine.step(flow, state, press, scene.now)
        apply_events(scene, running, events)


def _refuse(scene: Scene) -> None:
    scene.leave("refused")


def _begin_again(scene: Scene) -> None:
    if scene.running:
        begin(scene, scene.running.published, scene.running.origin)


CHOICES: dict[tuple[str, str], Act] = {
    ("menu", "language"): _open("language"),
    ("menu", "mydata"): mydata,
    ("menu", "change"): change,
    ("menu", "person"): call,
    ("mydata", "read"): _read_here,
    ("mydata", "change"): change,
    ("mydata", "privacy"): privacy,
    (CHANGE, "*"): correct,
    (OFFER, "*"): take_offer,
    ("renewal", "right"): _say_then_ask("renewed"),
    ("renewal", "change"): change,
    ("renewal", "erase"): _open("erase"),
    ("menu", "leave"): _open("stop_or_stay"),
    ("menu", "erase"): _open("erase"),
    ("menu", "again"): ask_again,
    ("menu", "link"): _open("link"),
    ("menu", "questions"): _open("modules"),
    ("modules", "*"): _begin_module,
    ("link", "link"): _wish("link"),
    ("link", "code"): _wish("code"),
    ("same_person", "me"): _wish("other"),
    ("same_person", "somebody_else"): _say_then_ask("not_merged"),
    ("same_number", "me"): _wish("known"),
    ("same_number", "new_owner"): _wish("new_owner"),
    ("language", "*"): _say_then_ask("language_changed"),
    ("refuse", "more"): _tell_more,
    ("refuse", "refuse"): _refuse,
    ("erase", "erase"): _erase,
    ("erase", "keep"): _say_then_ask("kept"),
    ("stop_or_stay", "stop"): stop,
    ("stop_or_stay", "erase"): _open("erase"),
    ("stop_or_stay", "less"): _open("how_often"),
    ("stop_or_stay", "stay"): _say_then_ask("stayed"),
    ("how_often", "*"): _write_less,
    ("come_back", "come_back"): come_back,
    ("come_back", "stay_away"): stay_away,
    ("resume", "start_again"): _begin_again,
}
