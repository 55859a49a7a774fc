from itertools import islice

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, format_number

from flows.events import Answered
from flows.inputs import Attachment
from flows.phones import country_of, read_phone, show_phone
from flows.state import SEALED
from tests.flows.play import Talk, flow_of

PREFIXES = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
OWN = {
    regions[0]: prefix
    for prefix, regions in PREFIXES.items()
    if len(regions) == 1 and regions[0].isalpha()
}
SHARED = {prefix for prefix, regions in PREFIXES.items() if len(regions) > 1}


def numbers_of(region: str, many: int) -> list[str]:
    """Numbers like the country's example, with other last digits."""
    example = phonenumbers.example_number_for_type(
        region, phonenumbers.PhoneNumberType.MOBILE
    ) or phonenumbers.example_number(region)
    if example is None:
        return []
    number = format_number(example, PhoneNumberFormat.E164)
    return [f"{number[:-3]}{(int(number[-3:]) + 37 * step) % 1000:03}" for step in range(many)]


def test_five_thousand_numbers_give_the_right_country() -> None:
    pairs = [(region, number) for region in sorted(OWN) for number in numbers_of(region, 26)]
    assert len(pairs) >= 5000
    right = sum(country_of(number) == region for region, number in pairs)
    assert right / len(pairs) >= 0.99


def test_a_prefix_of_several_countries_gives_no_guess() -> None:
    for prefix in SHARED:
        for region in islice(PREFIXES[prefix], 6):
            for number in numbers_of(region, 3):
                assert country_of(number) is None
    assert {1, 7, 44, 212, 262, 590} <= SHARED


@pytest.mark.parametrize("number", ["", "+", "27821234567", "+999123456789", "+0", "+2x", "+٢٧"])
def test_what_is_no_number_gives_no_guess(number: str) -> None:
    assert country_of(number) is None


@pytest.mark.parametrize(
    ("typed", "country", "expected"),
    [
        ("+27 82 123 4567", None, "+27821234567"),
        ("0027 82 123-4567", None, "+27821234567"),
        ("082 123 4567", "ZA", "+27821234567"),
        ("27821234567", None, "+27821234567"),
        ("+٢٧ ٨٢ ١٢٣ ٤٥٦٧", None, "+27821234567"),
        ("(085) 012-3456", "IE", "+353850123456"),
        ("082 123 4567", None, None),
        ("12345", "ZA", None),
        ("call me", "ZA", None),
        ("+44 7700 90", None, None),
        ("", None, None),
    ],
)
def test_a_number_is_read_as_people_write_it(
    typed: str, country: str | None, expected: str | None
) -> None:
    assert read_phone(typed, country) == expected


def test_a_shown_number_is_read_again() -> None:
    for region in sorted(OWN)[::7]:
        for number in numbers_of(region, 1):
            assert read_phone(show_phone(number)) == number


PHONE = {"id": "callback", "type": "phone", "within": "country", "text": {"en": "Number?"}}
OWN_NUMBER = {"id": "own", "type": "contact", "text": {"en": "Your number?"}}


def test_a_phone_is_sealed_and_taken_in_the_country_given() -> None:
    country = {"id": "country", "type": "country", "text": {"en": "Country?"}}
    talk = Talk(flow_of(country, PHONE)).say("South Africa", "082 123 4567")
    assert talk.events[0] == Answered("callback", "+27821234567", sealed=True)
    assert talk.state.answers["callback"] == SEALED
    assert "82123" not in str(talk.state.to_json())


def test_one_presses_or_types_the_own_number_and_nobody_elses() -> None:
    talk = Talk(flow_of(OWN_NUMBER))
    assert talk.prompt.style == "contact"
    assert talk.prompt.navigation[0].label == "Send my number"
    assert talk.press("share").said == ["help_contact"]
    assert talk.send(Attachment("contact")).said == ["not_your_number"]
    assert talk.send(Attachment("photo")).said == ["photo_not_kept"]
    assert talk.state.attempts == 0
    for given in (
        Attachment("contact", number="+27821234567"),
        Attachment("contact", number="27821234567"),
    ):
        assert Talk(talk.flow).send(given).events[0] == Answered("own", "+27821234567", sealed=True)
