import csv
import time
from pathlib import Path
from zoneinfo import available_timezones

import pytest

from flows.countries import countries
from flows.gazetteer import Found, bundled
from flows.inputs import Pin
from flows.normalising import normalise
from tests.flows.play import Talk, flow_of

with (Path(__file__).parent / "cities.csv").open(encoding="utf-8", newline="") as lines:
    CITIES = list(csv.DictReader(lines))
PLACES = bundled()


def search(text: str, country: str | None = None) -> Found:
    return PLACES.search(text, country=country, language="en", most=6)


def is_right(row: dict[str, str], found: Found) -> bool:
    if not found.places:
        return False
    first = found.places[0]
    names = {normalise(name) for name in first.names.values()}
    return first.country == row["country"] and normalise(row["town"]) in names


def test_cities_are_found_in_any_script_misspelt_or_with_their_country() -> None:
    outcomes = [(row, search(row["typed"], row["within"] or None)) for row in CITIES]
    right = [is_right(row, found) for row, found in outcomes]
    assert len(CITIES) >= 200
    assert sum(right) / len(right) >= 0.95
    silently_wrong = [row for row, found in outcomes if found.exact and not is_right(row, found)]
    assert silently_wrong == []


@pytest.mark.parametrize("text", ["Springfield", "San José", "Tripoli", "Newcastle", "Georgetown"])
def test_towns_of_one_name_are_asked_about(text: str) -> None:
    found = search(text)
    assert not found.exact
    assert len(found.places) > 1
    assert {normalise(place.names["en"]) for place in found.places[:2]} & {normalise(text)}


@pytest.mark.parametrize("text", ["nairobbi", "cape twon", "johanesburg x", "Edinborow", "Kinsale"])
def test_what_is_only_near_is_never_taken_at_once(text: str) -> None:
    assert not search(text).exact


@pytest.mark.parametrize(
    "text", ["", "?", "zzzzqqqq", "1", "🙂", "a" * 5000, "," * 300, "st " * 99]
)
def test_nonsense_finds_nothing_for_sure(text: str) -> None:
    assert not search(text).exact


def test_a_qualifier_that_fits_decides_and_one_that_does_not_is_read_back() -> None:
    assert search("Springfield, Illinois").places[0].region_name == "Illinois"
    assert search("Springfield, Illinois").exact
    assert search("Paris").places[0].country == "FR"
    assert search("Paris, Texas").places[0].country == "US"
    elsewhere = search("Nairobi, Qwertz")
    assert elsewhere.places[0].country == "KE"
    assert not elsewhere.exact
    assert search("Cairo", "QQ").places == ()


def test_every_town_has_a_country_a_time_zone_and_a_name() -> None:
    zones = available_timezones()
    for row in CITIES:
        for place in search(row["typed"], row["within"] or None).places:
            assert PLACES.get(place.id) is place
            assert place.country in countries().names
            assert place.time_zone in zones
            assert place.name("fr")
    for wrong in ("", "0", "x", "za-cape-town", "99999999999999", "²"):
        assert PLACES.get(wrong) is None


def test_irish_towns_keep_dublin_time() -> None:
    for text in ("Dublin", "Cork", "Galway", "Limerick", "Letterkenny", "Sligo"):
        found = search(text, "IE")
        assert found.exact
        assert found.places[0].time_zone == "Europe/Dublin"


def test_a_pin_is_rounded_to_the_town_and_thrown_away() -> None:
    place = {"id": "town", "type": "place", "text": {"en": "Where?"}}
    talk = Talk(flow_of(place)).send(Pin(-33.9012, 18.6298))
    assert talk.lines.startswith("Did you mean Bellville, South Africa?")
    stored = str(talk.state.to_json()) + str(talk.parts)
    assert "33.9" not in stored
    assert "18.6" not in stored
    assert talk.say("1").state.answers == {"town": "1000000001"}
    assert PLACES.nearest(-60, -140) is None
    assert PLACES.nearest(float("nan"), 0) is None
    fiji = PLACES.nearest(-18.14, 178.44)
    assert fiji is not None
    assert fiji.country == "FJ"


def test_a_greeting_is_no_town() -> None:
    place = {"id": "town", "type": "place", "text": {"en": "Where?"}}
    talk = Talk(flow_of(place)).say("hello", "Bonjour", "السلام عليكم")
    assert talk.state.answers == {}
    assert talk.state.attempts == 0


def test_a_typical_search_is_quick() -> None:
    search("warm")
    texts = [row["typed"] for row in CITIES[:100]]
    start = time.perf_counter()
    for text in texts:
        search(text)
    assert (time.perf_counter() - start) / len(texts) < 0.02
