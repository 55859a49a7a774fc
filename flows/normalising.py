"""One form for comparing what a person typed with what we offered, in any script.

For matching only; what is stored is the original. Steps: Unicode NFKC, invisible marks off,
punctuation to spaces (kept between digits and as a sign before one), casefold, accents off for
Latin, Greek and Cyrillic, Arabic letter variants made one. Indic vowel signs stay.
"""

import re
import unicodedata
from typing import Final

LONGEST: Final = 4096
"""The longest text that is looked at; Telegram's own limit."""

LONGEST_MATCHED: Final = 300
"""The longest text in which an answer is looked for; beyond it nobody means an option."""

_INVISIBLE: Final = dict.fromkeys(
    [
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        0x061C,
        0xFE0E,
        0xFE0F,
        0x20E3,
        0xFEFF,
        0x00AD,
        0,
        *range(0x1F3FB, 0x1F400),
    ]
)
_ARABIC: Final = {
    **dict.fromkeys([*range(0x0610, 0x061B), *range(0x064B, 0x0660), 0x0670, 0x0640]),
    **dict.fromkeys(map(ord, "أإآٱ"), "ا"),
    **dict.fromkeys(map(ord, "ىی"), "ي"),
    ord("ک"): "ك",
    ord("ة"): "ه",
}
_DASHES: Final = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_FOLDED_BELOW: Final = "\u0530"
_PUNCTUATION: Final = re.compile(
    r"(?<=\d)[^\w\s+](?=\d)"  # kept: between digits
    r"|(?<![\w])[-+](?=\d)"  # kept: a sign
    r"|[\W_]"
)
_PLAIN: Final = re.compile(r"[a-z0-9]+(?: [a-z0-9]+)*")


def clean(text: str) -> str:
    """The text as it may be stored: at most 4,096 characters, no NUL, no lone surrogates."""
    cut = text[:LONGEST].replace("\x00", "")
    try:
        cut.encode()
    except UnicodeEncodeError:
        cut = cut.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unicodedata.normalize("NFC", cut).strip()


def normalise(text: str) -> str:
    """The form in which two texts are compared; total on any text."""
    text = text[:LONGEST]
    folded = text.strip().casefold()
    if folded.isascii() and _PLAIN.fullmatch(folded):
        return folded
    folded = unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).translate(_INVISIBLE)
    folded = folded.translate(_DASHES).translate(_ARABIC).casefold()
    return " ".join(_without_accents(_PUNCTUATION.sub(_keep, folded)).split())


def _keep(found: re.Match[str]) -> str:
    """The character when it is a symbol, a combining mark or bound to digits; else a space."""
    character = found[0]
    if unicodedata.category(character)[0] in "SM":
        return character
    before, after = found.start() - 1, found.end()
    whole = found.string
    follows_digit = before >= 0 and whole[before].isdigit()
    leads_digit = after < len(whole) and whole[after].isdigit()
    if leads_digit and (follows_digit or character == "-"):
        return character
    return " "


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    kept: list[str] = []
    base = ""
    for character in unicodedata.normalize("NFD", text):
        if unicodedata.category(character) == "Mn":
            if base < _FOLDED_BELOW:
                continue
        else:
            base = character
        kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))
