"""Free text, typed or spoken."""

from collections.abc import Mapping
from typing import ClassVar, Final

from flows.inputs import Attachment
from flows.questions.base import Answer, At, Frame, Problem, Question, Reading
from flows.spec import Spec

SPOKEN: Final = "(voice)"
"""What stands for the words of a voice note; nobody writes down what is said in it."""
LONGEST_SECONDS: Final = 120
LARGEST_BYTES: Final = 1_000_000


class FreeText(Question):
    """Words in the person's own way, stored sealed; at most `longest` characters.

    A voice note of at most two minutes counts as well. What looks like the number of a paper or a
    card is taken out before it is stored.
    """

    type = "text"
    sample = "A few words"
    six_digits = True
    keys: ClassVar[tuple[str, ...]] = ("longest",)
    sealed = True
    redacts = True
    example: ClassVar[Mapping[str, object]] = {
        "id": "why",
        "type": "text",
        "required": False,
        "text": {"en": "Why Saturday?", "fr": "Pourquoi le samedi ?"},
    }

    def __init__(self, frame: Frame, spec: Spec) -> None:
        super().__init__(frame, spec)
        self.longest = spec.number("longest", default=480, least=1, most=2000)

    def read(self, text: str, normalised: str, at: At) -> Reading:
        if not text:
            return Problem()
        if len(text) > self.longest:
            return Problem("too_long", {"most": str(self.longest)})
        return Answer(text)

    def attachment(self, given: Attachment) -> Reading:
        if given.kind != "voice" or given.file is None:
            return super().attachment(given)
        if (given.seconds or 0) > LONGEST_SECONDS or (given.size or 0) > LARGEST_BYTES:
            return Problem("voice_too_long", counts=False)
        return Answer(SPOKEN, given.file)
