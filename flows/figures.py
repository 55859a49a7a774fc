"""Numbers as people type them, in any script's digits or in words."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from flows.normalising import normalise

_ETHIOPIC: Final = {chr(0x1369 + index): index + 1 for index in range(9)} | {"፲": 10}
_ORDINAL_WORDS: Final = re.compile(r"(?:(?:option|no|nr|number|numero|رقم|opcion|opcao) )(?=\S)")
UNITS: Final = frozenset(
    normalise(word)
    for word in (
        "an ans year years yo yr yrs annee annees ano anos año años سنه عام سنوات اعوام month"
        " months mois mes meses شهر اشهر شهور day days jour jours dia dias يوم ايام hour hours"
        " heure heures hora horas ساعه ساعات minute minutes minuto minutos دقيقه دقائق week weeks"
        " semaine semaines semana semanas اسبوع اسابيع people persons person personne personnes"
        " persona personas pessoa pessoas اشخاص شخص افراد child children enfant enfants hijo"
        " hijos filho filhos اطفال times fois veces vezes مرات km"
    ).split()
)
"""Words that may stand behind a number wherever one is read."""
_ROUND: Final = re.compile(
    r"^(?:about|around|approx|roughly|only|i am|im|i have|we are|environ|a peu pres|j ai"
    r"|nous sommes|unos|unas|como|cerca de|tengo|somos|uns|umas|tenho|mais ou menos"
    r"|حوالي|تقريبا|عمري|نحن|عندي) "
)
_GROUPED: Final = re.compile(r"[1-9]\d{0,2}(?:([., ])\d{3})(?:\1\d{3})*")
_STUCK: Final = re.compile(r"(\d+)([^\W\d_]+)")
_UP_TO_TWENTY: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen twenty",
    "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
    " dix_sept dix_huit dix_neuf vingt",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince"
    " dieciseis diecisiete dieciocho diecinueve veinte",
    "zero um dois tres quatro cinco seis sete oito nove dez onze doze treze quatorze quinze"
    " dezesseis dezessete dezoito dezenove vinte",
    "صفر واحد اثنان ثلاثه اربعه خمسه سته سبعه ثمانيه تسعه عشره احد_عشر اثنا_عشر ثلاثه_عشر"
    " اربعه_عشر خمسه_عشر سته_عشر سبعه_عشر ثمانيه_عشر تسعه_عشر عشرون",
    "_ une _ _ _ _ _ _ _ _ _",
    "_ una duas _ _ _ _ _ _ _ _ _ _ _ catorce _ dezasseis dezassete _ dezanove _",
    "_ واحده اثنين ثلاث اربع خمس ست سبع ثمان تسع عشر _ _ _ _ _ _ _ _ _ عشرين",
)
_TENS: Final = (
    "thirty forty fifty sixty seventy eighty ninety hundred",
    "trente quarante cinquante soixante soixante_dix quatre_vingt quatre_vingt_dix cent",
    "treinta cuarenta cincuenta sesenta setenta ochenta noventa cien",
    "trinta quarenta cinquenta sessenta setenta oitenta noventa cem",
    "ثلاثون اربعون خمسون ستون سبعون ثمانون تسعون مئه",
    "ثلاثين اربعين خمسين ستين سبعين ثمانين تسعين مائه",
)
_FALSE_FRIENDS: Final = frozenset({"once", "um", "cent", "dos", "sept"})
"""Number words that mean something else in another language, so they are read back."""
_AND: Final = frozenset({"and", "et", "y", "e", "و"})
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Maybe:
    """Probably this number; read it back."""

    value: int


def _number_words() -> Iterator[tuple[str, int]]:
    for first, step, lists in ((0, 1, _UP_TO_TWENTY), (30, 10, _TENS)):
        for listed in lists:
            for place, word in enumerate(listed.split()):
                if word != "_":
                    yield normalise(word.replace("_", " ")), first + step * place


_WORDS: Final = dict(_number_words())


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


def read_count(text: str, units: Collection[str] = UNITS) -> int | Maybe | None:
    """The number a person typed, in digits or words; unit words allowed (`25 ans`).

    Maybe for thousands with a mark (`1,500` is one and a half elsewhere) and for words put
    together. None for signs, fractions, ranges and two numbers.
    """
    plain = _ROUND.sub("", normalise(text[:_LONGEST]))
    words = plain.split()
    while len(words) > 1 and (words[-1] in units or words[-1] in UNITS):
        words.pop()
    plain = " ".join(words)
    stuck = _STUCK.fullmatch(plain)
    if stuck and (stuck[2] in units or stuck[2] in UNITS):
        plain = stuck[1]
    value = read_digits(plain)
    if value is not None:
        return value
    if _GROUPED.fullmatch(plain) and len(plain) <= 11:
        return Maybe(int("".join(filter(str.isdigit, plain))))
    if plain in _WORDS:
        return Maybe(_WORDS[plain]) if plain in _FALSE_FRIENDS else _WORDS[plain]
    return _put_together(plain)


def read_number(text: str, least: int, most: int) -> int | None:
    """The number between the limits that a person clearly typed; unit words allowed (`25 ans`)."""
    value = read_count(text)
    return value if isinstance(value, int) and least <= value <= most else None


def _put_together(plain: str) -> Maybe | None:
    """Tens and ones in words: twenty five, treinta y cinco, خمسة وعشرون."""
    text = plain.replace("quatre vingts", "quatre vingt")
    for whole in ("quatre vingt dix", "quatre vingt", "soixante dix"):
        text = text.replace(whole, whole.replace(" ", "_"))
    parts = [word.replace("_", " ") for word in text.split() if word not in _AND]
    values = [_WORDS.get(part, _WORDS.get(part.removeprefix("و"))) for part in parts]
    if len(values) == 1 and values[0] is not None:
        return Maybe(values[0])
    if len(values) != 2 or values[0] is None or values[1] is None:
        return None
    low, high = sorted((values[0], values[1]))
    fits = 0 < low < (20 if high in (60, 80) else 10) and 20 <= high < 100 and high % 10 == 0
    return Maybe(low + high) if fits else None
