"""The country somebody lives in."""

import re
from collections.abc import Mapping
from typing import ClassVar, Final

from flows.countries import countries, flag_in
from flows.matching import says
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
_FILLING: Final = re.compile(
    r"^(?:(?:i )?live in |(?:in )?the |in |j ?habite (?:en|au|aux) |(?:en|au|aux|la|le|les|l) "
    r"|vivo en |en |(?:moro|vivo) (?:em|no|na|nos|nas) |(?:em|no|na|nos|nas|o|a) "
    r"|اعيش في |اسكن في |في )(?=..)"
)


class Country(Question):
    """A country by name in any language, by flag or by a pin; the value is ISO 3166-1 alpha-2.

    Codes, shared short names, misspellings and towns are read back. With a hint it is asked as
    "Do you live in South Africa?". `likely` lists codes that are offered as buttons; any
    other is typed.
    """

    type = "country"
    sample = "Kenya"
    keys: ClassVar[tuple[str, ...]] = ("likely",)
    takes_pin = True
    help = ("help_country", "example_country")
    hinting = ("hint_country", "hint_right", "hint_wrong")
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
        flag = flag_in(text)
        if flag is not None:
            return Answer(flag)
        for name in dict.fromkeys((normalised, _FILLING.sub("", normalised))):
            called = countries().called(name, at.language)
            if called:
                return Answer(called[0]) if len(called) == 1 else _offer(called)
        if says(normalised) is not None:
            return Problem()
        coded = countries().coded(normalised)
        return _offer(coded or countries().like(normalised, _MOST) or self._town(text, at))

    def _town(self, text: str, at: At) -> tuple[str, ...]:
        """The country of the town that was named instead."""
        found = self.places.search(text, country=None, language=at.language, most=1)
        return (found.places[0].country,) if found.exact else ()

    def press(self, value: str, at: At) -> Reading | None:
        code = value.upper()
        return Answer(code) if code in countries().names else None

    def pin(self, latitude: float, longitude: float) -> Reading:
        place = self.places.nearest(latitude, longitude)
        return Problem("pin_not_known") if place is None else Guess(place.country)

    def takes_hint(self, value: str) -> bool:
        return value in countries().names

    def label(self, value: str, language: str) -> str:
        return countries().name(value, language)

    def values(self) -> tuple[str, ...]:
        return tuple(code.lower() for code in countries().codes)


def _offer(codes: tuple[str, ...]) -> Reading:
    if not codes:
        return Problem()
    return Guess(codes[0]) if len(codes) == 1 else Picking(codes)
