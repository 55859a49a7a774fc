"""From what a person typed to the option they meant.

Order: ordinal in any script, number words, exact label or synonym, unique prefix of four letters,
unique word, spelling distance 1 (five letters) or 2 (nine). A strict table stops after exact
labels: consent, deletion and opt-in are never guessed.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from flows.figures import read_digits, read_ordinal
from flows.normalising import LONGEST_MATCHED, normalise
from flows.words import RIGHT, WRONG

_NUMBER_WORDS: Final = {
    1: "one un une uno una um uma eins واحد واحده एक",
    2: "two deux dos dois duas zwei اثنان اثنين दो",
    3: "three trois tres drei ثلاثه तीन",
    4: "four quatre cuatro quatro vier اربعه चार",
    5: "five cinq cinco funf خمسه पांच",
    6: "six seis sechs سته छह",
    7: "seven sept siete sete sieben سبعه सात",
    8: "eight huit ocho oito acht ثمانيه आठ",
    9: "nine neuf nueve nove neun تسعه नौ",
    10: "ten dix diez dez zehn عشره दस",
}
_WORD_NUMBER: Final = {
    normalise(word): number for number, words in _NUMBER_WORDS.items() for word in words.split()
}
_PLACES: Final = (
    "first premier premiere primero primera primer primeiro primeira الاول الاولى",
    "second deuxieme segundo segunda الثاني الثانيه",
    "third troisieme tercero tercera tercer terceiro terceira الثالث الثالثه",
    "fourth quatrieme cuarto cuarta quarto quarta الرابع الرابعه",
    "fifth cinquieme quinto quinta الخامس الخامسه",
    "sixth sixieme sexto sexta السادس السادسه",
    "seventh septieme septimo septima setimo setima السابع السابعه",
)
_PLACE: Final = {
    normalise(word): number for number, words in enumerate(_PLACES, 1) for word in words.split()
}
_AROUND_A_PLACE: Final = re.compile(r"^(?:the|le|la|el|o|a) | (?:one|option|choice|choix|opcion)$")
_YES: Final = "yes y yeah yep oui si sim نعم ايوه اجل हाँ हां ja da ndiyo evet aye 👍 ✅"
_NO: Final = "no n nope non nao não لا नहीं nein nej hapana hayir 👎 ❌"
_SAME: Final = tuple(frozenset(normalise(word) for word in words.split()) for words in (_YES, _NO))
_RIGHT, _WRONG = (
    frozenset(normalise(word.replace("_", " ")) for word in listed.split())
    for listed in (RIGHT, WRONG)
)
_JOINS: Final = frozenset({"and", "et", "y", "و", "e", "und", "&", "+"})
_POLITE: Final = re.compile(
    r" (?:please|pls|thanks|thank you|svp|s il vous plait|merci|por favor|gracias|obrigad[oa]"
    r"|من فضلك|لو سمحت|شكرا)$"
)
"""What may stand behind a number: "3 please"."""
_PARTS: Final = re.compile(r"[,;،؛\n、]|(?<=\d)/(?=\d)")
_ARABIC_AND: Final = re.compile(r"\bو(?=\d)")
_PREFIX, _WORD, _NEAR, _FAR = 4, 3, 5, 9


@dataclass(frozen=True, slots=True)
class Hit:
    """The option found; `sure` is False for a spelling guess, which is read back."""

    index: int
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """What options are called, normalised once when the flow is built.

    `exact` by language holds that language's labels; `any_language` all that are not ambiguous.
    """

    exact: Mapping[str, Mapping[str, int]]
    any_language: Mapping[str, int]
    words: Mapping[str, int]
    names: tuple[str, ...]
    owners: tuple[int, ...]
    digit_labels: bool
    strict: bool
    number_words: Mapping[str, int] = field(default_factory=dict)


def build_table(options: Sequence[Mapping[str, Iterable[str]]], *, strict: bool = False) -> Table:
    """The table of options, each given as its labels and synonyms by language."""
    exact: dict[str, dict[str, int]] = {}
    owners: dict[str, set[int]] = {}
    for index, option in enumerate(options):
        for language, labels in option.items():
            for label in _with_synonyms(labels):
                exact.setdefault(language, {}).setdefault(label, index)
                owners.setdefault(label, set()).add(index)
    single = {label: next(iter(held)) for label, held in owners.items() if len(held) == 1}
    pairs = {(label, index) for label, held in owners.items() for index in held}
    names = sorted(pairs)
    return Table(
        exact=exact,
        any_language=single,
        words=_unique_words(pairs),
        names=tuple(label for label, _ in names),
        owners=tuple(index for _, index in names),
        digit_labels=any(read_digits(label) is not None for label in owners),
        strict=strict,
        number_words={word: n for word, n in _WORD_NUMBER.items() if word not in owners},
    )


def find(table: Table, text: str, *, shown: Sequence[int], language: str = "") -> Hit | None:
    """The one option a normalised text means, or None; `shown` are the options by number."""
    if not text:
        return None
    if not table.digit_labels:
        plain = text if table.strict else _POLITE.sub("", text)
        number = read_ordinal(plain) or table.number_words.get(text)
        if number is not None:
            return Hit(shown[number - 1]) if 1 <= number <= len(shown) else None
    index = find_exact(table, text, language)
    if index is not None:
        return Hit(index)
    if table.strict or any(character.isdigit() for character in text):
        return None
    return _loosely(table, text) or _by_place(text, shown)


def _by_place(text: str, shown: Sequence[int]) -> Hit | None:
    """The option somebody calls the first one, the second and so on."""
    place = _PLACE.get(_AROUND_A_PLACE.sub("", text))
    return Hit(shown[place - 1]) if place is not None and place <= len(shown) else None


def find_exact(table: Table, text: str, language: str) -> int | None:
    """The option with exactly this label or synonym, this language's labels first."""
    own = table.exact.get(language)
    index = own.get(text) if own else None
    return table.any_language.get(text) if index is None else index


