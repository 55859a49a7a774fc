"""From what a person typed to the towns they may mean.

A name alone, or with a country or region before or behind it ("Cork, Ireland", "Springfield IL").
Only a name that one town bears is an answer. Everything else is read back or offered: names that
several towns bear, beginnings, and spelling mistakes. Population breaks ties.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from flows.countries import countries
from flows.normalising import normalise
from flows.towns import Named, Towns

_LONGEST: Final = 80
_COMMAS: Final = re.compile(r"[,،;/()\n、，|]| [-–—] ")
_QUALIFIER_WORDS: Final = 4
_CLEARLY_LARGER: Final = 10
_SHOWN_BY_IT: Final = 8
"""How much more a town counts that is shown by the name than one that is also called so."""
_KNOWN_WIDELY: Final = 100_000
"""People from which one of a town's other names is taken when no country is given."""
_SURE_FROM: Final = 4
"""Letters from which a Latin name is taken without reading it back."""
_SHORT_FORMS: Final = {
    "st": ("saint", "sankt", "sint"), "ste": ("sainte",), "sta": ("santa",), "sto": ("santo",),
    "saint": ("st", "sankt"), "s": ("sao", "san"), "mt": ("mount",), "ft": ("fort",),
    "pt": ("port",), "pto": ("puerto",), "gt": ("great",), "n": ("north",), "nva": ("nueva",),
    "cd": ("ciudad",),
}  # fmt: skip
_FILLING: Final = re.compile(
    r"^(?:(?:i )?(?:live|am|stay|reside) (?:in|at|near)|im in|in|near|(?:the )?(?:city|town) of"
    r"|j ?habite a|je vis a|(?:la )?ville de|a|vivo en|estoy en|en|(?:la )?ciudad de"
    r"|moro em|vivo em|em|(?:a )?cidade de|اسكن في|اعيش في|انا في|في|مدينه) (?=..)"
)
_NEARBY_LETTERS: Final = {
    "c": "cks", "k": "kcq", "q": "qk", "s": "sczx", "z": "zsj", "x": "xsj", "j": "jgyz",
    "g": "gjhk", "y": "yij", "i": "iye", "e": "eia", "a": "aeh", "o": "ou", "u": "uow", "v": "vwbf",
    "w": "wvuo", "b": "bvp", "p": "pbf", "f": "fpv", "h": "haj", "d": "dt", "t": "td", "m": "mn",
    "n": "nm", "l": "lr", "r": "rl",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Where:
    """What a qualifier may mean: countries, and regions by code."""

    countries: frozenset[str]
    regions: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to take a text: a name, and where; `loose` when a part had to be left out."""

    name: str
    where: _Where | None = None
    loose: bool = False


class Search:
    """Finds towns by what people type."""

    def __init__(self, towns: Towns) -> None:
        self._towns = towns
        self._regions = _region_names(towns.regions)

    def find(self, text: str, country: str | None, most: int) -> tuple[tuple[int, ...], bool]:
        """The towns a text may mean, best first, and whether the first is the answer. Total."""
        readings = list(self._readings(text[:_LONGEST]))
        for reading in readings:
            named = self._called(reading, country)
            if named:
                ranked, sure = self._ranked(named, most, in_country=country is not None)
                short = len(reading.name) < _SURE_FROM and reading.name.isascii()
                return ranked, sure and not (reading.loose or short)
        for look in (self._beginning, self._misspelt):
            for reading in readings:
                found = look(reading, country)
                if found:
                    return self._best(found, most), False
        return (), False

    def shares_name(self, town: int) -> bool:
        """Whether another town of the country is shown by the same name."""
        name = normalise(self._towns.shown(town)[0])
        country = self._towns.country(town)
        return any(
            one.town != town and one.primary and self._towns.country(one.town) == country
            for one in self._towns.called(name)
        )

    def _readings(self, text: str) -> Iterator[_Reading]:
        """The ways to take a text, the likeliest first."""
        parts = [part for part in map(normalise, _COMMAS.split(text)) if part]
        if not parts:
            return
        if len(parts) > 1:
            yield from self._with_qualifier(parts[0], " ".join(parts[1:]), parts[-1])
        whole = _FILLING.sub("", " ".join(parts))
        yield _Reading(whole)
        words = whole.split()
        for size in range(1, min(len(words), _QUALIFIER_WORDS + 1)):
            behind = self._where(" ".join(words[-size:]))
            if behind:
                yield _Reading(" ".join(words[:-size]), behind)
            before = self._where(" ".join(words[:size]))
            if before:
                yield _Reading(" ".join(words[size:]), before)
        if len(parts) > 1:
            yield _Reading(_FILLING.sub("", parts[0]), loose=True)

    def _with_qualifier(self, name: str, *qualifiers: str) -> Iterator[_Reading]:
        for qualifier in dict.fromkeys(qualifiers):
            where = self._where(qualifier)
            if where:
                yield _Reading(_FILLING.sub("", name), where)

    def _where(self, qualifier: str) -> _Where | None:
        regions = self._regions.get(qualifier, frozenset())
        codes = countries().meant(qualifier)
        return _Where(codes, regions) if regions or codes else None

    def _called(self, reading: _Reading, country: str | None) -> list[Named]:
        found: dict[int, Named] = {}
        for name in _forms(reading.name):
            for named in self._towns.called(name):
                if self._is_in(named.town, reading.where, country):
                    held = found.get(named.town)
                    if held is None or (named.primary and not held.primary):
                        found[named.town] = named
        own = [named for named in found.values() if not named.nearby]
        return own or list(found.values())

    def _is_in(self, town: int, where: _Where | None, country: str | None) -> bool:
        code = self._towns.country(town)
        if country is not None and code != country:
            return False
        if where is None:
            return True
        return code in where.countries or self._towns.region(town)[0] in where.regions

    def _ranked(
        self, named: list[Named], most: int, *, in_country: bool
    ) -> tuple[tuple[int, ...], bool]:
        """Towns that bear the name exactly; sure when there is one, or one and distant seconds."""
        size = self._towns.populations
        order = sorted(
            named, key=lambda one: -size[one.town] * (_SHOWN_BY_IT if one.primary else 1)
        )
        first, others = order[0], order[1:]
        if not others:
            known = first.primary or in_country or size[first.town] >= _KNOWN_WIDELY
            return (first.town,), known and not first.nearby
        clear = size[first.town] >= _CLEARLY_LARGER * max(size[one.town] for one in others)
        if clear and not any(one.primary for one in others):
            return (first.town,), first.primary
        if clear and first.primary:
            return (first.town,), False
        return tuple(one.town for one in order[:most]), False

    def _beginning(self, reading: _Reading, country: str | None) -> dict[int, float]:
        found: dict[int, float] = {}
        if len(reading.name) >= 3:
            for name in _forms(reading.name):
                for _, named in self._towns.beginning(name, 1500):
                    if not named.nearby and self._is_in(named.town, reading.where, country):
                        found[named.town] = max(found.get(named.town, 0), 0.5 * named.primary)
        return found

    def _misspelt(self, reading: _Reading, country: str | None) -> dict[int, float]:
        name = reading.name
        allowed = 0 if len(name) < 4 else 1 if len(name) < 7 else 2 if len(name) < 12 else 3
        found: dict[int, float] = {}
        if not allowed or len(name) > 40:
            return found
        for letter in _NEARBY_LETTERS.get(name[0], name[0]):
            first, names = self._towns.names_from(letter)
            near = process.extract(
                name, names, scorer=OSA.distance, score_cutoff=allowed, limit=None
            )
            for _, distance, place in near:
                for named in self._towns.named_at(first + place):
                    if not named.nearby and self._is_in(named.town, reading.where, country):
                        score = 0.5 * named.primary - 1.2 * distance
                        found[named.town] = max(found.get(named.town, -9.0), score)
            if found:
                break
        return found

    def _best(self, scores: dict[int, float], most: int) -> tuple[int, ...]:
        """The best towns by score and population; one alone when it is clearly the best."""
        size = self._towns.populations
        marks = sorted(
            ((score + math.log10(size[town] + 1000), -town) for town, score in scores.items()),
            reverse=True,
        )
        kept = [-town for mark, town in marks[:most] if mark >= marks[0][0] - 1]
        return tuple(kept)


def _forms(name: str) -> Iterator[str]:
    """The name, and with the short forms in it written out."""
    yield name
    words = name.split()
    for place, word in enumerate(words):
        for other in _SHORT_FORMS.get(word, ()) if len(words) > 1 else ():
            yield " ".join((*words[:place], other, *words[place + 1 :]))


_ABBREVIATED: Final = {
    "CA": "01=ab 02=bc 03=mb 04=nb 05=nl 07=ns 08=on|ont 09=pei|pe 10=qc 11=sk",
    "AU": "01=act 02=nsw 03=nt 04=qld 05=sa 06=tas 07=vic 08=wa",
    "ZA": "02=kzn|natal 03=fs 05=ec 06=gp|gauteng 07=mp 08=nc 09=lp 10=nw 11=wc",
    "BR": "05=ba 06=ce 15=mg 18=pr 21=rj 23=rs 26=sc 27=sp 30=pe",
}  # fmt: skip


def _region_names(regions: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """The codes of the regions by normalised name or usual abbreviation."""
    found: dict[str, set[str]] = {}
    for code, name in regions:
        own = code.partition(".")[2]
        for one in (name, own if own.isalpha() and len(own) > 1 else ""):
            if one:
                found.setdefault(normalise(one), set()).add(code)
    for country, listed in _ABBREVIATED.items():
        for item in listed.split():
            own, _, also = item.partition("=")
            for one in also.split("|"):
                found.setdefault(one, set()).add(f"{country}.{own}")
    return {name: frozenset(codes) for name, codes in found.items()}
