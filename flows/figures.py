"""Numbers and dates as people type them, in any script's digits."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

from flows.normalising import normalise

_ETHIOPIC: Final = {chr(0x1369 + index): index + 1 for index in range(9)} | {"፲": 10}
_ORDINAL_WORDS: Final = re.compile(r"(?:(?:option|no|nr|number|numero|رقم|opcion|opcao) )(?=\S)")
_UNITS: Final = frozenset(
    "an ans year years yo annee annees ano anos año años سنه عام سنوات".split()
)
_MONTHS: Final = {
    1: "january jan janvier janv enero ene janeiro يناير كانون",
    2: "february feb fevrier fevr fev febrero fevereiro فبراير شباط",
    3: "march mar mars marzo marco مارس اذار",
    4: "april apr avril avr abril abr ابريل نيسان",
    5: "may mai mayo maio مايو ايار",
    6: "june jun juin junio junho يونيو حزيران",
    7: "july jul juillet juil julio julho يوليو تموز",
    8: "august aug aout agosto ago اغسطس اب",
    9: "september sep sept septembre septiembre setembro set سبتمبر ايلول",
    10: "october oct octobre octubre outubro out اكتوبر",
    11: "november nov novembre noviembre novembro نوفمبر",
    12: "december dec decembre diciembre dic dezembro dez ديسمبر",
}
_MONTH_OF: Final = {word: month for month, words in _MONTHS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Unclear:
    """Two readings are possible; ask."""


def read_digits(text: str) -> int | None:
    """The whole number written in one script's digits, or None; at most nine digits, no sign."""
    if text in _ETHIOPIC:
        return _ETHIOPIC[text]
    if not 0 < len(text) <= 9:
        return None
    value = 0
    for character in text:
        digit = unicodedata.decimal(character, -1)
        if digit < 0:
            return None
        value = value * 10 + digit
    return value


def read_ordinal(text: str) -> int | None:
    """The choice number in a normalised text such as `1`, `#1`, `option 1`, `①`, or None."""
    if text == "\U0001f51f":
        return 10
    if len(text) > 20:
        return None
    return read_digits(_ORDINAL_WORDS.sub("", text))


def read_number(text: str, least: int, most: int) -> int | None:
    """The number between the limits that a person typed; unit words allowed (`25 ans`)."""
    parts = normalise(text).split()
    if len(parts) == 2 and parts[1] in _UNITS:
        parts.pop()
    value = read_digits(parts[0]) if len(parts) == 1 else None
    return value if value is not None and least <= value <= most else None


def read_date(text: str) -> date | Unclear | None:
    """The date a person typed; `3/2/2001` is Unclear, for either number may be the month."""
    parts = [part for part in re.split(r"[\s/.,\-]+", normalise(text)) if part]
    if len(parts) != 3:
        return None
    middle, first = _MONTH_OF.get(parts[1]), read_digits(parts[0])
    last = read_digits(parts[2])
    if first is None or last is None:
        return None
    if middle is not None:
        return _day(last, middle, first)
    second = read_digits(parts[1])
    if second is None:
        return None
    if len(parts[0]) == 4:
        return _day(first, second, last)
    if first <= 12 and second <= 12 and first != second:
        return Unclear()
    return _day(last, second, first) or _day(last, first, second)


def _day(year: int, month: int, day: int) -> date | None:
    if not 1800 <= year <= 2200:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
