"""MYDATA in a conversation: the one-use link with its code, and the answers read in the chat."""

import secrets

from flows.questions.base import Question
from flows.sms import measure
from flows.state import SEALED, SKIPPED, Value
from flows.wording import as_lines, compose, say
from services.conversation.changing import label_of
from services.conversation.scene import LinkRow, Scene

CODE_DIGITS = 6
MOST_PARTS = 2
LONGEST_IN_CHAT = 900
HIDDEN = "***"


def give_link(scene: Scene) -> None:
    """Tell the kinds kept, and give a link for a day with the code that opens it once.

    Only hashes of both are stored; the message itself is stored sealed.
    """
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    scene.link = LinkRow(secrets.token_urlsafe(16), code)
    scene.say_sealed("mydata", token=scene.link.token, code=code)


def pages(scene: Scene, room: str) -> list[str]:
    """The person's answers as lines, in pages; `room` is what else stands in the message.

    A page is at most two SMS long, whatever the alphabet, or a screen of a chat.
    """
    found: list[str] = []
    for line in _lines(scene):
        longer = f"{found[-1]}\n{line}" if found else line
        if found and _fits(scene, f"{longer}\n{room}"):
            found[-1] = longer
        else:
            found.append(line)
    return found


def options_of(scene: Scene) -> str:
    """How the choices of the present question look on the screen."""
    prompt = compose(scene.parts, flow=scene.spoken_flow, language=scene.language, tag="", names={})
    return as_lines(prompt)


def value_in_words(question: Question, value: Value, language: str) -> str:
    """An answer as its question calls it; what is kept sealed is hidden."""
    if value == SKIPPED:
        return say("skip", language)
    if value == SEALED:
        return HIDDEN
    each = value if isinstance(value, list) else [value]
    return ", ".join(question.label(str(one), language) for one in each)


def _lines(scene: Scene) -> list[str]:
    memory, language = scene.memory, scene.language
    lines: list[str] = []
    for given in memory.answers if memory else ():
        question = given.published.flow.question(given.question)
        if question is not None and question.waits:
            words = value_in_words(question, given.value, language)
            lines.append(f"{label_of(question, language)}: {words}")
    return lines


def _fits(scene: Scene, text: str) -> bool:
    if scene.line.kind == "sms":
        return measure(text).parts <= MOST_PARTS
    return len(text) <= LONGEST_IN_CHAT
