"""A condition as a sentence a person can check, in the five languages."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from flows.conditions import All, Any, Compare, Condition, Not, Within

Name: TypeAlias = Callable[[str, str | None], str]
"""What a field is called (value None), or one of its values."""


@dataclass(frozen=True, slots=True)
class _Words:
    forms: dict[str, tuple[str, str]]
    both: str
    either: str
    known: tuple[str, str]
    within: tuple[str, str]
    units: dict[str, tuple[str, ...]]
    nothing: tuple[str, str]
    negated: str


_WORDS: Final = {
    "en": _Words(
        forms={
            "is": ("{field} is {values}", "{field} is not {values}"),
            "has": ("{field} includes {values}", "{field} does not include {values}"),
            "at_least": ("{field} is at least {values}", "{field} is not at least {values}"),
            "at_most": ("{field} is at most {values}", "{field} is not at most {values}"),
        },
        both=" and ",
        either=" or ",
        known=("{field} is known", "{field} is not known"),
        within=("{field} is within the last {span}", "{field} is not within the last {span}"),
        units={
            "days": ("day", "days"),
            "hours": ("hour", "hours"),
            "minutes": ("minute", "minutes"),
        },
        nothing=("always", "never"),
        negated="not ({inner})",
    ),
    "fr": _Words(
        forms={
            "is": ("{field} est {values}", "{field} n'est pas {values}"),
            "has": ("{field} contient {values}", "{field} ne contient pas {values}"),
            "at_least": ("{field} est au moins {values}", "{field} n'est pas au moins {values}"),
            "at_most": ("{field} est au plus {values}", "{field} n'est pas au plus {values}"),
        },
        both=" et ",
        either=" ou ",
        known=("{field} est connu", "{field} n'est pas connu"),
        within=("{field} date de moins de {span}", "{field} ne date pas de moins de {span}"),
        units={
            "days": ("jour", "jours"),
            "hours": ("heure", "heures"),
            "minutes": ("minute", "minutes"),
        },
        nothing=("toujours", "jamais"),
        negated="pas ({inner})",
    ),
    "es": _Words(
        forms={
            "is": ("{field} es {values}", "{field} no es {values}"),
            "has": ("{field} incluye {values}", "{field} no incluye {values}"),
            "at_least": ("{field} es al menos {values}", "{field} no es al menos {values}"),
            "at_most": ("{field} es como máximo {values}", "{field} no es como máximo {values}"),
        },
        both=" y ",
        either=" o ",
        known=("{field} se conoce", "{field} no se conoce"),
        within=("{field} fue hace menos de {span}", "{field} no fue hace menos de {span}"),
        units={
            "days": ("día", "días"),
            "hours": ("hora", "horas"),
            "minutes": ("minuto", "minutos"),
        },
        nothing=("siempre", "nunca"),
        negated="no ({inner})",
    ),
    "pt": _Words(
        forms={
            "is": ("{field} é {values}", "{field} não é {values}"),
            "has": ("{field} inclui {values}", "{field} não inclui {values}"),
            "at_least": ("{field} é pelo menos {values}", "{field} não é pelo menos {values}"),
            "at_most": ("{field} é no máximo {values}", "{field} não é no máximo {values}"),
        },
        both=" e ",
        either=" ou ",
        known=("{field} é conhecido", "{field} não é conhecido"),
        within=("{field} foi há menos de {span}", "{field} não foi há menos de {span}"),
        units={
            "days": ("dia", "dias"),
            "hours": ("hora", "horas"),
            "minutes": ("minuto", "minutos"),
        },
        nothing=("sempre", "nunca"),
        negated="não ({inner})",
    ),
    "ar": _Words(
        forms={
            "is": ("{field} هو {values}", "{field} ليس {values}"),
            "has": ("{field} يشمل {values}", "{field} لا يشمل {values}"),
            "at_least": ("{field} {values} على الأقل", "{field} ليس {values} على الأقل"),
            "at_most": ("{field} {values} على الأكثر", "{field} ليس {values} على الأكثر"),
        },
        both=" و",
        either=" أو ",
        known=("{field} معروف", "{field} غير معروف"),
        within=("{field} خلال آخر {span}", "{field} ليس خلال آخر {span}"),
        units={
            "days": ("يوم", "أيام", "يوما"),
            "hours": ("ساعة", "ساعات", "ساعة"),
            "minutes": ("دقيقة", "دقائق", "دقيقة"),
        },
        nothing=("دائما", "أبدا"),
        negated="ليس ({inner})",
    ),
}


def as_written(field: str, value: str | None) -> str:
    """The field or value as the condition has it; the default name."""
    return field.replace("_", " ") if value is None else value


def sentence(condition: Condition, language: str, name: Name = as_written) -> str:
    """The condition in words, English where the language has none.

    `name` gives the words for fields and values, such as the label of an option.
    """
    return _say(condition, _WORDS.get(language, _WORDS["en"]), name, holds=True)


def _say(condition: Condition, words: _Words, name: Name, *, holds: bool) -> str:
    match condition:
        case Compare():
            return _compare(condition, words, name, holds)
        case Within(field, span):
            form = words.within[0 if holds else 1]
            return form.format(field=name(field, None), span=_span(span, words))
        case Not(part):
            return _say(part, words, name, holds=not holds)
        case All(parts) | Any(parts):
            joiner = words.both if isinstance(condition, All) else words.either
            said = [_bracketed(part, words, name, alone=len(parts) == 1) for part in parts]
            whole = joiner.join(said) or words.nothing[0 if isinstance(condition, All) else 1]
            return whole if holds else words.negated.format(inner=whole)


def _bracketed(part: Condition, words: _Words, name: Name, *, alone: bool) -> str:
    said = _say(part, words, name, holds=True)
    several = isinstance(part, All | Any) and len(part.parts) > 1
    return f"({said})" if several and not alone else said


def _compare(condition: Compare, words: _Words, name: Name, holds: bool) -> str:
    field = name(condition.field, None)
    if condition.operator == "known":
        known = (condition.values[0] in ("yes", "true")) == holds
        return words.known[0 if known else 1].format(field=field)
    values = words.either.join(name(condition.field, value) for value in condition.values)
    return words.forms[condition.operator][0 if holds else 1].format(field=field, values=values)


def _span(span: timedelta, words: _Words) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        count, rest = divmod(int(span.total_seconds()), size)
        if not rest or unit == "minutes":
            return f"{count} {_counted(count, words.units[unit])}"
    return ""


def _counted(count: int, forms: tuple[str, ...]) -> str:
    """The noun after a number; Arabic has one for 3 to 10 and one for more (CLDR)."""
    if len(forms) == 2:
        return forms[0 if count == 1 else 1]
    return forms[1 if 3 <= count % 100 <= 10 else 0 if count <= 2 else 2]
