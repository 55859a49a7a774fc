"""Answers of the kinds of the reference that are not in its vectors: right, or asked back."""

import pytest

from flows.dates import Unclear, read_date
from flows.figures import read_number
from flows.sms import measure
from tests.flows.test_matching import found

YES_NO = ("Yes", "No")
COUNTRIES = ("Côte d'Ivoire", "Congo", "Congo (RDC)", "Éthiopie", "Sénégal", "Cameroun")

PAIRS: dict[str, int | None] = {
    # digits of every script, circled, small, in keycaps, with a mark before or behind
    "1️⃣": 1, "2️⃣": 2, "１": 1, "٢": 2, "۲)": 2, "२": 2, "২": 2, "๒": 2, "²": 2, "②": 2, "2\u200d": 2,
    "\u202b2\u202c": 2, "\u20682\u2069": 2, " 2 ": 2, "2.": 2, "Option: 2": 2, "no. 1": 1,
    # politely
    "2, thanks": 2, "2 s'il vous plait": 2, "1 por favor": 1, "1 merci": 1, "2 من فضلك": 2,
    # by place
    "first": 1, "the first one": 1, "The second": 2, "premier": 1, "la primera": 1, "segundo": 2,
    "o primeiro": 1, "الأول": 1, "الثاني": 2, "third": None,
    # words
    "deux": 2, "DOS": 2, "واحد": 1, "yes!": 1, "“yes”": 1, "«oui»": 1, "¡Sí!": 1,
    "sim": 1, "نعم": 1,
    "\u200fنعم\u200f": 1, "नहीं": 2, "não": 2, "لا": 2, "👍🏽": 1, "👎🏿": 2, "✅": 1,
    "❌": 2, "YES.": 1,
    # asked back: politeness with a word, two answers, ranges, what is not offered
    "oui svp": None, "yes please": None, "yes yes": None, "1,2": None, "1 or 2": None, "1-2": None,
    "12": None, "3": None, "-1": None, "+1": None, "1.5": None, "½": None, "🔟": None, "Ⅱ": None,
    "1e0": None, "yes no": None, "2nd": None, "maybe": None, "?": None, "…": None, "\u200b": None,
}  # fmt: skip
NAMES: dict[str, int | None] = {
    "cote divoire": 1, "COTE D'IVOIRE": 1, "côte-d’ivoire": 1, "Congo": 2, "congo rdc": 3, "RDC": 3,
    "Ethiopie": 4, "éthiopie!": 4, "SENEGAL": 5, "sene": 5, "sixth": 6, "6": 6,
    "sen": None, "cam": None, "7": None, "congo 2": None, "congo, cameroun": None,
}  # fmt: skip
MISSPELT = {"Senegale": 5, "senegall": 5, "camerun": 6, "Kameroun": 6, "etiopie": 4}
FIGURES: dict[str, int | None] = {
    "२५": 25, "𝟚𝟝": 25, "②⑤": 25, "25 años": 25, "٢٥ سنة": 25, "25yo": 25, "I am 25": 25, "025": 25,
    "about 25": 25, "25!": 25, "120": 120,
    "-5": None, "+25": None, "25-30": None, "25,5": None, "0": None, "121": None, "~25": None,
    "25 26": None, "９９９９９９９９９９": None, "∞": None, "NaN": None, "0x19": None,
}  # fmt: skip
DATES: dict[str, str | None] = {
    "3 February 2001": "2001-02-03", "Feb 3, 2001": "2001-02-03", "2001/02/03": "2001-02-03",
    "03 de febrero de 2001": "2001-02-03", "3 fevereiro 2001": "2001-02-03",
    "3 فبراير 2001": "2001-02-03", "31/12/1999": "1999-12-31",
    "3.2.2001": "ask", "३/२/२००१": "ask", "30/02/2001": None, "13/13/2001": None, "today": None,
    "1999": None, "29/02/2001": None, "29/02/2000": "2000-02-29",
}  # fmt: skip
LENGTHS: list[tuple[str, str, int, int]] = [
    ("😀" * 35, "UCS-2", 70, 1), ("😀" * 36, "UCS-2", 72, 2), ("[]" * 40, "GSM-7", 160, 1),
    ("€" * 81, "GSM-7", 162, 2), ("a" * 159 + "€", "GSM-7", 161, 2),
    ("👩‍👩‍👧‍👦" * 6, "UCS-2", 66, 1),
    ("👩‍👩‍👧‍👦" * 7, "UCS-2", 77, 2), ("\f" * 80, "GSM-7", 160, 1), ("`", "UCS-2", 1, 1),
    ("ç", "UCS-2", 1, 1), ("Ç" * 160, "GSM-7", 160, 1), ("ا" * 71, "UCS-2", 71, 2),
    ("e\u0301", "UCS-2", 2, 1), ("\n" * 160, "GSM-7", 160, 1), ("ñ¿¡ÄÖ§Üà" * 20, "GSM-7", 160, 1),
    ("\u00a0", "UCS-2", 1, 1), ("’", "UCS-2", 1, 1), ("Δ" * 161, "GSM-7", 161, 2),
    ("\t", "UCS-2", 1, 1), ("a" * 152 + "[" + "a" * 153, "GSM-7", 307, 3),
    ("ا" * 66 + "😀" + "ا" * 66, "UCS-2", 134, 3),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PAIRS.items(), ids=repr)
def test_yes_or_no(text: str, expected: int | None) -> None:
    assert found(text, *YES_NO) == expected


@pytest.mark.parametrize(("text", "expected"), NAMES.items(), ids=repr)
def test_names_are_found_or_asked_back(text: str, expected: int | None) -> None:
    assert found(text, *COUNTRIES) == expected


@pytest.mark.parametrize(("text", "expected"), MISSPELT.items(), ids=repr)
def test_a_misspelt_name_is_found(text: str, expected: int) -> None:
    assert found(text, *COUNTRIES) == expected


def test_a_label_that_is_a_place_is_the_label() -> None:
    assert found("second", "Second", "First") == 1
    assert found("first", "Second visit", "First visit") == 2


def test_consent_is_never_given_by_a_place() -> None:
    assert found("the first one", "I agree", "I do not agree", strict=True) is None


@pytest.mark.parametrize(("text", "expected"), FIGURES.items(), ids=repr)
def test_figures(text: str, expected: int | None) -> None:
    assert read_number(text, 1, 120) == expected


@pytest.mark.parametrize(("text", "expected"), DATES.items(), ids=repr)
def test_dates(text: str, expected: str | None) -> None:
    read = read_date(text)
    assert ("ask" if isinstance(read, Unclear) else read and read.isoformat()) == expected


@pytest.mark.parametrize(("text", "encoding", "units", "parts"), LENGTHS)
def test_lengths(text: str, encoding: str, units: int, parts: int) -> None:
    found_length = measure(text)
    assert (found_length.encoding, found_length.units, found_length.parts) == (
        encoding,
        units,
        parts,
    )
