"""Comparisons of askers read as sentences, in every language we speak."""

from typing import Any

import pytest

from flows.flow import Flow, build
from flows.wording import LANGUAGES
from insights.comparison_words import sentences
from tests.answered import NEEDS, QUESTIONS

NAMES = {"1": {"en": "the consulate", "fr": "le consulat"}, "2": {"en": "a peer"}}


def flow(*more: Any) -> Flow:
    questions = [*QUESTIONS, *more]
    return build(
        {"flow": "hours", "kind": "poll", "languages": ["en", "fr", "ar"], "questions": questions}
    )


def compared(**changed: Any) -> dict[str, Any]:
    return {
        "what": "when_open.saturday",
        "between": ["1", "2"],
        "value": -7,
        "low": -12,
        "high": -1,
        "may_be_chance": False,
    } | changed


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            "Saturday: of 100 people, 7 fewer with the consulate than with a peer"
            " (-12 to -1, 95 times in 100); this is more than chance.",
        ),
        (
            "fr",
            "Samedi : sur 100 personnes, 7 de moins avec le consulat qu'avec a peer"
            " (de -12 à -1, 95 fois sur 100) ; c'est plus que le hasard.",
        ),
        (
            "ar",
            "السبت: من كل 100 شخص، 7 أقل مع the consulate مقارنة مع a peer"
            " (من \u200e-12 إلى \u200e-1، 95 مرة من 100)؛ هذا أكثر من صدفة.",
        ),
    ],
)
def test_a_comparison_reads_as_a_sentence(language: str, said: str) -> None:
    assert sentences(compared(), flow(), NAMES)[language] == said


@pytest.mark.parametrize("value", [-3, 0, 4])
@pytest.mark.parametrize("what", ["response", "completion", "when_open.mornings"])
def test_every_language_says_every_comparison(value: int, what: str) -> None:
    found = sentences(compared(value=value, what=what, may_be_chance=True), flow(), NAMES)
    assert set(found) == set(LANGUAGES)
    assert len(set(found.values())) == len(LANGUAGES)
    assert not any("{" in said for said in found.values())
    assert all((str(abs(value)) in said) or value == 0 for said in found.values())


def test_of_several_questions_each_option_has_its_question_before_it() -> None:
    found = sentences(compared(what="needs.papers", value=4), flow(NEEDS), NAMES)
    assert found["en"].startswith("What do you need? Papers: of 100 people, 4 more with")
