"""The countries of the world and everything they are called."""

import json
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from flows.matching import Table, build_table, find_exact, find_like, find_near

_LIBRARY: Final = Path(__file__).parent / "library"
_LANGUAGES: Final = ("en", "fr", "es", "pt", "ar")
_SHARED_SHORT: Final = {
    "sa": ("ZA", "SA"),
    "congo": ("CG", "CD"),
    "korea": ("KR", "KP"),
    "guinea": ("GN", "GQ", "GW", "PG"),
    "sudan": ("SD", "SS"),
}
"""Short names that several countries go by, so that the person is asked which."""
_FIRST_FLAG: Final = 0x1F1E6
_TAGGED_FLAG: Final = "\U0001f3f4\U000e0067\U000e0062"


class Countries:
    """The countries, their names in the shipped languages and how to find them by any name."""

    def __init__(self, rows: Mapping[str, Mapping[str, object]]) -> None:
        self.codes = tuple(rows)
        self.names = {
            code: {one: str(row[one]) for one in _LANGUAGES} for code, row in rows.items()
        }
        self.table: Table = build_table(
            [
                {one: (name,) for one, name in self.names[code].items()}
                | {"": tuple(map(str, _listed(row["also"])))}
                for code, row in rows.items()
            ]
        )

    def name(self, code: str, language: str) -> str:
        """The country's name in the language, else in English, else the code."""
        names = self.names.get(code)
        return code if names is None else names.get(language) or names["en"]

    def called(self, normalised: str, language: str = "") -> tuple[str, ...]:
        """Every country of exactly this name in any language; one when it is clear."""
        exact = find_exact(self.table, normalised, language)
        if exact is not None:
            return (self.codes[exact],)
        return self._everywhere.get(normalised, ())

    def coded(self, normalised: str) -> tuple[str, ...]:
        """The countries a code of two letters, or a shared short name, may stand for."""
        shared = _SHARED_SHORT.get(normalised)
        if shared:
            return shared
        code = normalised.upper()
        return (code,) if code in self.names else ()

    def meant(self, normalised: str) -> frozenset[str]:
        """Every country a name or code may stand for."""
        return frozenset((*self.called(normalised), *self.coded(normalised)))

    def like(self, normalised: str, most: int) -> tuple[str, ...]:
        """Countries whose name begins so, or is spelt nearly so, best first."""
        found = find_like(self.table, normalised, most=most) or find_near(
            self.table, normalised, most=most
        )
        return tuple(self.codes[index] for index in found) or self._near(normalised, most)

    def _near(self, normalised: str, most: int) -> tuple[str, ...]:
        """Countries whose name in a language we do not ship is spelt nearly so."""
        allowed = 2 if len(normalised) >= 8 else 1 if len(normalised) >= 5 else 0
        if not allowed or len(normalised) > 40:
            return ()
        near = process.extract(
            normalised, self._spelt, scorer=OSA.distance, score_cutoff=allowed, limit=most * 4
        )
        codes = [code for name, _, _ in near for code in self._everywhere[name]]
        return tuple(dict.fromkeys(codes))[:most]

    @cached_property
    def _everywhere(self) -> Mapping[str, tuple[str, ...]]:
        """Every name in every language of CLDR, with the countries of that name."""
        found: dict[str, tuple[str, ...]] = {}
        text = (_LIBRARY / "country_names.tsv").read_text(encoding="utf-8")
        for line in text.splitlines():
            if not line.startswith("#"):
                code, *names = line.split("\t")
                for name in names:
                    found[name] = (*found.get(name, ()), code)
        return found

    @cached_property
    def _spelt(self) -> tuple[str, ...]:
        return tuple(self._everywhere)


def flag_in(text: str) -> str | None:
    """The country of the one flag a text is, or None; England's and the like are GB's."""
    stripped = text.strip()
    if stripped.startswith(_TAGGED_FLAG):
        return "GB"
    if len(stripped) != 2:
        return None
    letters = [ord(one) - _FIRST_FLAG for one in stripped]
    if not all(0 <= letter < 26 for letter in letters):
        return None
    code = "".join(chr(ord("A") + letter) for letter in letters)
    return code if code in countries().names else None


@lru_cache(maxsize=1)
def countries() -> Countries:
    """The countries of `library/countries.json` (Unicode CLDR; see the notice in that file)."""
    rows = json.loads((_LIBRARY / "countries.json").read_text(encoding="utf-8"))["countries"]
    return Countries(rows)


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
