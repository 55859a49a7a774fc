"""A phone number."""

from collections.abc import Mapping
from typing import ClassVar

from flows.phones import read_phone
from flows.questions.base import Answer, At, Frame, Problem, Question, Reading
from flows.spec import Spec


class Phone(Question):
    """A phone number, stored sealed as E.164; it is never read back, so it must be valid.

    `within` names the question that holds the country, for numbers without country code.
    """

    type = "phone"
    sample = "+27 82 123 4567"
    six_digits = True
    keys: ClassVar[tuple[str, ...]] = ("within",)
    sealed = True
    help = ("help_phone", "example_phone")
    example: ClassVar[Mapping[str, object]] = {
        "id": "callback",
        "type": "phone",
        "within": "country",
        "required": False,
        "text": {"en": "Which number may we call?"},
    }

    def __init__(self, frame: Frame, spec: Spec) -> None:
        super().__init__(frame, spec)
        self.within = spec.string("within", "")

    def read(self, text: str, normalised: str, at: At) -> Reading:
        number = read_phone(text, self.country(at))
        return Problem() if number is None else Answer(number)

    def country(self, at: At) -> str | None:
        """The country whose numbers may be written without its code."""
        value = at.answers.get(self.within) if self.within else None
        return value if isinstance(value, str) and len(value) == 2 else None
