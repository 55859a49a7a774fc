"""A whole number."""

from collections.abc import Mapping
from typing import ClassVar, Final

from flows.errors import FlowInvalid
from flows.figures import Maybe, read_count
from flows.normalising import normalise
from flows.questions.base import Answer, At, Frame, Guess, Problem, Question, Reading
from flows.spec import Spec
from flows.state import Value

_MOST: Final = 999_999


class Number(Question):
    """A whole number from `min` to `max`, in any script's digits or in words; `unit` may follow it.

    Words put together and thousands with a mark are read back.
    """

    type = "number"
    sample = "12"
    ordered = True
    six_digits = True
    keys: ClassVar[tuple[str, ...]] = ("min", "max", "unit")
    help = ("help_number", "example_number")
    example: ClassVar[Mapping[str, object]] = {
        "id": "household",
        "type": "number",
        "text": {"en": "How many people live with you?"},
        "min": 0,
        "max": 40,
        "unit": {"en": ["people", "of us"]},
    }

    def __init__(self, frame: Frame, spec: Spec) -> None:
        super().__init__(frame, spec)
        self.least = spec.number("min", default=0, least=0, most=_MOST)
        self.most = spec.number("max", default=_MOST, least=0, most=_MOST)
        words = spec.words("unit")
        self.units = frozenset(
            word for listed in words.values() for one in listed for word in normalise(one).split()
        )
        if self.least >= self.most:
            raise FlowInvalid(spec.at("min"), "is not less than max")

    def read(self, text: str, normalised: str, at: At) -> Reading:
        found = read_count(text, self.units)
        if found is None:
            return Problem()
        value = found.value if isinstance(found, Maybe) else found
        if not self.least <= value <= self.most:
            return Problem("number_between", {"least": str(self.least), "most": str(self.most)})
        return Guess(str(value)) if isinstance(found, Maybe) else Answer(value)

    def confirmed(self, value: str) -> Value:
        return int(value)
