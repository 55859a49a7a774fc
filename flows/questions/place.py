"""The town or city somebody lives in."""

from collections.abc import Mapping
from typing import ClassVar, Final

from flows.countries import countries
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
from flows.state import SKIPPED, Value

_MOST: Final = 6


class PlaceQuestion(Question):
    """A town by name or pin; the value is its id in GeoNames. A pin is rounded to the nearest town.

    Only a name that one town bears is taken at once; whatever else is found is read back or
    offered. `within` names the question that holds the country; then only its towns are looked
    at.
    """

    type = "place"
    sample = "Nairobi"
    six_digits = True
    keys: ClassVar[tuple[str, ...]] = ("within",)
    takes_pin = True
    help = ("help_place", "example_place")
    example: ClassVar[Mapping[str, object]] = {
        "id": "place",
        "type": "place",
        "within": "country",
        "required": False,
        "text": {"en": "Which town or city?"},
    }

    def __init__(self, frame: Frame, spec: Spec) -> None:
        super().__init__(frame, spec)
        self.within = spec.string("within", "")
        self.places = frame.places

    def style(self, at: At) -> str:
        return "search"

    def shown(self, at: At) -> tuple[Shown, ...]:
        return offered(at.picked, lambda one: self.label(one, at.language))

    def read(self, text: str, normalised: str, at: At) -> Reading:
        numbered = typed_number(normalised, at.picked)
        if numbered is not None:
            return Answer(numbered)
        country = at.answers.get(self.within) if self.within else None
        found = self.places.search(
            text,
            country=country if isinstance(country, str) and len(country) == 2 else None,
            language=at.language,
            most=_MOST,
        )
        if not found.places:
            return Problem()
        if found.exact:
            return Answer(found.places[0].id)
        if len(found.places) == 1:
            return Guess(found.places[0].id)
        return Picking(tuple(place.id for place in found.places))

    def press(self, value: str, at: At) -> Reading | None:
        return Answer(value) if self.places.get(value) else None

    def pin(self, latitude: float, longitude: float) -> Reading:
        place = self.places.nearest(latitude, longitude)
        return Problem("pin_not_known") if place is None else Guess(place.id)

    def fits(self, value: Value, answers: Mapping[str, Value]) -> bool:
        """A town lies in the country given; whoever moved abroad is asked for the town anew."""
        country, place = answers.get(self.within), self.places.get(str(value))
        return place is None or not isinstance(country, str) or country in (SKIPPED, place.country)

    def label(self, value: str, language: str) -> str:
        place = self.places.get(value)
        if place is None:
            return value
        name = place.name(language)
        if place.shares_name and place.region_name:
            region = f"{name}, {place.region_name}"
            return region if self.within else f"{region}, {place.country}"
        return name if self.within else f"{name}, {countries().name(place.country, language)}"
