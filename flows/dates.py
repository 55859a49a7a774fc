"""Dates as people type them and as we show them, to the day, the month or the year."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from flows.figures import read_digits
from flows.normalising import normalise

_MONTHS: Final = {
    1: "january jan janvier janv enero ene janeiro يناير جانفي",
    2: "february feb febr fevrier fevr fev febrero fevereiro فبراير شباط فيفري",
    3: "march mar mars marzo marco مارس اذار",
    4: "april apr avril avr abril abr ابريل نيسان افريل",
    5: "may mai mayo maio مايو ايار ماي",
    6: "june jun juin junio junho يونيو حزيران جوان يونيه",
    7: "july jul juillet juil julio julho يوليو تموز جويليه يوليه",
    8: "august aug aout agosto ago اغسطس اب اوت",
    9: "september sep sept septembre septiembre setembro set سبتمبر ايلول",
    10: "october oct octobre octubre outubro out اكتوبر تشرين_الاول",
    11: "november nov novembre noviembre novembro نوفمبر تشرين_الثاني",
    12: "december dec decembre diciembre dic dezembro dez ديسمبر كانون_الاول",
}
_MONTH_OF: Final = {
    normalise(word.replace("_", " ")): month
    for month, words in _MONTHS.items()
    for word in words.split()
} | {"كانون الثاني": 1}
_FIRST: Final = {"fr": "1er"}
"""How the first of a month is called where that is no plain number."""
_NAMES: Final = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
    " diciembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro"
    " dezembro",
    "ar": "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
}
_OF: Final = {"es": " de ", "pt": " de "}
_LEFT_OUT: Final = frozenset(
    "de del of the le el o a do da in en em on since depuis desde born ne nee il day jour dia year"
    " في يوم سنه عام منذ شهر".split()
)
_TWO_WORDS: Final = re.compile(r"(تشرين|كانون) (الاول|الثاني)")
_ENDINGS: Final = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|re|o|a|e)\b")
_STUCK: Final = re.compile(r"(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)")
_LONGEST: Final = 60
DAY, MONTH, YEAR = "day", "month", "year"


@dataclass(frozen=True, slots=True)
class Unclear:
    """Two readings are possible; ask. The dates are in order."""

    dates: tuple[date, ...] = ()

    def __bool__(self) -> bool:
        """Always true: something was read."""
        return True


def read_date(text: str) -> date | Unclear | None:
    """The date a person typed; `3/2/2001` is Unclear, for either number may be the month."""
    found = _day(_parts(text))
    if len(found) > 1:
        return Unclear(found)
    return found[0] if found else None


def read_when(text: str, precision: str) -> tuple[str, ...]:
    """What was typed as ISO 8601 to the precision: one value, two when unclear, none otherwise."""
    parts = _parts(text)
    days = _day(parts)
    if precision == DAY:
        return tuple(sorted(day.isoformat() for day in days))
    months = tuple(dict.fromkeys(day.isoformat()[:7] for day in days)) or _month(parts)
    if precision == MONTH:
        return tuple(sorted(months))
    years = tuple(dict.fromkeys(month[:4] for month in months))
    if years:
        return years
    year = _year(parts[0]) if len(parts) == 1 else None
    return () if year is None else (f"{year:04d}",)


def show(value: str, language: str) -> str:
    """A day, month or year of ISO 8601 in words of the language, else as it stands."""
    year, _, rest = value.partition("-")
    month, _, day = rest.partition("-")
    if not (month.isdecimal() and 1 <= int(month) <= 12):
        return value
    short = language if language in _NAMES else "en"
    names = _NAMES[short].split()
    first = _FIRST.get(short, "1")
    number = (first if int(day) == 1 else str(int(day))) if day.isdecimal() else ""
    shown = (number, names[int(month) - 1], year)
    return _OF.get(short, " ").join(filter(None, shown))


def _parts(text: str) -> list[str]:
    """The numbers and months of a text; words between them left out."""
    plain = _ENDINGS.sub(" ", normalise(text[:_LONGEST]))
    plain = _STUCK.sub(" ", _TWO_WORDS.sub(r"\1_\2", plain))
    found = [part.replace("_", " ") for part in re.split(r"[\s/.,\-]+", plain) if part]
    return [part for part in found if part not in _LEFT_OUT]


def _day(parts: Sequence[str]) -> tuple[date, ...]:
    if len(parts) != 3:
        return ()
    named = [place for place, part in enumerate(parts) if part in _MONTH_OF]
    numbers = [read_digits(part) for part in parts]
    if len(named) == 1:
        others = [number for number in numbers if number is not None]
        if len(others) != 2:
            return ()
        day, year = others if others[1] > 31 else others[::-1]
        return _valid((year, _MONTH_OF[parts[named[0]]], day))
    first, second, last = numbers
    if first is None or second is None or last is None:
        return ()
    if len(parts[0]) == 4:
        return _valid((first, second, last))
    return _valid((last, second, first), (last, first, second))


def _month(parts: Sequence[str]) -> tuple[str, ...]:
    if len(parts) != 2:
        return ()
    years = [year for year in map(_year, parts) if year is not None]
    months = [
        month
        for part in parts
        if (month := _MONTH_OF.get(part) or (read_digits(part) if len(part) <= 2 else None))
    ]
    if len(years) != 1 or len(months) != 1 or not 1 <= months[0] <= 12:
        return ()
    return (f"{years[0]:04d}-{months[0]:02d}",)


def _year(part: str) -> int | None:
    year = read_digits(part) if len(part) == 4 else None
    return year if year is not None and 1800 <= year <= 2200 else None


def _valid(*candidates: tuple[int, int, int]) -> tuple[date, ...]:
    """The candidates, year month day, that are days of the calendar; each once."""
    found: list[date] = []
    for year, month, day in candidates:
        if 1800 <= year <= 2200:
            try:
                found.append(date(year, month, day))
            except ValueError:
                continue
    return tuple(sorted(set(found)))
