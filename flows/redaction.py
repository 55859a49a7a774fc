"""Takes out of free text what looks like the number of a card, an account or a paper.

Applied before anything is stored. A number goes when its own form gives it away (a card or account
whose check digits are right, the lines at the foot of a passport, national numbers that hold a date
or check digits), or when a word such as "passport number" stands right before it. Phone numbers,
years, dates and postcodes stay.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

REMOVED: Final = "[\u2026]"
"""Stands in the text where something was taken out."""

_WORDS: Final = (
    r"pass?port(?:e|s)?|passeport|pasaporte|passaporte|reisepass|جواز(?: ال?سفر)?|الجواز"
    r"|(?:national |identity )?id(?: card| book)?|identity(?: card| number| document)?"
    r"|carte (?:d[’' ]identit[eé]|nationale|de s[eé]jour|bancaire|bleue)|cni|titre de s[eé]jour"
    r"|c[eé]dula|dni|nie|nif|documento(?: de identidad)?|curp|c[eé]dula de identidad"
    r"|bilhete de identidade|cart[aã]o(?: de cidad[aã]o| de cr[eé]dito)?|bi|cpf|rg|rne"
    r"|هويتي|الهويه|الهوية|هوية|بطاقة(?: الهوية)?|بطاقه|الرقم القومي|الرقم الوطني"
    r"|اقامة|إقامة|اقامتي"
    r"|(?:credit |debit |bank )?card|tarjeta|visa|residence permit|asylum(?: seeker)?|iqama"
    r"|aadhaa?r|pan|ssn|nin|bvn|nid|nrc|national insurance|social security|iban|account|compte"
    r"|cuenta|conta|حساب(?:ي)?|الحساب|driv(?:ing|er'?s) licen[cs]e|permis"
)
_LINKS: Final = (
    r"(?:[\s:#=.,\-]|n[°ºo]|no|nr|num|number|numbers|num[eé]ro|n[uú]mero|رقم|رقمها|is|est|es|é|هو"
    r"|هي|my|mon|mi|meu|de|du|do|da|del|the|le|el|o){0,8}?"
)
_AFTER_A_WORD: Final = re.compile(
    rf"(?<!\w)(?:{_WORDS})(?!\w){_LINKS}(?<![\w+])(?P<number>(?=(?:[A-Z .\-/]{{0,3}}\d){{6}})"
    r"[A-Z]{0,3} ?\d[A-Z0-9]*(?:[ .\-/]?\d[A-Z0-9]*)*)(?!\w)",
    re.IGNORECASE,
)
_MACHINE_LINE: Final = re.compile(r"(?<![\w<])(?=[A-Z0-9<]*<<)[A-Z0-9<]{25,}(?![\w<])", re.I)
_IBAN: Final = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,40}(?!\w)", re.IGNORECASE)
_DIGITS: Final = re.compile(r"(?<![\w+])(?<!\+ )\d(?:[ .\-]?\d){11,18}(?!\w)")
_SHAPES: Final = re.compile(
    r"(?<![\w+])(?:"
    r"[A-Z]{2} ?\d{7}|[A-Z] ?\d{8}|[A-Z]\d{7}|[A-Z]{2}\d{6}[A-Z]?"  # passports, UK insurance
    r"|[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]"
    r"|[XYZ][ -]?\d{7}[ -]?[A-Z]|\d{8}[ -]?[A-HJ-NP-TV-Z]"  # Spain
    r"|\d{8} ?\d ?[A-Z]{2}\d"  # Portugal
    r"|[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d"  # Mexico
    r"|[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]"  # Italy
    r"|\d{3}\.\d{3}\.\d{3}-\d{2}"  # Brazil
    r"|\d{3}-\d{2}-\d{4}"  # United States
    r")(?!\w)",
    re.IGNORECASE,
)
_BIRTH_SA: Final = re.compile(r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{4}[012]\d\d")
_BIRTH_EG: Final = re.compile(r"[23]\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{7}")
_BIRTH_FR: Final = re.compile(r"[12]\d\d(?:0[1-9]|1[0-2]|[2-9]\d)\d{10}")
_CARD: Final = re.compile(r"3[47]\d{13}|3[068]\d{12}|[2456]\d{15}|[56]\d{16,18}")
_ASCII_SIGN: Final = re.compile(r"[0-9<]")
_VERHOEFF: Final = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_TURNS: Final = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def _may_hold(text: str) -> bool:
    if text.isascii():
        return _ASCII_SIGN.search(text) is not None
    return any(character.isdigit() or character == "<" for character in text)


def redact(text: str) -> str:
    """The text without what looks like such a number; the same text when there is none."""
    if not _may_hold(text):
        return text
    plain = _in_ascii_digits(text)
    spans = sorted(_spans(plain))
    kept: list[str] = []
    end = 0
    for start, stop in spans:
        if start >= end:
            kept += [text[end:start], REMOVED]
        end = max(end, stop)
    return "".join((*kept, text[end:])) if spans else text


def _spans(plain: str) -> Iterator[tuple[int, int]]:
    for found in _AFTER_A_WORD.finditer(plain):
        yield found.span("number")
    for found in _IBAN.finditer(plain):
        end = _iban_end(found[0])
        if end:
            yield found.start(), found.start() + end
    for pattern, holds in _FORMS:
        for found in pattern.finditer(plain):
            if holds(re.sub(r"[ .\-]", "", found[0]).upper()):
                yield found.span()


def _in_ascii_digits(text: str) -> str:
    """The text of the same length with every script's digits as 0 to 9."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in text
    )


def _is_number_of_something(digits: str) -> bool:
    if _CARD.fullmatch(digits) and _luhn(digits):
        return True
    if len(digits) == 12:
        return digits[0] > "1" and _verhoeff(digits)
    if len(digits) == 13:
        return bool(_BIRTH_SA.fullmatch(digits)) and _luhn(digits)
    if len(digits) == 14:
        return bool(_BIRTH_EG.fullmatch(digits))
    return len(digits) == 15 and bool(_BIRTH_FR.fullmatch(digits)) and _insee(digits)


def _luhn(digits: str) -> bool:
    doubled = "".join(str(int(one) * (1 + place % 2)) for place, one in enumerate(digits[::-1]))
    return sum(map(int, doubled)) % 10 == 0


def _verhoeff(digits: str) -> bool:
    check = 0
    for place, one in enumerate(digits[::-1]):
        check = int(_VERHOEFF[check][int(_VERHOEFF_TURNS[place % 8][int(one)])])
    return check == 0


def _insee(digits: str) -> bool:
    return int(digits[13:]) == 97 - int(digits[:13]) % 97


def _iban_end(run: str) -> int | None:
    """Where the account number ends with which the run of letters and digits begins, if any."""
    places = [place for place, one in enumerate(run) if one != " "]
    for length in range(min(34, len(places)), 14, -1):
        end = places[length - 1] + 1
        plain = run[:end].replace(" ", "")
        turned = plain[4:] + plain[:4]
        if (
            run[end : end + 1] in ("", " ")
            and int("".join(str(int(x, 36)) for x in turned)) % 97 == 1
        ):
            return end
    return None


def _always(plain: str) -> bool:
    return True


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...]] = (
    (_MACHINE_LINE, _always),
    (_DIGITS, _is_number_of_something),
    (_SHAPES, _always),
)
