"""A comparison of two askers as a sentence anybody can read, in the five languages."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flows.flow import Flow
from flows.wording import LANGUAGES

_TEXTS: Final = {
    "response": ("Answered", "Ont répondu", "Respondieron", "Responderam", "أجابوا"),
    "completion": ("Finished", "Ont terminé", "Terminaron", "Terminaram", "أكملوا"),
    "more": (
        "{what}: of 100 people, {points} more with {first} than with {second}",
        "{what} : sur 100 personnes, {points} de plus avec {first} qu'avec {second}",
        "{what}: de cada 100 personas, {points} más con {first} que con {second}",
        "{what}: de cada 100 pessoas, {points} a mais com {first} do que com {second}",
        "{what}: من كل 100 شخص، {points} أكثر مع {first} مقارنة مع {second}",
    ),
    "fewer": (
        "{what}: of 100 people, {points} fewer with {first} than with {second}",
        "{what} : sur 100 personnes, {points} de moins avec {first} qu'avec {second}",
        "{what}: de cada 100 personas, {points} menos con {first} que con {second}",
        "{what}: de cada 100 pessoas, {points} a menos com {first} do que com {second}",
        "{what}: من كل 100 شخص، {points} أقل مع {first} مقارنة مع {second}",
    ),
    "same": (
        "{what}: of 100 people, as many with {first} as with {second}",
        "{what} : sur 100 personnes, autant avec {first} qu'avec {second}",
        "{what}: de cada 100 personas, tantas con {first} como con {second}",
        "{what}: de cada 100 pessoas, tantas com {first} quanto com {second}",
        "{what}: من كل 100 شخص، العدد نفسه مع {first} ومع {second}",
    ),
    "between": (
        "{told} ({low} to {high}, 95 times in 100); {sure}.",
        "{told} (de {low} à {high}, 95 fois sur 100) ; {sure}.",
        "{told} (de {low} a {high}, 95 veces de 100); {sure}.",
        "{told} (de {low} a {high}, 95 vezes em 100); {sure}.",
        "{told} (من {low} إلى {high}، 95 مرة من 100)؛ {sure}.",
    ),
    "chance": (
        "this may be chance",
        "ce peut être le hasard",
        "puede ser casualidad",
        "pode ser acaso",
        "قد يكون ذلك صدفة",
    ),
    "certain": (
        "this is more than chance",
        "c'est plus que le hasard",
        "es más que casualidad",
        "é mais do que acaso",
        "هذا أكثر من صدفة",
    ),
}
_LEFT_TO_RIGHT: Final = "\u200e"
"""Keeps the sign before its number inside Arabic."""


def sentences(
    one: Mapping[str, Any], flow: Flow, names: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Return a comparison in each language, and whether it may be chance; names are by id."""
    return {language: _sentence(one, flow, names, language) for language in LANGUAGES}


def _sentence(
    one: Mapping[str, Any], flow: Flow, names: Mapping[str, Mapping[str, str]], language: str
) -> str:
    text = {name: texts[LANGUAGES.index(language)] for name, texts in _TEXTS.items()}
    first, second = (_named(names.get(asker, {}), asker, language) for asker in one["between"])
    way = "more" if one["value"] > 0 else "fewer" if one["value"] < 0 else "same"
    what = text.get(one["what"]) or " ".join(_asked(one["what"], flow, language))
    told = text[way].format(what=what, points=abs(one["value"]), first=first, second=second)
    return text["between"].format(
        told=told,
        low=_signed(one["low"], language),
        high=_signed(one["high"], language),
        sure=text["chance" if one["may_be_chance"] else "certain"],
    )


def _asked(what: str, flow: Flow, language: str) -> Iterator[str]:
    """The option, after its question where there are several."""
    name, _, option = what.partition(".")
    question = flow.by_id[name]
    if sum(each.told for each in flow.questions) > 1:
        yield question.text.get(language) or question.text[flow.languages[0]]
    yield question.label(option, language)


def _named(name: Mapping[str, str], otherwise: str, language: str) -> str:
    return name.get(language) or name.get("en") or next(iter(name.values()), otherwise)


def _signed(points: int, language: str) -> str:
    return f"{_LEFT_TO_RIGHT}{points}" if language == "ar" and points < 0 else str(points)
