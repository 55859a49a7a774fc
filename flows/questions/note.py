"""Something said, nothing asked."""

from collections.abc import Mapping
from typing import ClassVar

from flows.questions.base import At, Problem, Question, Reading


class Note(Question):
    """A text that is shown on the way; the conversation does not wait for it."""

    type = "note"
    waits = False
    counted = False
    returns = False
    example: ClassVar[Mapping[str, object]] = {
        "id": "thanks",
        "type": "note",
        "text": {"en": "Thank you. You will hear from us by Friday."},
    }

    def read(self, text: str, normalised: str, at: At) -> Reading:
        return Problem()
