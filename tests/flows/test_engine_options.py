import pytest

from flows.events import (
    Answered,
    Asked,
    ConsentGranted,
    ConsentWithdrawn,
)
from flows.inputs import Pin
from flows.keywords import inside
from flows.matching import says
from flows.normalising import normalise
from flows.wording import LANGUAGES, phrases
from tests.flows.play import TAG, Talk, choice, flow_of, shipped, text

PURPOSES = {
    "id": "purposes",
    "type": "multi",
    "grants": True,
    "at_least": 0,
    "text": {"en": "About what?"},
    "options": [
        {"value": value, "label": {"en": value.capitalize()}}
        for value in ("alerts", "polls", "events")
    ],
}


def test_toggles_edit_the_message_until_done() -> None:
    talk = Talk(flow_of(PURPOSES, choice())).press("polls", "events")
    assert talk.events == (
        Asked("purposes", picked=("polls", "events"), edit=True, position=(1, 2)),
    )
    assert talk.prompt.picked == (f"{TAG}.purposes.-polls", f"{TAG}.purposes.-events")
    talk.press("-polls", "done")
    assert talk.effects == [
        Answered("purposes", ["events"], sealed=False),
        ConsentGranted("events", "purposes"),
    ]


def test_a_box_pressed_twice_stays_as_it_was_pressed_first() -> None:
    talk = Talk(flow_of(PURPOSES, choice())).press("polls", "polls", "events")
    assert talk.state.picked == ("polls", "events")
    assert talk.press("-polls", "-polls").state.picked == ("events",)


def test_purposes_taken_back_are_withdrawn() -> None:
    talk = Talk(flow_of(PURPOSES, choice())).say("1,2", "back")
    assert talk.state.picked == ("alerts", "polls")
    talk.press("-polls", "done")
    assert ConsentWithdrawn("polls", "purposes") in talk.effects
    assert ConsentWithdrawn("alerts", "purposes") not in talk.effects


def test_no_purpose_at_all_is_an_answer() -> None:
    assert Talk(flow_of(PURPOSES, choice())).say("0").state.answers == {"purposes": []}
    assert Talk(flow_of(PURPOSES, choice())).press("none").state.answers == {"purposes": []}


def test_too_many_are_refused_with_the_number() -> None:
    needs = {**PURPOSES, "at_least": 1, "at_most": 2, "grants": False}
    talk = Talk(flow_of(needs, choice())).press("alerts", "polls", "events")
    assert talk.said == ["at_most"]
    assert talk.state.picked == ("alerts", "polls")
    assert Talk(flow_of(needs, choice())).say("1,2,3").said == ["at_most"]
    assert Talk(flow_of(needs, choice())).press("done").said == ["at_least"]


def test_a_guess_is_read_back_and_confirmed() -> None:
    talk = Talk(flow_of(choice("place_kind", "mountain", "seaside"), text()))
    assert talk.say("mountian").lines == (
        "Did you mean Mountain?\n1 That is right\n2 No, I try again"
    )
    assert talk.effects == []
    assert talk.say("1").state.answers == {"place_kind": "mountain"}


@pytest.mark.parametrize("denied", ["2", "no"])
def test_a_denied_guess_asks_again(denied: str) -> None:
    talk = Talk(flow_of(choice("place_kind", "mountain", "seaside"), text()))
    talk.say("mountian", denied)
    assert talk.state.answers == {}
    assert talk.state.guess is None
    assert talk.lines.startswith("1 of 2\nWhich place_kind?")


def test_typing_anew_answers_instead_of_the_guess() -> None:
    talk = Talk(flow_of(choice("place_kind", "mountain", "seaside"), text()))
    assert talk.say("mountian", "seaside").state.answers == {"place_kind": "seaside"}


def test_long_lists_are_shown_in_pages_of_six() -> None:
    talk = Talk(flow_of(choice("letter", *(f"option{one}" for one in "abcdefgh"))))
    assert talk.lines.splitlines()[-2:] == ["6 Optionf", "7 Show more"]
    assert talk.say("7").lines.splitlines()[1:] == ["1 Optiong", "2 Optionh", "7 Show more"]
    assert talk.say("more", "more", "2").state.answers == {"letter": "optionh"}
    pressed = Talk(talk.flow).press("more")
    assert pressed.events == (Asked("letter", page=1, edit=True),)
    assert pressed.say("optiona").state.answers == {"letter": "optiona"}


def test_a_country_is_typed_and_several_matches_are_offered() -> None:
    talk = Talk(shipped("registration-express")).say("1", "1", "korea")
    assert talk.state.answers["country"] == "KR"
    talk = Talk(shipped("registration-express")).say("1", "1", "guinea-")
    assert talk.state.answers["country"] == "GN"
    talk = Talk(shipped("registration-express")).say("1", "1", "south")
    assert talk.lines.startswith("1 of 3\nWhich one do you mean?")
    assert talk.say("1").state.answers["country"] == "ZA"


def test_a_pin_gives_the_town_and_is_read_back() -> None:
    talk = Talk(shipped("registration-express")).say("1", "1", "South Africa", "0")
    talk.send(Pin(-33.91, 18.61))
    assert talk.lines.startswith("Did you mean Bellville?")
    assert talk.say("yes").state.answers["place"] == "1000000001"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_buttons_beside_the_options_say_can_be_typed(language: str) -> None:
    own = phrases(language)
    assert says(normalise(own["guess_right"])) is True
    assert says(normalise(own["guess_wrong"])) is False
    for name in ("skip", "back", "more", "person"):
        assert inside(normalise(own[name])) == name
    for name in ("none", "done"):
        talk = Talk(flow_of(PURPOSES, choice()))
        assert talk.press(*(["polls"] if name == "done" else [])).say(own[name]).effects
