"""Whose address this is: codes that join two addresses, and a number that has a new owner.

Only what a message means is decided here; ``linking.py`` does it, outside the batch.
"""

import re

from flows.inputs import Text
from flows.keywords import Keyword, Word
from flows.normalising import normalise
from services.conversation.asides import answer_aside, open_aside
from services.conversation.scene import RIGHTS, Scene, Wish
from services.conversation.words import WHILE_STOPPED
from services.people import held_back
from services.people.waiting import is_held

TOKEN = re.compile(r"L-[A-Za-z0-9_-]{22}")
"""What a link carries: 128 random bits; no entry code looks like it."""
DIGITS = re.compile(r"[0-9]{6}")
WHO = "same_number"
HARMLESS = frozenset({Word.HELP, Word.PRIVACY})


def is_code(scene: Scene, keyword: Keyword | None) -> bool:
    """Take a message as the code that joins two addresses, if it is one."""
    code = _token(scene, keyword) or _digits(scene, keyword)
    if code is None:
        return False
    if not is_held(scene):
        scene.wish = Wish("try", code)
    return True


def asks_who(scene: Scene, keyword: Keyword | None) -> bool:
    """Ask somebody who may be new behind an old number who they are, before anything personal.

    Help and privacy are told to anybody. Who has stopped is only asked when they want something.
    """
    if not scene.unsure or (keyword and keyword.word in HARMLESS):
        return False
    asked = scene.aside is not None and scene.aside.flow == WHO
    wanted = keyword is not None and keyword.word in WHILE_STOPPED | {Word.START}
    if scene.has_stopped and not (asked or wanted or scene.heard.entry):
        return False
    if scene.has_stopped:
        scene.lane = RIGHTS
    if asked and keyword is None:
        answer_aside(scene)
    else:
        before = scene.aside
        open_aside(scene, WHO)
        held_back.hold(scene, before)
    return True


def settle(scene: Scene) -> None:
    """After a first answer, ask somebody whose number another app knows whether that is them."""
    running = scene.running
    scene.code_wanted = scene.code_wanted and not scene.answers
    if not scene.matches or not scene.answers or scene.aside or scene.stands_alone:
        return
    if running is None or running.status != "waiting":
        return
    scene.matches = False
    scene.forget_parts()
    open_aside(scene, "same_person")


def _token(scene: Scene, keyword: Keyword | None) -> str | None:
    joined = keyword.argument if keyword and keyword.word is Word.JOIN else None
    for given in (scene.heard.entry, joined):
        if given and TOKEN.fullmatch(given) and scene.catalogue.entry(given) is None:
            return given
    return None


def _digits(scene: Scene, keyword: Keyword | None) -> str | None:
    if not isinstance(scene.heard.input, Text):
        return None
    joined = keyword is not None and keyword.word is Word.JOIN
    text = keyword.argument if keyword and joined else scene.heard.input.text
    digits = _ascii_digits(normalise((text or "")[:40]))
    if not DIGITS.fullmatch(digits) or scene.catalogue.entry(digits):
        return None
    return digits if joined or scene.code_wanted or not _may_answer(scene) else None


def _ascii_digits(text: str) -> str:
    """The text without blanks and hyphens, its digits of whatever script as 0 to 9."""
    bare = text.replace(" ", "").replace("-", "")
    if bare.isascii():
        return bare
    return "".join(str(int(each)) if each.isdecimal() else each for each in bare)


def _may_answer(scene: Scene) -> bool:
    """Whether six digits may answer the waiting question."""
    running = scene.running
    question = running.published.flow.question(running.state.asked) if running else None
    return scene.aside is None and question is not None and question.six_digits
