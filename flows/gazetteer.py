"""Countries and places by name in any script, from read-only files.

A `Gazetteer` is given to `flow.build`; the questions of the flow hold it. `bundled()` is the small
one of this repository; a larger file only needs another object with the same three methods.
"""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

from flows.matching import Table, build_table, find_exact, find_like, find_near

LIBRARY: Final = Path(__file__).parent / "library"
_LANGUAGES: Final = ("en", "fr", "es", "pt", "ar")
_FARTHEST_KM: Final = 400


@dataclass(frozen=True, slots=True)
class Place:
    """A town or city; `names` by language, the English one always there."""

    id: str
    country: str
    time_zone: str
    latitude: float
    longitude: float
    names: Mapping[str, str]
    also: tuple[str, ...] = ()

    def name(self, language: str) -> str:
        """The place's name in the language, else in English."""
        return self.names.get(language) or self.names["en"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: one exact `places`, or several that could be meant, best first."""

    places: tuple[Place, ...]
    exact: bool = False


class Gazetteer(Protocol):
    """Places by id, by name and by position."""

    def get(self, place_id: str) -> Place | None:
        """The place with this id, or None."""

    def search(self, text: str, *, country: str | None, language: str, most: int) -> Found:
        """Places a normalised text may mean, in one country when it is known."""

    def nearest(self, latitude: float, longitude: float) -> Place | None:
        """The place nearest to a point, or None when none is near."""


class PlaceList:
    """A Gazetteer over a list of places held in memory."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = tuple(places)
        self._by_id = {place.id: place for place in places}
        self._everywhere = _Index(self._places)
        self._by_country = {
            country: _Index([place for place in places if place.country == country])
            for country in {place.country for place in places}
        }

    def __iter__(self) -> Iterator[Place]:
        """Every place."""
        return iter(self._places)

    def get(self, place_id: str) -> Place | None:
        """The place with this id, or None."""
        return self._by_id.get(place_id)

    def search(self, text: str, *, country: str | None, language: str, most: int) -> Found:
        """Places a normalised text may mean, in one country when it is known."""
        index = self._everywhere if country is None else self._by_country.get(country)
        return Found(()) if index is None else index.search(text, language, most)

    def nearest(self, latitude: float, longitude: float) -> Place | None:
        """The place nearest to a point, or None when none is within 400 km."""
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            return None
        best = min(self._places, key=lambda place: _km(place, latitude, longitude), default=None)
        near = best is not None and _km(best, latitude, longitude) <= _FARTHEST_KM
        return best if near else None


class _Index:
    def __init__(self, places: Sequence[Place]) -> None:
        self._places = tuple(places)
        self._table: Table = build_table(
            [
                {language: (name,) for language, name in place.names.items()} | {"": place.also}
                for place in places
            ]
        )

    def search(self, text: str, language: str, most: int) -> Found:
        exact = find_exact(self._table, text, language)
        if exact is not None:
            return Found((self._places[exact],), exact=True)
        found = find_like(self._table, text, most=most) or find_near(self._table, text, most=most)
        return Found(tuple(self._places[index] for index in found))


@dataclass(frozen=True, slots=True)
class Countries:
    """The countries of the world, their names in the shipped languages and how to find them."""

    codes: tuple[str, ...]
    names: Mapping[str, Mapping[str, str]]
    table: Table

    def name(self, code: str, language: str) -> str:
        """The country's name in the language, else in English, else the code."""
        names = self.names.get(code)
        return code if names is None else names.get(language) or names["en"]


@lru_cache(maxsize=1)
def countries() -> Countries:
    """The countries of `library/countries.json` (Unicode CLDR; see the notice in that file)."""
    rows = json.loads((LIBRARY / "countries.json").read_text(encoding="utf-8"))["countries"]
    codes = tuple(rows)
    names = {code: {one: rows[code][one] for one in _LANGUAGES} for code in codes}
    table = build_table(
        [
            {one: (name,) for one, name in names[code].items()} | {"": tuple(rows[code]["also"])}
            for code in codes
        ]
    )
    return Countries(codes, names, table)


@lru_cache(maxsize=1)
def bundled() -> PlaceList:
    """The larger cities of `library/places.csv`, our own compilation of public facts."""
    with (LIBRARY / "places.csv").open(encoding="utf-8", newline="") as lines:
        return PlaceList([_place(row) for row in csv.DictReader(lines)])


def _place(row: Mapping[str, str]) -> Place:
    return Place(
        id=row["id"],
        country=row["country"],
        time_zone=row["time_zone"],
        latitude=float(row["latitude"]),
        longitude=float(row["longitude"]),
        names={one: row[one] for one in _LANGUAGES if row[one]},
        also=tuple(word for word in row["also"].split("|") if word),
    )


def _km(place: Place, latitude: float, longitude: float) -> float:
    """The distance in kilometres, well enough to tell which place is nearest."""
    apart = abs(place.longitude - longitude)
    east = min(apart, 360 - apart) * math.cos(math.radians((place.latitude + latitude) / 2))
    return 111.2 * math.hypot(place.latitude - latitude, east)
