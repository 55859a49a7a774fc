import pytest

from flows.countries import countries, flag_in
from flows.engine import start
from flows.sms import UCS, measure
from flows.wording import LANGUAGES, as_lines, compose
from tests.flows.play import NAMES, NOW, TAG, Talk, flow_of, shipped

COUNTRY = {"id": "country", "type": "country", "text": {"en": "In which country do you live?"}}


def asked() -> Talk:
    return Talk(flow_of(COUNTRY))


def hinted(code: str) -> Talk:
    talk = Talk(flow_of(COUNTRY))
    talk.state, talk.events = start(
        talk.flow, tag=TAG, language="en", now=NOW, hints={"country": code}
    )
    return talk


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("南アフリカ", "ZA"),
        ("Suid-Afrika", "ZA"),
        ("दक्षिण अफ़्रीका", "ZA"),
        ("Südafrika", "ZA"),
        ("Éire", "IE"),
        ("Ireland", "IE"),
        ("ኢትዮጵያ", "ET"),
        ("مصر", "EG"),
        ("Deutschland", "DE"),
        ("Türkiye", "TR"),
        ("Ελλάδα", "GR"),
        ("Россия", "RU"),
        ("中国", "CN"),
        ("UK", "GB"),
        ("England", "GB"),
        ("USA", "US"),
        ("EEUU", "US"),
        ("RDC", "CD"),
        ("D.R.C.", "CD"),
        ("Holland", "NL"),
        ("Ivory Coast", "CI"),
        ("Cote d’Ivoire", "CI"),
        ("the Netherlands", "NL"),
        ("in South Africa", "ZA"),
        ("j'habite en France", "FR"),
        ("vivo en España", "ES"),
        ("ZAF", "ZA"),
        ("🇿🇦", "ZA"),
        ("🇮🇪", "IE"),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "GB"),
    ],
)
def test_a_country_is_known_by_any_of_its_names(text: str, code: str) -> None:
    assert asked().say(text).state.answers == {"country": code}


@pytest.mark.parametrize(
    ("text", "code"),
    [("za", "ZA"), ("Irelnd", "IE"), ("Deutchland", "DE"), ("Sudafrca", "ZA"), ("Nairobi", "KE")],
)
def test_codes_misspellings_and_towns_are_read_back(text: str, code: str) -> None:
    talk = asked().say(text)
    assert talk.state.guess == code
    assert talk.say("yes").state.answers == {"country": code}


@pytest.mark.parametrize(("text", "codes"), [("SA", {"ZA", "SA"}), ("Kongo", {"CD", "CG"})])
def test_a_name_of_two_countries_is_asked_about(text: str, codes: set[str]) -> None:
    assert set(asked().say(text).state.picked) == codes


@pytest.mark.parametrize("text", ["no", "yes", "hello", "", "42", "qwertz", "🙂", "🇽🇽"])
def test_what_is_no_country_is_none(text: str) -> None:
    talk = asked().say(text)
    assert talk.state.answers == {}
    assert talk.state.guess is None
    assert flag_in(text) is None


def test_a_hint_is_asked_about_and_never_taken() -> None:
    talk = hinted("ZA")
    assert talk.lines == "Do you live in South Africa?\n1 Yes, I do\n2 Another country"
    assert talk.state.answers == {}
    for agreed in ("1", "yes", "Yes, I do", "👍"):
        assert hinted("ZA").say(agreed).state.answers == {"country": "ZA"}
    assert hinted("ZA").press("yes").state.answers == {"country": "ZA"}
    for refused in ("2", "no", "Another country"):
        assert hinted("ZA").say(refused).lines == "In which country do you live?"
    assert hinted("ZA").say("Ireland").state.answers == {"country": "IE"}
    assert hinted("ZA").say("Another country", "Kenia").state.guess in (None, "KE")


@pytest.mark.parametrize("code", ["AC", "XX", "", "za", "001"])
def test_a_hint_that_is_no_country_is_not_asked_about(code: str) -> None:
    assert hinted(code).lines == "In which country do you live?"


def test_a_hint_waits_for_its_question_and_is_used_once() -> None:
    flow = shipped("registration-express")
    talk = Talk(flow)
    talk.state, talk.events = start(
        flow, tag=TAG, language="en", now=NOW, hints={"country": "IE", "place": "1"}
    )
    talk.press("fr", "yes")
    assert talk.lines.splitlines()[:2] == ["1 de 3", "Vivez-vous dans ce pays : Irlande ?"] or (
        "Vivez-vous dans ce pays : Irlande ?" in talk.lines
    )
    talk.resume()
    assert "Irlande" in talk.lines
    talk.press("yes").say("retour")
    assert "Irlande" not in talk.lines


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_about_a_hint_fits_for_every_country(language: str) -> None:
    flow = flow_of({**COUNTRY, "text": {language: "?"}}, languages=(language,))
    for code in countries().codes:
        part = {"ask": "country", "guess": code, "hinted": True, "position": [1, 8]}
        prompt = compose([part], flow=flow, language=language, tag=TAG, names=NAMES)
        length = measure(as_lines(prompt))
        assert length.parts <= (2 if length.encoding == UCS else 1), code
