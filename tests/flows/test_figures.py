import random
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.dates import DAY, MONTH, YEAR, read_when, show
from flows.events import Answered
from flows.figures import Maybe, read_count
from flows.questions import BY_NAME
from flows.wording import LANGUAGES
from tests.flows.play import Talk, flow_of

SCRIPTS = [
    "0123456789",
    "٠١٢٣٤٥٦٧٨٩",
    "۰۱۲۳۴۵۶۷۸۹",
    "०१२३४५६७८९",
    "０１２３４５６７８９",
    "০১২৩৪৫৬৭৮৯",
]


def date_question(**more: object) -> Talk:
    return Talk(flow_of({"id": "when", "type": "date", "text": {"en": "When?"}, **more}))


def number_question(**more: object) -> Talk:
    return Talk(flow_of({"id": "many", "type": "number", "text": {"en": "How many?"}, **more}))


@pytest.mark.parametrize("digits", SCRIPTS)
def test_numbers_are_read_in_every_script(digits: str) -> None:
    for value in (0, 7, 25, 1990):
        written = str(value).translate({ord(str(one)): digits[one] for one in range(10)})
        assert read_count(written) == value
        assert read_count(f" {written} ans ") == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("25 years", 25),
        ("25ans", 25),
        ("3 personas", 3),
        ("5 أشخاص", 5),
        ("٢٥ سنة", 25),
        ("about 4 people", 4),
        ("cerca de 12 meses", 12),
        ("#3", 3),
        ("1️⃣", 1),
        ("seven", 7),
        ("dix-sept", 17),
        ("quatre-vingts", Maybe(80)),
        ("treinta", 30),
        ("quinze dias", 15),
        ("خمسة عشر", 15),
        ("once", Maybe(11)),
        ("twenty-five", Maybe(25)),
        ("vingt et un", Maybe(21)),
        ("soixante-douze", Maybe(72)),
        ("quatre-vingt-dix", 90),
        ("treinta y cinco", Maybe(35)),
        ("trinta e cinco", Maybe(35)),
        ("خمسة وعشرون", Maybe(25)),
        ("1,500", Maybe(1500)),
        ("1 500", Maybe(1500)),
        ("1.500.000", Maybe(1500000)),
        ("-3", None),
        ("2.5", None),
        ("3-4", None),
        ("2 5", None),
        ("1e2", None),
        ("many", None),
        ("", None),
        ("years", None),
        ("9999999999", None),
    ],
)
def test_numbers_are_read_with_words_and_units(text: str, expected: int | Maybe | None) -> None:
    assert read_count(text) == expected


def test_a_number_keeps_its_limits_and_reads_back_what_is_unclear() -> None:
    talk = number_question(min="1", max="5000", unit={"en": ["cows"]})
    assert talk.say("12 cows").state.answers == {"many": 12}
    assert number_question(min="1", max="9").say("12").said == ["number_between"]
    asked = number_question().say("twenty five")
    assert asked.lines.startswith("Did you mean 25?")
    assert asked.say("yes").events[0] == Answered("many", 25, sealed=False)
    assert number_question().say("a few").lines.startswith("Please send only a number")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("precision", [DAY, MONTH, YEAR])
def test_a_date_that_is_shown_is_read_as_the_same(language: str, precision: str) -> None:
    chance = random.Random(7)
    cut = {DAY: 10, MONTH: 7, YEAR: 4}[precision]
    for _ in range(60):
        day = date(1930, 1, 1) + timedelta(days=chance.randrange(40000))
        value = day.isoformat()[:cut]
        assert read_when(show(value, language), precision) == (value,)
        assert read_when(value, precision) == (value,)


