"""A condition as the sentence an officer checks before it decides who is written to."""

from typing import Any, get_args

import pytest

from flows.conditions import OPERATORS, Condition, Names, parse
from flows.sentences import sentence

NAMES = Names(frozenset({"a", "b", "needs", "age"}))

SENTENCES: list[tuple[dict[str, Any], tuple[str, str, str, str, str]]] = [
    ({"a": "x"}, ("a is x", "a est x", "a es x", "a é x", "a هو x")),
    ({"a": ["x", "y"]}, ("a is x or y", "a est x ou y", "a es x o y", "a é x ou y", "a هو x أو y")),
    (
        {"a": {"not": "x"}},
        ("a is not x", "a n'est pas x", "a no es x", "a não é x", "a ليس x"),
    ),
    (
        {"needs": {"has": "x"}},
        ("needs includes x", "needs contient x", "needs incluye x", "needs inclui x",
         "needs يشمل x"),
    ),
    (
        {"age": {"at_least": 18}},
        ("age is at least 18", "age est au moins 18", "age es al menos 18", "age é pelo menos 18",
         "age 18 على الأقل"),
    ),
    (
        {"age": {"not": {"at_most": 18}}},
        ("age is not at most 18", "age n'est pas au plus 18", "age no es como máximo 18",
         "age não é no máximo 18", "age ليس 18 على الأكثر"),
    ),
    (
        {"joined": {"within": "1 day"}},
        ("joined is within the last 1 day", "joined date de moins de 1 jour",
         "joined fue hace menos de 1 día", "joined foi há menos de 1 dia",
         "joined خلال آخر 1 يوم"),
    ),
    (
        {"joined": {"within": "3 weeks"}},
        ("joined is within the last 21 days", "joined date de moins de 21 jours",
         "joined fue hace menos de 21 días", "joined foi há menos de 21 dias",
         "joined خلال آخر 21 يوما"),
    ),
    (
        {"joined": {"not": {"within": "5 hours"}}},
        ("joined is not within the last 5 hours", "joined ne date pas de moins de 5 heures",
         "joined no fue hace menos de 5 horas", "joined não foi há menos de 5 horas",
         "joined ليس خلال آخر 5 ساعات"),
    ),
    (
        {"a": {"known": False}},
        ("a is not known", "a n'est pas connu", "a no se conoce", "a não é conhecido",
         "a غير معروف"),
    ),
    (
        {"not": {"a": {"known": False}}},
        ("a is known", "a est connu", "a se conoce", "a é conhecido", "a معروف"),
    ),
    (
        {"a": "x", "any": [{"b": 1}, {"b": 2}]},
        ("a is x and (b is 1 or b is 2)", "a est x et (b est 1 ou b est 2)",
         "a es x y (b es 1 o b es 2)", "a é x e (b é 1 ou b é 2)", "a هو x و(b هو 1 أو b هو 2)"),
    ),
    (
        {"not": {"a": "x", "b": "y"}},
        ("not (a is x and b is y)", "pas (a est x et b est y)", "no (a es x y b es y)",
         "não (a é x e b é y)", "ليس (a هو x وb هو y)"),
    ),
    (
        {"not": {"not": {"a": "x", "b": "y"}}},
        ("a is x and b is y", "a est x et b est y", "a es x y b es y", "a é x e b é y",
         "a هو x وb هو y"),
    ),
    ({"any": []}, ("never", "jamais", "nunca", "nunca", "أبدا")),
    ({"all": []}, ("always", "toujours", "siempre", "sempre", "دائما")),
]  # fmt: skip


@pytest.mark.parametrize(("mapping", "said"), SENTENCES)
def test_a_condition_reads_as_a_sentence(mapping: object, said: tuple[str, ...]) -> None:
    condition = parse(mapping, NAMES)
    for language, expected in zip(("en", "fr", "es", "pt", "ar"), said, strict=True):
        assert sentence(condition, language) == expected


def test_every_operator_and_kind_of_condition_is_among_them() -> None:
    everything = repr([mapping for mapping, _ in SENTENCES])
    assert all(f"'{operator}'" in everything for operator in OPERATORS)
    shown: set[type] = set()

    def walk(condition: Condition) -> None:
        shown.add(type(condition))
        for part in getattr(condition, "parts", ()):
            walk(part)
        if hasattr(condition, "part"):
            walk(condition.part)

    for mapping, _ in SENTENCES:
        walk(parse(mapping, NAMES))
    assert shown == set(get_args(Condition))


def test_a_language_we_do_not_speak_is_answered_in_english() -> None:
    assert sentence(parse({"a": "x"}, NAMES), "de") == "a is x"


def test_fields_and_values_are_said_by_the_names_people_know() -> None:
    names = {("country", None): "Country of residence", ("country", "ZA"): "South Africa"}
    condition = parse({"country": "ZA"}, NAMES)
    said = sentence(condition, "en", lambda field, value: names[(field, value)])
    assert said == "Country of residence is South Africa"
