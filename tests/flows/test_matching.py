import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.dates import Unclear, read_date
from flows.figures import read_number
from flows.matching import Hit, build_table, find, find_like, find_many, find_near, says
from flows.normalising import normalise

VECTORS = json.loads(
    (Path(__file__).parent.parent / "vectors" / "channels.json").read_text(encoding="utf-8")
)["answer_matching"]


def table_of(*labels: str, strict: bool = False) -> Any:
    return build_table([{"en": [label]} for label in labels], strict=strict)


def found(text: str, *labels: str, strict: bool = False) -> int | None:
    table = table_of(*labels, strict=strict)
    hit = find(table, normalise(text), shown=range(len(labels)), language="en")
    return None if hit is None else hit.index + 1


def outcome(vector: dict[str, Any]) -> object:
    if "options" in vector:
        return found(vector["input"], *vector["options"])
    if vector["question"] == "date":
        read = read_date(vector["input"])
        return "ambiguous: ask" if isinstance(read, Unclear) else read and read.isoformat()
    return read_number(vector["input"], 1, 120)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: repr(vector["input"]))
def test_every_vector_of_the_reference_holds(vector: dict[str, Any]) -> None:
    assert outcome(vector) == vector["expect"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2)", 2),
        ("option 2", 2),
        ("２", 2),
        ("two", 2),
        ("deux", 2),
        ("اثنان", 2),
        ("-2", None),
        ("+2", None),
        ("2.0", None),
        ("1-2", None),
        ("1/2", None),
        ("2nd", None),
        ("99999999999999999999", None),
    ],
)
def test_a_number_chooses_in_any_script_but_no_sign_range_or_fraction(
    text: str, expected: int | None
) -> None:
    assert found(text, "Passport", "Housing") == expected


@pytest.mark.parametrize("text", ["3 please", "3, por favor", "3 s'il vous plaît", "٣ من فضلك"])
def test_a_number_may_be_polite(text: str) -> None:
    table = build_table([{"en": ["Mornings"]}, {"en": ["Evenings"]}, {"en": ["Saturday"]}])
    assert find(table, normalise(text), shown=range(3)) == Hit(2)


def test_labels_that_are_digits_switch_numbers_off() -> None:
    assert found("1990", "1980", "1990") == 2
    assert found("1", "1980", "1990") is None


def test_a_label_that_is_a_number_word_is_the_label() -> None:
    assert found("two", "Two", "One") == 1
    assert found("one", "Two", "One") == 2


def test_a_prefix_of_four_letters_must_be_unique() -> None:
    assert found("pass", "Passport", "Work") == 1
    assert found("pas", "Passport", "Work") is None
    assert found("work", "Work permit", "Work at home") is None


@pytest.mark.parametrize(
    ("text", "sure"), [("housng", False), ("housing", True), ("consultatoins", False)]
)
def test_a_spelling_guess_is_never_sure(text: str, sure: bool) -> None:
    table = table_of("Housing", "Consultations")
    hit = find(table, text, shown=(0, 1))
    assert hit is not None
    assert hit.sure is sure


def test_two_near_labels_are_no_guess() -> None:
    assert found("mars", "Marsh", "Marst") is None
    assert found("nigex", "Niger", "Nigeb") is None


def test_a_strict_table_takes_exact_labels_only() -> None:
    assert found("i agree", "I agree", "No thanks", strict=True) == 1
    for text in ("i agre", "agree", "thanks", "i agreee"):
        assert found(text, "I agree", "No thanks", strict=True) is None


def test_a_label_means_what_the_language_of_the_person_says() -> None:
    table = build_table([{"en": ["Chat"], "fr": ["Discussion"]}, {"en": ["Cat"], "fr": ["Chat"]}])
    assert find(table, "chat", shown=(0, 1), language="en") == Hit(0)
    assert find(table, "chat", shown=(0, 1), language="fr") == Hit(1)
    assert find(table, "chat", shown=(0, 1), language="ar") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,3", (0, 2)),
        ("1 3", (0, 2)),
        ("3; 1", (0, 2)),
        ("1 and 3", (0, 2)),
        ("1 et 3", (0, 2)),
        ("١، ٣", (0, 2)),
        ("١ و٣", (0, 2)),
        ("work, family papers", (0, 2)),
        ("family papers", (2,)),
        ("1 1 1", (0,)),
        ("1,9", None),
        ("work and something", None),
        ("", None),
        (",,,", None),
    ],
)
def test_every_part_of_a_list_must_match(text: str, expected: tuple[int, ...] | None) -> None:
    table = table_of("Work", "Housing", "Family papers")
    assert find_many(table, text, shown=(0, 1, 2), language="en") == expected


def test_numbers_count_the_options_of_the_page() -> None:
    table = table_of("Red", "Green", "Blue", "White")
    assert find(table, "1", shown=(2, 3)) == Hit(2)
    assert find(table, "3", shown=(2, 3)) is None


def test_a_search_finds_beginnings_before_words_inside() -> None:
    table = table_of("South Sudan", "Sudan", "Surinam", "Kenya")
    assert find_like(table, "sudan", most=5) == (1, 0)
    assert find_near(table, "kenia", most=5) == (3,)


@pytest.mark.parametrize(
    ("text", "answer"), [("yes", True), ("1", True), ("👍", True), ("non", False), ("x", None)]
)
def test_yes_and_no_are_understood(text: str, answer: bool | None) -> None:
    assert says(text) is answer


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(), max_size=60))
@example("\U0003134b\u0300")  # an accent on a character that Python 3.11 does not know
def test_no_text_breaks_matching(text: str) -> None:
    table = table_of("Yes", "No", "Côte d'Ivoire", "إيقاف")
    normalised = normalise(text)
    assert normalise(normalised) == normalised
    find(table, normalised, shown=range(4))
    find_many(table, text, shown=range(4))
    find_like(table, normalised, most=3)
    read_date(text)
    read_number(text, 0, 10)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Côte d’Ivoire", "cote d ivoire"),
        ("ÉTHIOPIE", "ethiopie"),
        ("إِيقَاف", "ايقاف"),
        ("مدرسة", "مدرسه"),
        ("\u202astop\u202c!", "stop"),
        ("ＳＴＯＰ", "stop"),
        ("👍🏽", "👍"),
        ("  Guinée–Bissau ", "guinee bissau"),
    ],
)
def test_spellings_of_the_same_word_are_one(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


def test_vowel_signs_of_indic_scripts_stay() -> None:
    assert normalise("कि") != normalise("क")


@pytest.mark.parametrize(
    ("text", "value"), [("25 ans", 25), ("25", 25), ("-5", None), ("130", None), ("25 cats", None)]
)
def test_a_number_may_carry_its_unit(text: str, value: int | None) -> None:
    assert read_number(text, 1, 120) == value
