"""The country somebody lives in."""

from collections.abc import Mapping
from typing import ClassVar, Final

from flows.gazetteer import countries
from flows.matching import find_exact, find_like, find_near
from flows.questions.base import (
    Answer,
    At,
    Frame,
    Guess,
    Picking,
    Problem,
    Question,
    Reading,
    Shown,
)
from flows.questions.search import offered, typed_number
from flows.spec import Spec

_MOST: Final = 6


class Country(Question):
    """A country by name in any shipped language, by number, or by a pin; ISO 3166-1 alpha-2.

    `likely` lists codes that are offered as buttons; any other is typed.
    """

    type = "country"
    keys: ClassVar[tuple[str, ...]] = ("likely",)
    takes_pin = True
    help = ("help_country", "example_country")
    example: ClassVar[Mapping[str, object]] = {
        "id": "country",
        "type": "country",
        "text": {"en": "In which country do you live?"},
        "likely": ["ZA", "IE"],
    }

    def __init__(self, frame: Frame, spec: Spec) -> None:
        super().__init__(frame, spec)
        self.likely = spec.strings("likely")
        self.places = frame.places
        unknown = next((code for code in self.likely if code not in countries().names), None)
        if unknown is not None:
            raise spec.fault("likely", f"{unknown} is no country code (ISO 3166-1 alpha-2)")

    def style(self, at: At) -> str:
        return "search"

    def shown(self, at: At) -> tuple[Shown, ...]:
        return offered(at.picked or self.likely, lambda code: self.label(code, at.language))

    def read(self, text: str, normalised: str, at: At) -> Reading:
        numbered = typed_number(normalised, at.picked or self.likely)
        if numbered is not None:
            return Answer(numbered)
        table, codes = countries().table, countries().codes
        exact = find_exact(table, normalised, at.language)
        if exact is not None:
            return Answer(codes[exact])
        alike = find_like(table, normalised, most=_MOST)
        if alike:
            return _offer([codes[index] for index in alike])
        return _offer([codes[index] for index in find_near(table, normalised, most=_MOST)])

    def press(self, value: str, at: At) -> Reading | None:
        code = value.upper()
        return Answer(code) if code in countries().names else None

    def pin(self, latitude: float, longitude: float) -> Reading:
        place = self.places.nearest(latitude, longitude)
        return Problem("pin_not_known") if place is None else Guess(place.country)

    def label(self, value: str, language: str) -> str:
        return countries().name(value, language)

    def values(self) -> tuple[str, ...]:
        return tuple(code.lower() for code in countries().codes)


def _offer(codes: list[str]) -> Reading:
    if not codes:
        return Problem()
    return Guess(codes[0]) if len(codes) == 1 else Picking(tuple(codes))
