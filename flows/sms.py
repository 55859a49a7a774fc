"""How much room a text takes as SMS, and where it is cut.

GSM 03.38: 160 units in one message, 153 in each part of a longer one; `^{}[]~\\|€` take two. Any
other character makes it UCS-2: 70 UTF-16 units, or 67 in each part.
"""

from dataclasses import dataclass
from typing import Final

GSM: Final = "GSM-7"
UCS: Final = "UCS-2"

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("^{}\\[~]|€\f")
_WHOLE: Final = {GSM: 160, UCS: 70}
_PART: Final = {GSM: 153, UCS: 67}


@dataclass(frozen=True, slots=True)
class Length:
    """What a text costs: its encoding, its units in it and its parts."""

    encoding: str
    units: int
    parts: int


def measure(text: str) -> Length:
    """The length of a text as SMS; an empty text has one part."""
    encoding = _encoding(text)
    sizes = _sizes(text, encoding)
    units = sum(sizes)
    if units <= _WHOLE[encoding]:
        return Length(encoding, units, 1)
    return Length(encoding, units, len(_cuts(sizes, _PART[encoding])))


def split(text: str) -> tuple[str, ...]:
    """The text cut as a phone network cuts it; no character is ever cut in two."""
    encoding = _encoding(text)
    sizes = _sizes(text, encoding)
    if sum(sizes) <= _WHOLE[encoding]:
        return (text,)
    cuts = _cuts(sizes, _PART[encoding])
    return tuple(text[start:end] for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True))


def is_gsm(text: str) -> bool:
    """Whether the text needs no more than the GSM-7 alphabet."""
    return _encoding(text) == GSM


def _encoding(text: str) -> str:
    return GSM if all(one in _BASIC or one in _EXTENDED for one in set(text)) else UCS


def _sizes(text: str, encoding: str) -> list[int]:
    if encoding == GSM:
        return [2 if one in _EXTENDED else 1 for one in text]
    return [2 if one > "\uffff" else 1 for one in text]


def _cuts(sizes: list[int], room: int) -> list[int]:
    """Where each part begins."""
    cuts, used = [0], 0
    for index, size in enumerate(sizes):
        if used + size > room:
            cuts.append(index)
            used = 0
        used += size
    return cuts
