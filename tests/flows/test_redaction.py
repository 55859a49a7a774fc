import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.events import Answered
from flows.redaction import REMOVED, redact
from tests.flows.play import Talk, flow_of, text

GONE = [
    "4111 1111 1111 1111",
    "5555-5555-5555-4444",
    "378282246310005",
    "٤١١١١١١١١١١١١١١١",
    "DE89 3704 0044 0532 0130 00",
    "GB82WEST12345698765432",
    "passport number A1234567",
    "my passport is 123456789",
    "Passport no. C01X00T47",
    "pasaporte: XDA123456",
    "passeport n° 12AB34567",
    "جواز السفر رقم ١٢٣٤٥٦٧٨٩",
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    "AB1234567",
    "8001015009087",
    "29001011234567",
    "National ID 12345678",
    "carte d'identité n° 880692310285",
    "DNI 12345678Z",
    "X1234567L",
    "123.456.789-09",
    "cpf 52998224725",
    "123-45-6789",
    "2345 6789 0124",
    "RSSMRA85T10A562S",
    "QQ123456C",
]
STAYS = [
    "call +27 82 123 4567",
    "0821234567",
    "08012345678",
    "+4915112345678",
    "4915112345678",
    "0027821234567",
    "my passport is lost, call 0821234567",
    "my id card was stolen, +27821234567",
    "in 1998 and 2001",
    "born 12/03/1985",
    "2026-11-22 09:00",
    "SW1A 1AA",
    "D02 AF30",
    "75001 Paris",
    "1012 AB Amsterdam",
    "K1A 0B1",
    "12345-678",
    "C1425ABC",
    "10,000 people, 5000000 rand",
    "id card since 2010 and 2015",
    "flight BA2490",
    "passport 3 weeks ago",
    "CPT4F",
    "<<< hello >>>",
]


@pytest.mark.parametrize("number", GONE)
def test_numbers_of_papers_and_cards_are_taken_out(number: str) -> None:
    kept = redact(f"Hello, {number} is what I have")
    assert REMOVED in kept
    assert kept.startswith("Hello, ")
    assert kept.endswith(" is what I have")
    assert sum(character.isdigit() for character in kept) == 0


@pytest.mark.parametrize("words", STAYS)
def test_phones_years_and_postcodes_stay(words: str) -> None:
    assert redact(words) == words
    assert redact(f"I say: {words}, thanks") == f"I say: {words}, thanks"


def test_a_free_text_is_stored_without_the_number_and_the_person_is_told() -> None:
    talk = Talk(flow_of(text("why", longest="100"), text("more"))).say("lost passport A1234567")
    assert talk.events[0] == Answered("why", f"lost passport {REMOVED}", sealed=True)
    assert talk.said == ["redacted"]
    assert "1234567" not in talk.lines


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(), max_size=120))
def test_no_text_breaks_it_and_once_is_enough(words: str) -> None:
    kept = redact(words)
    assert redact(kept) == kept


@pytest.mark.parametrize("piece", ["1 ", "passport no ", "A", "<", "AB12 ", "id 1 2 ", "9"])
def test_long_texts_are_read_in_little_time(piece: str) -> None:
    redact((piece * 4096)[:4096])
