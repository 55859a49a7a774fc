"""Countries and places by name in any script, from read-only files.

A `Gazetteer` is given to `flow.build`; the questions of the flow hold it. `bundled()` is the one of
this repository: the towns of `flows/towns.py`, found by `flows/place_search.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, Protocol

from flows.place_search import Search
from flows.towns import LANGUAGES, Towns

LIBRARY: Final = Path(__file__).parent / "library"


@dataclass(frozen=True, slots=True)
class Place:
    """A town or city; `names` by language, the English one always there.

    `region` is GeoNames' code of its first-level region, such as ZA.11, and `region_name` what that
    is called in English; both may be empty.
    """

    id: str
    country: str
    time_zone: str
    latitude: float
    longitude: float
    names: Mapping[str, str]
    region: str = ""
    region_name: str = ""
    population: int = 0
    shares_name: bool = False
    """Whether another town of the country is shown by the same name."""

    def name(self, language: str) -> str:
        """The place's name in the language, else in English."""
        return self.names.get(language) or self.names["en"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: one `exact` place, or several that could be meant, best first."""

    places: tuple[Place, ...]
    exact: bool = False


class Gazetteer(Protocol):
    """Places by id, by name and by position."""

    def get(self, place_id: str) -> Place | None:
        """The place with this id, or None."""

    def search(self, text: str, *, country: str | None, language: str, most: int) -> Found:
        """Places a typed text may mean, in one country when it is known."""

    def nearest(self, latitude: float, longitude: float) -> Place | None:
        """The place nearest to a point, or None when none is near."""


class TownGazetteer:
    """A Gazetteer over the file of towns, which is read when it is first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, place_id: str) -> Place | None:
        """The place with this id, or None; ids are GeoNames'."""
        town = _towns(self._path).index(place_id)
        return None if town is None else _place(self._path, town)

    def search(self, text: str, *, country: str | None, language: str, most: int) -> Found:
        """Places a typed text may mean, in one country when it is known."""
        towns, exact = _search(self._path).find(text, country, most)
        return Found(tuple(_place(self._path, town) for town in towns), exact)

    def nearest(self, latitude: float, longitude: float) -> Place | None:
        """The place nearest to a point, or None when none is within 400 km."""
        town = _towns(self._path).nearest(latitude, longitude)
        return None if town is None else _place(self._path, town)

    @cached_property
    def _zones(self) -> Mapping[str, str]:
        towns = _towns(self._path)
        largest: dict[str, int] = {}
        for town, people in enumerate(towns.populations):
            country = towns.country(town)
            if country not in largest or people > towns.populations[largest[country]]:
                largest[country] = town
        return {country: towns.zone(town) for country, town in largest.items()}

    def zone_of(self, country: str) -> str | None:
        """The time zone of a country's biggest town, or None when there is none."""
        return self._zones.get(country)


@lru_cache(maxsize=1)
def bundled() -> TownGazetteer:
    """The towns of `library/gazetteer.bin.gz`: GeoNames, CC BY 4.0, see `library/LICENCES.md`."""
    return TownGazetteer(LIBRARY / "gazetteer.bin.gz")


@lru_cache(maxsize=2)
def _towns(path: Path) -> Towns:
    return Towns(path)


@lru_cache(maxsize=2)
def _search(path: Path) -> Search:
    return Search(_towns(path))


@lru_cache(maxsize=2048)
def _place(path: Path, town: int) -> Place:
    towns = _towns(path)
    latitude, longitude = towns.point(town)
    region, region_name = towns.region(town)
    names = {one: name for one, name in zip(LANGUAGES, towns.shown(town), strict=True) if name}
    return Place(
        id=str(towns.ids[town]),
        country=towns.country(town),
        time_zone=towns.zone(town),
        latitude=latitude,
        longitude=longitude,
        names=names,
        region=region,
        region_name=region_name,
        population=towns.populations[town],
        shares_name=_search(path).shares_name(town),
    )


def warm_up() -> None:
    """Read the bundled towns now, so that nobody's first place answer waits for it."""
    bundled().search("a", country=None, language="en", most=1)
