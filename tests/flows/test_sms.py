import json
from pathlib import Path
from typing import Any

import pytest
import smsutil
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.sms import GSM, UCS, Length, is_gsm, measure, split

VECTORS = json.loads(
    (Path(__file__).parent.parent / "vectors" / "channels.json").read_text(encoding="utf-8")
)["sms_segments"]
WRITTEN = st.text(
    st.one_of(
        st.sampled_from("abcXYZ 019\n€{}[]~^\\|éèùòÇñ"),
        st.characters(blacklist_categories=["Cs"]),
    ),
    max_size=400,
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: repr(vector["text"][:12]))
def test_every_vector_of_the_reference_holds(vector: dict[str, Any]) -> None:
    expected = Length(vector["encoding"], vector["units"], vector["segments"])
    assert measure(vector["text"]) == expected


def test_an_empty_text_is_one_part() -> None:
    assert measure("") == Length(GSM, 0, 1)
    assert split("") == ("",)


def test_one_typographic_mark_more_than_halves_the_room() -> None:
    assert measure("d'accord " * 10).parts == 1
    assert measure("d’accord " * 10).parts == 2


def test_only_some_french_letters_are_in_the_alphabet() -> None:
    assert is_gsm("à é è ù É Ç")
    assert not any(is_gsm(letter) for letter in "çêîôûëïâœÀ")


@settings(max_examples=100, deadline=None)
@given(WRITTEN)
def test_splitting_loses_no_character_and_fills_no_part_too_far(text: str) -> None:
    parts = split(text)
    assert "".join(parts) == text
    assert len(parts) == measure(text).parts
    encoding = measure(text).encoding
    for part in parts:
        size = len(part.encode("utf-16-be")) // 2 if encoding == UCS else None
        room = 70 if len(parts) == 1 else 67
        assert size is None or size <= room


@settings(max_examples=100, deadline=None)
@given(WRITTEN.filter(lambda text: "\f" not in text))
def test_another_implementation_counts_the_same(text: str) -> None:
    assert measure(text).parts == max(1, len(smsutil.split(text).parts))
