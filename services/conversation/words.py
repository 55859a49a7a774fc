"""What the conversation-wide words do: one function a word, and one table of them."""

from collections.abc import Callable

from flows.keywords import Keyword, Word
from services.conversation.asides import mydata, open_aside
from services.conversation.calling import call
from services.conversation.changing import change
from services.conversation.entering import enter
from services.conversation.scene import RIGHTS, Scene
from services.conversation.sessions import ask_again, ask_again_or_offer, begin
from services.people.waiting import is_held
from services.relays.offering import pass_on, remember

Handler = Callable[[Scene, Keyword], None]

WHILE_STOPPED = frozenset(
    {Word.DELETE, Word.PRIVACY, Word.HELP, Word.MYDATA, Word.CHANGE, Word.PERSON}
)
"""Rights and help are answered to people who have stopped, too."""


def _ask_about_stop(scene: Scene, keyword: Keyword) -> None:
    """A STOP that may mean something else is asked about, never ignored."""
    open_aside(scene, "stop_or_stay")


def _start(scene: Scene, keyword: Keyword) -> None:
    if not enter(scene, keyword):
        ask_again_or_offer(scene)


def _help(scene: Scene, keyword: Keyword) -> None:
    """Explain; a provider that has answered HELP itself (``help_answered``) is not repeated."""
    if scene.heard.kind != "help_answered":
        scene.say_as_right("help")
        ask_again(scene)


def _privacy(scene: Scene, keyword: Keyword) -> None:
    scene.say_as_right("privacy")
    scene.say(f"sees_{scene.line.kind}")


def _mydata(scene: Scene, keyword: Keyword) -> None:
    """What is kept; a link cannot show more to somebody we know nothing of."""
    if scene.is_new:
        scene.say_as_right("nothing_kept")
    elif not is_held(scene):
        scene.lane = RIGHTS
        mydata(scene)


def _change(scene: Scene, keyword: Keyword) -> None:
    if not is_held(scene):
        change(scene)


def _menu(scene: Scene, keyword: Keyword) -> None:
    open_aside(scene, "menu")


def _delete(scene: Scene, keyword: Keyword) -> None:
    if scene.is_new:
        scene.say_as_right("nothing_to_erase")
    elif not is_held(scene):
        open_aside(scene, "erase")


def _language(scene: Scene, keyword: Keyword) -> None:
    open_aside(scene, "language")


def _less(scene: Scene, keyword: Keyword) -> None:
    open_aside(scene, "how_often")


def _restart(scene: Scene, keyword: Keyword) -> None:
    if scene.running:
        begin(scene, scene.running.published, scene.running.origin)
    else:
        ask_again_or_offer(scene)


def _person(scene: Scene, keyword: Keyword) -> None:
    call(scene)


def _join(scene: Scene, keyword: Keyword) -> None:
    if not enter(scene, keyword):
        scene.say("code_unknown")
        ask_again_or_offer(scene)


def _relay(scene: Scene, keyword: Keyword) -> None:
    """Leaders pass polls on; whoever is unknown yet registers first, and goes on with it then."""
    if not scene.is_consented:
        scene.say("relay_first")
        ask_again_or_offer(scene)
        remember(scene, keyword.argument)
    elif not is_held(scene):
        pass_on(scene, keyword.argument)


WORDS: dict[Word, Handler] = {
    Word.STOP: _ask_about_stop,
    Word.START: _start,
    Word.HELP: _help,
    Word.PRIVACY: _privacy,
    Word.MYDATA: _mydata,
    Word.CHANGE: _change,
    Word.MENU: _menu,
    Word.DELETE: _delete,
    Word.LANGUAGE: _language,
    Word.PERSON: _person,
    Word.LESS: _less,
    Word.RESTART: _restart,
    Word.JOIN: _join,
    Word.RELAY: _relay,
}