@pytest.mark.parametrize(
    ("text", "precision", "expected"),
    [
        ("3 févr 2001", DAY, ("2001-02-03",)),
        ("le 3 février 2001", DAY, ("2001-02-03",)),
        ("1er mars 2001", DAY, ("2001-03-01",)),
        ("February 3rd, 2001", DAY, ("2001-02-03",)),
        ("3 de febrero de 2001", DAY, ("2001-02-03",)),
        ("3 fevereiro 2001", DAY, ("2001-02-03",)),
        ("٣ فبراير ٢٠٠١", DAY, ("2001-02-03",)),
        ("3 كانون الأول 2001", DAY, ("2001-12-03",)),
        ("3 كانون الثاني 2001", DAY, ("2001-01-03",)),
        ("3feb2001", DAY, ("2001-02-03",)),
        ("23.02.2001", DAY, ("2001-02-23",)),
        ("3/2/2001", DAY, ("2001-02-03", "2001-03-02")),
        ("3/3/2001", DAY, ("2001-03-03",)),
        ("31/02/2001", DAY, ()),
        ("3/2/01", DAY, ()),
        ("feb 2001", MONTH, ("2001-02",)),
        ("02/2001", MONTH, ("2001-02",)),
        ("2001-2", MONTH, ("2001-02",)),
        ("فبراير 2001", MONTH, ("2001-02",)),
        ("13/2001", MONTH, ()),
        ("3/2/2001", MONTH, ("2001-02", "2001-03")),
        ("in 2001", YEAR, ("2001",)),
        ("depuis 2001", YEAR, ("2001",)),
        ("منذ ٢٠٠١", YEAR, ("2001",)),
        ("3/2/2001", YEAR, ("2001",)),
        ("95", YEAR, ()),
        ("long ago", YEAR, ()),
    ],
)
def test_dates_are_read_as_people_write_them(
    text: str, precision: str, expected: tuple[str, ...]
) -> None:
    assert read_when(text, precision) == expected


def test_a_date_that_can_be_two_is_asked_about() -> None:
    talk = date_question().say("3/2/2001")
    assert "1 3 February 2001\n2 2 March 2001" in talk.lines
    assert talk.say("2").state.answers == {"when": "2001-03-02"}
    pressed = date_question().say("3/2/2001").press("2001-02-03")
    assert pressed.state.answers == {"when": "2001-02-03"}
    assert date_question(latest="2001-02-20").say("3/2/2001").state.answers["when"] == "2001-02-03"


def test_a_date_keeps_its_bounds() -> None:
    talk = date_question(precision="month", earliest="1990", latest="2001-06")
    assert talk.say("7/2001").said == ["date_between"]
    assert "1990" in talk.lines
    assert talk.say("6/2001").state.answers == {"when": "2001-06"}
    assert date_question(precision="year").say("soon").lines.startswith("Please write the year")


def test_a_scale_is_answered_by_digit_word_star_or_end() -> None:
    flow = flow_of(BY_NAME["scale"].example)
    talk = Talk(flow)
    assert talk.lines.endswith("1 = not at all, 5 = fully")
    assert [one.label for one in talk.prompt.choices] == ["1", "2", "3", "4", "5"]
    for text, value in [("4", 4), ("٤", 4), ("four", 4), ("4/5", 4), ("⭐⭐⭐⭐", 4), ("Fully", 5)]:
        assert Talk(flow).say(text).state.answers == {"trust": value}
    assert Talk(flow).press("3").state.answers == {"trust": 3}
    for text in ("6", "0", "4/10", "good"):
        assert Talk(flow).say(text).state.attempts == 1
    assert flow.questions[0].summarise([4, 4, 5]) == {"4": 2, "5": 1}


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(), max_size=70))
def test_no_text_breaks_numbers_and_dates(text: str) -> None:
    read_count(text)
    for precision in (DAY, MONTH, YEAR):
        for value in read_when(text, precision):
            assert read_when(value, precision) == (value,)
            show(value, "ar")


def test_the_first_of_a_month_is_called_so_in_french_and_read_back() -> None:
    assert show("2027-03-01", "fr") == "1er mars 2027"
    assert show("2027-03-11", "fr") == "11 mars 2027"
    assert read_when(show("2027-03-01", "fr"), DAY) == read_when("1 mars 2027", DAY)
