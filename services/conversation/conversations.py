"""What one message does, decided from top to bottom in one place.

The order is the promise (design 5): STOP and the rights before anything, then a stopped person's
silence, an open aside, an entry, the waiting question, and last the offer to register.
"""

from dataclasses import replace

from flows.inputs import Text
from flows.keywords import Keyword, Word, recognise
from flows.matching import says
from flows.normalising import normalise
from services.conversation.answering import take_answer
from services.conversation.asides import answer_aside, open_aside
from services.conversation.calling import belongs_to_case, leave_unread, note, watch_for_danger
from services.conversation.entering import enter, is_bare_code
from services.conversation.pressing import take_press, word_in
from services.conversation.scene import RIGHTS, Scene
from services.conversation.sessions import ask_again
from services.conversation.words import WHILE_STOPPED, WORDS
from services.people.belonging import asks_who, is_code, settle
from services.rights.stopping import come_back, stop

REPORTED = {"opted_out": Word.STOP, "opted_in": Word.START, "help_answered": Word.HELP}
"""What a provider that handles opt-outs itself tells us a message was."""


def handle(scene: Scene) -> None:
    """Decide what this message does and let it change the scene."""
    if scene.heard.kind in {"blocked", "unblocked"}:
        scene.address_status = "blocked" if scene.heard.kind == "blocked" else "active"
        return
    (_take_edit if scene.heard.kind == "edited" else _decide)(scene, _keyword(scene))
    if scene.needs_memory:
        return
    if scene.aside_wanted:
        open_aside(scene, scene.aside_wanted)
    settle(scene)
    watch_for_danger(scene)


def hear_again(scene: Scene) -> None:
    """Decide what earlier words mean now that nothing stands between; danger was seen before."""
    _decide(scene, _keyword(scene))
    if scene.aside_wanted and not scene.needs_memory:
        open_aside(scene, scene.aside_wanted)


def _decide(scene: Scene, keyword: Keyword | None) -> None:
    if keyword and keyword.word is Word.STOP and _is_plain(scene, keyword):
        _speak_their_language(scene, keyword)
        stop(scene)
    elif asks_who(scene, keyword):
        return
    elif scene.has_stopped:
        _while_stopped(scene, keyword)
    elif take_press(scene) or is_code(scene, keyword):
        return
    elif keyword and keyword.word in WORDS and not _may_be_an_answer(scene, keyword):
        _speak_their_language(scene, keyword)
        WORDS[keyword.word](scene, keyword)
    elif scene.aside and not is_bare_code(scene, keyword):
        answer_aside(scene)
    elif not enter(scene, keyword):
        _go_on(scene, keyword)


def _take_edit(scene: Scene, keyword: Keyword | None) -> None:
    """An old message that is changed moves nothing but STOP; who is being asked is told so."""
    if keyword and keyword.word is Word.STOP and _is_plain(scene, keyword):
        _decide(scene, keyword)
    elif scene.running and not scene.aside and not scene.has_stopped:
        scene.say("edited")
        ask_again(scene)


def _go_on(scene: Scene, keyword: Keyword | None) -> None:
    """An answer, a line for an open case, or first words: a greeting tells a language."""
    if keyword and keyword.word is Word.HELLO and not scene.heard.language:
        _speak_their_language(scene, keyword)
    (note if belongs_to_case(scene) else take_answer)(scene)


def _keyword(scene: Scene) -> Keyword | None:
    """The conversation-wide word of this message; a provider's own opt-out handling wins."""
    if scene.heard.kind in REPORTED:
        return Keyword(REPORTED[scene.heard.kind], scene.language)
    if (pressed := word_in(scene)) is not None:
        return pressed
    if isinstance(scene.heard.input, Text):
        offered = (scene.language, *scene.catalogue.languages)
        return recognise(scene.heard.input.text, offered, opted_out=scene.has_stopped)
    return None


def _is_plain(scene: Scene, keyword: Keyword) -> bool:
    """Whether this STOP needs no question back.

    END or CANCEL may be an answer: on SMS the provider has taken it for STOP already, on chat
    channels we ask, unless nothing is asked any more. STOP inside a sentence is always asked about.
    """
    decided = scene.line.kind == "sms" or scene.has_stopped
    return keyword.sure and (decided or not keyword.ambiguous)


def _may_be_an_answer(scene: Scene, keyword: Keyword) -> bool:
    """An ambiguous word other than STOP is left to the question that waits.

    So is a word that answers "Did you mean ...?": "correct" is no wish to correct something then.
    """
    running = scene.running
    if running is None or keyword.word is Word.STOP:
        return False
    heard = scene.heard.input
    guessed = running.state.guess is not None and isinstance(heard, Text)
    return keyword.ambiguous or (
        guessed and isinstance(heard, Text) and says(normalise(heard.text)) is not None
    )


def _while_stopped(scene: Scene, keyword: Keyword | None) -> None:
    """START alone brings a person back; anything else re-subscribes nobody (design 5)."""
    if scene.heard.entry and scene.catalogue.entry(scene.heard.entry):
        open_aside(scene, "come_back")
        scene.aside = scene.aside and replace(scene.aside, known={"code": scene.heard.entry})
        scene.lane = RIGHTS
    elif keyword and keyword.word is Word.START and keyword.sure:
        come_back(scene)
    elif keyword and keyword.sure and keyword.word in WHILE_STOPPED & WORDS.keys():
        WORDS[keyword.word](scene, keyword)
        scene.lane = RIGHTS
    elif scene.aside:
        answer_aside(scene)
        scene.lane = RIGHTS
    elif scene.running and scene.running.correcting:
        take_answer(scene)
        scene.lane = RIGHTS
    else:
        leave_unread(scene)


def _speak_their_language(scene: Scene, keyword: Keyword) -> None:
    """Unknown people are answered STOP, HELP and PRIVACY in the language of their word."""
    if scene.is_new and keyword.language in scene.catalogue.languages:
        scene.language = keyword.language