def says(text: str) -> bool | None:
    """Whether a normalised text says yes (also 1) or no (also 2), or None."""
    number = read_ordinal(text)
    if text in _SAME[0] or text in _RIGHT or number == 1:
        return True
    return False if text in _SAME[1] or text in _WRONG or number == 2 else None


def find_many(
    table: Table, text: str, *, shown: Sequence[int], language: str = ""
) -> tuple[int, ...] | None:
    """Every option a list such as `1, 3 and 4` means; None when one part matches none."""
    found: list[int] = []
    for part in _PARTS.split(text[:LONGEST_MATCHED]):
        whole = normalise(part)
        if not whole:
            continue
        hit = find(table, whole, shown=shown, language=language)
        pieces = [hit] if hit else _each(table, whole, shown, language)
        for piece in pieces:
            if piece is None or not piece.sure:
                return None
            if piece.index not in found:
                found.append(piece.index)
    return tuple(sorted(found)) or None


def find_like(table: Table, text: str, *, most: int) -> tuple[int, ...]:
    """Options whose name begins with the text, or holds it as a word, best first."""
    if len(text) < 2:
        return ()
    starts = _owners(table, (name.startswith(text) for name in table.names))
    holds = _owners(table, (f" {text}" in name for name in table.names))
    return tuple(dict.fromkeys((*starts, *holds)))[:most]


def find_near(table: Table, text: str, *, most: int) -> tuple[int, ...]:
    """Options within the spelling distance allowed for the text's length, best first."""
    allowed = _distance(text)
    if not allowed:
        return ()
    found = process.extract(
        text, table.names, scorer=OSA.distance, score_cutoff=allowed, limit=most * 3
    )
    return tuple(dict.fromkeys(table.owners[index] for _, _, index in found))[:most]


def _loosely(table: Table, text: str) -> Hit | None:
    if len(text) >= _PREFIX:
        starts = set(_owners(table, (name.startswith(text) for name in table.names)))
        if len(starts) == 1:
            return Hit(starts.pop())
        if starts:
            return None
    word = table.words.get(text)
    if word is not None:
        return Hit(word)
    near = find_near(table, text, most=2)
    return Hit(near[0], sure=False) if len(near) == 1 else None


def _each(table: Table, whole: str, shown: Sequence[int], language: str) -> list[Hit | None]:
    words = _ARABIC_AND.sub("و ", whole).split()
    return [
        find(table, word, shown=shown, language=language) for word in words if word not in _JOINS
    ]


def _with_synonyms(labels: Iterable[str]) -> list[str]:
    """The labels normalised; one that says yes or no brings every word for it."""
    found = [label for label in map(normalise, labels) if label]
    for same in _SAME:
        if any(label in same for label in found):
            found.extend(sorted(same.difference(found)))
    return found


def _unique_words(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    held = {(word, index) for label, index in pairs for word in label.split()}
    counts = Counter(word for word, _ in held)
    return {
        word: index
        for word, index in held
        if counts[word] == 1 and len(word) >= _WORD and not word.isdigit()
    }


def _owners(table: Table, flags: Iterable[bool]) -> tuple[int, ...]:
    return tuple(
        dict.fromkeys(owner for owner, flag in zip(table.owners, flags, strict=True) if flag)
    )


def _distance(text: str) -> int:
    if len(text) >= _FAR:
        return 2
    return 1 if len(text) >= _NEAR else 0
