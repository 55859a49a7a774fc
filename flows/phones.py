"""Phone numbers: the country they begin with, and reading one that somebody typed."""

from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

_LONGEST = 40


@lru_cache(maxsize=4096)
def country_of(number: str) -> str | None:
    """The one country whose numbers begin like this E.164 number; None when several share it.

    +27 is South Africa alone, +1 and +44 are shared. Only the calling code counts, since it is all
    that holds for every number of a country; the answer is a guess and always asked about.
    """
    digits = number.removeprefix("+")
    if not number.startswith("+") or not digits.isascii() or not digits.isdigit():
        return None
    for length in (1, 2, 3):
        countries = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:length] or "0"))
        if countries:
            only = len(countries) == 1 and countries[0].isalpha()
            return countries[0] if only else None
    return None


def read_phone(text: str, country: str | None = None) -> str | None:
    """The number in E.164 that a person typed, in any script; None when it is no valid number.

    A number without + is taken as one of the country, else as one that lacks its +.
    """
    typed = text.strip()
    if not 5 <= len(typed) <= _LONGEST:
        return None
    if typed.startswith("00"):
        typed = f"+{typed[2:]}"
    found = _valid(typed, country) if country or typed[0] in "+\uff0b" else None
    return found or (None if typed[0] in "+\uff0b" else _valid(f"+{typed}", None))


def show_phone(number: str) -> str:
    """An E.164 number as people write it, else as it stands."""
    try:
        return phonenumbers.format_number(
            phonenumbers.parse(number), PhoneNumberFormat.INTERNATIONAL
        )
    except NumberParseException:
        return number


def _valid(typed: str, country: str | None) -> str | None:
    try:
        number = phonenumbers.parse(typed, country)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or number.extension:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
