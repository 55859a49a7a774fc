"""The towns of the world in one compact file, read when the first is asked for.

`library/gazetteer.bin.gz`, made by `tools/build_gazetteer.py`: a line of JSON with the notice, the
time zones, the regions and the size of each section, then the sections. Columns are arrays in
order of id; names are one block of normalised lines in order, found by bisection, so that 345,000
of them need a few megabytes. A name's references are `place << SHIFT`, with PRIMARY when the town
is shown by that name and NEARBY when a smaller town of the name is near.
"""

import gzip
import json
import math
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SHIFT: Final = 2
PRIMARY: Final = 1
NEARBY: Final = 2
LANGUAGES: Final = ("en", "fr", "es", "pt", "ar")
_KM_PER_DEGREE: Final = 111.2
_BOXES: Final = (0.3, 1.0, 3.6)
"""Half the height in degrees of the areas looked at, one after the other, round a point."""


@dataclass(frozen=True, slots=True)
class Named:
    """A town that bears a name: its index, whether shown by it, whether only near it."""

    town: int
    primary: bool
    nearby: bool


class _Names(Sequence[bytes]):
    """The block of names as a sequence, for bisection."""

    def __init__(self, block: bytes, starts: "array[int]") -> None:
        self._block, self._starts = block, starts

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, place: Any) -> Any:
        return self._block[self._starts[place] : self._starts[place + 1] - 1]

    def between(self, first: int, last: int) -> list[str]:
        """The names of a range."""
        block = self._block[self._starts[first] : self._starts[last]]
        return block.decode().split("\n")[:-1]


class Towns:
    """The file as columns; a town is known by its index."""

    def __init__(self, path: Path) -> None:
        data = gzip.decompress(path.read_bytes())
        line, _, rest = data.partition(b"\n")
        head = json.loads(line)
        del data
        sections: dict[str, bytes] = {}
        start = 0
        for name, size in head["sections"].items():
            sections[name] = rest[start : start + size]
            start += size
        self.zones: tuple[str, ...] = tuple(head["zones"])
        self.regions: tuple[tuple[str, str], ...] = tuple(map(tuple, head["regions"]))
        self.ids = _numbers("I", sections["ids"])
        self.populations = _numbers("I", sections["populations"])
        self._countries = sections["countries"]
        self._regions = _numbers("H", sections["regions"])
        self._zones = _numbers("H", sections["zones"])
        self._latitudes = _numbers("h", sections["latitudes"])
        self._longitudes = _numbers("h", sections["longitudes"])
        self._shown, self._shown_at = sections["shown"], _numbers("I", sections["shown_at"])
        self._names = _Names(sections["names"], _numbers("I", sections["names_at"]))
        self._refs = _numbers("I", sections["refs"])
        self._refs_at = _numbers("I", sections["refs_at"])

    def __len__(self) -> int:
        """How many towns there are."""
        return len(self.ids)

    def index(self, place_id: str) -> int | None:
        """The index of the town with this id, or None."""
        if not (place_id.isascii() and place_id.isdigit() and len(place_id) <= 10):
            return None
        place = bisect_left(self.ids, int(place_id))
        return place if place < len(self.ids) and self.ids[place] == int(place_id) else None

    def country(self, town: int) -> str:
        """The country of a town, ISO 3166-1 alpha-2."""
        return self._countries[2 * town : 2 * town + 2].decode()

    def region(self, town: int) -> tuple[str, str]:
        """The code and the name of a town's region; both empty when unknown."""
        return self.regions[self._regions[town]]

    def zone(self, town: int) -> str:
        """The time zone of a town."""
        return self.zones[self._zones[town]]

    def point(self, town: int) -> tuple[float, float]:
        """Latitude and longitude of a town, to a hundredth of a degree."""
        return self._latitudes[town] / 100, self._longitudes[town] / 100

    def shown(self, town: int) -> tuple[str, ...]:
        """What a town is called in each of LANGUAGES; empty where it is as in English."""
        line = self._shown[self._shown_at[town] : self._shown_at[town + 1] - 1]
        return tuple(line.decode().split("\t"))

    def called(self, name: str) -> Iterator[Named]:
        """Every town that bears this normalised name."""
        key = name.encode()
        place = bisect_left(self._names, key)
        if place < len(self._names) and self._names[place] == key:
            yield from self._at(place)

    def beginning(self, start: str, most: int) -> Iterator[tuple[str, Named]]:
        """Towns with a name that begins so; at most so many names are looked at."""
        first, last = self._range(start)
        last = min(last, first + most)
        for place, name in enumerate(self._names.between(first, last), first):
            for named in self._at(place):
                yield name, named

    def names_from(self, start: str) -> tuple[int, list[str]]:
        """Every name that begins so, and the place of the first."""
        first, last = self._range(start)
        return first, self._names.between(first, last)

    def named_at(self, place: int) -> Iterator[Named]:
        """The towns that bear the name at this place."""
        return self._at(place)

    def nearest(self, latitude: float, longitude: float) -> int | None:
        """The town nearest to a point, or None when none is within 400 km."""
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            return None
        shrink = max(0.05, math.cos(math.radians(latitude)))
        for box in _BOXES:
            near = [
                (math.hypot(row / 100 - latitude, east * shrink), town)
                for town, row in enumerate(self._latitudes)
                if abs(row / 100 - latitude) <= box
                and (east := _apart(self._longitudes[town] / 100, longitude)) * shrink <= box
            ]
            if near and min(near)[0] <= box:
                return min(near)[1]
        return None

    def _range(self, start: str) -> tuple[int, int]:
        key = start.encode()
        return bisect_left(self._names, key), bisect_left(self._names, key + b"\xff")

    def _at(self, place: int) -> Iterator[Named]:
        for ref in self._refs[self._refs_at[place] : self._refs_at[place + 1]]:
            yield Named(ref >> SHIFT, bool(ref & PRIMARY), bool(ref & NEARBY))


def _apart(one: float, other: float) -> float:
    east = abs(one - other)
    return min(east, 360 - east)


def _numbers(kind: str, data: bytes) -> "array[int]":
    numbers = array(kind)
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
