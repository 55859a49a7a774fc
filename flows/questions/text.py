"""Free text."""

from collections.abc import Mapping
from typing import ClassVar

from flows.questions.base import Answer, At, Frame, Problem, Question, Reading
from flows.spec import Spec


class FreeText(Question):
    """Words in the person's own way, stored sealed; at most `longest` characters.

    What looks like the number of a paper or a card is taken out before it is stored.
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
