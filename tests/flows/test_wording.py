import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.events import Asked, Said, as_part
from flows.filling import filled
from flows.wording import Choice, Prompt, as_lines, compose, phrase, phrases, say
from tests.flows.play import NAMES, TAG, Talk, choice, flow_of, shipped, text


def test_a_question_and_its_digits_form() -> None:
    talk = Talk(flow_of(choice("one"), choice("two", required=False))).say("red")
    assert talk.prompt == Prompt(
        text="2 of 2\nWhich two?",
        choices=(
            Choice("Red", f"{TAG}.two.red", "1"),
            Choice("Green", f"{TAG}.two.green", "2"),
            Choice("Blue", f"{TAG}.two.blue", "3"),
        ),
        style="choice",
        navigation=(Choice("Skip", f"{TAG}.two.skip", "0"), Choice("Back", f"{TAG}.two.back", "9")),
    )
    assert talk.lines == "2 of 2\nWhich two?\n1 Red\n2 Green\n3 Blue\n0 Skip\n9 Back"


def test_where_digits_are_values_the_words_are_told() -> None:
    talk = Talk(flow_of(choice(), text(required=False))).say("red")
    assert talk.lines == "2 of 2\nWhy?\nSend SKIP to skip. BACK to go back."
    assert [one.label for one in talk.prompt.navigation] == ["Skip", "Back"]


def test_what_one_step_says_is_one_message() -> None:
    parts = [as_part(Said("too_long", {"most": "10"})), as_part(Asked("colour"))]
    prompt = compose(parts, flow=flow_of(choice()), language="en", tag=TAG, names=NAMES)
    assert prompt.text == "That is too long. At most 10 letters, please.\nWhich colour?"


def test_names_are_isolated_where_text_runs_right_to_left() -> None:
    flow = shipped("registration-express")
    ask = [as_part(Asked("consent"))]
    arabic = compose(ask, flow=flow, language="ar", tag=TAG, names=NAMES).text
    english = compose(ask, flow=flow, language="en", tag=TAG, names=NAMES).text
    assert "\u2068Consulate in Cape Town\u2069" in arabic
    assert "Consulate in Cape Town" in english
    assert "\u2068" not in english


def test_a_placeholder_nobody_fills_leaves_no_braces() -> None:
    prompt = compose([{"say": "hello"}], flow=None, language="en", tag=TAG, names={})
    assert "{" not in prompt.text


def test_braces_in_what_somebody_is_called_are_not_placeholders() -> None:
    names = {"organisation": "{office}", "office": "secret"}
    prompt = compose([{"say": "hello"}], flow=None, language="en", tag=TAG, names=names)
    assert prompt.text.startswith("This is {office}.")


@pytest.mark.parametrize(("language", "begin"), [("fr-CA", "Passer"), ("de", "Skip"), ("", "Skip")])
def test_another_language_falls_back(language: str, begin: str) -> None:
    assert phrase("skip", language) == begin


def test_a_flow_text_falls_back_to_the_flows_first_language() -> None:
    prompt = compose(
        [as_part(Asked("colour"))], flow=flow_of(choice()), language="ar", tag=TAG, names={}
    )
    assert prompt.text == "Which colour?"
    assert prompt.choices[0].label == "Red"


def test_unknown_phrases_and_questions_are_left_out() -> None:
    parts = [{"say": "no_such"}, {"ask": "no_such"}, {"say": "thanks"}]
    prompt = compose(parts, flow=flow_of(choice()), language="en", tag=TAG, names={})
    assert prompt == Prompt(phrases("en")["thanks"])


def test_help_on_consent_does_not_repeat_the_long_text() -> None:
    part = as_part(Asked("consent", rung=1))
    prompt = compose(
        [part], flow=shipped("registration-express"), language="en", tag=TAG, names=NAMES
    )
    assert prompt.text == phrases("en")["help_consent"]
    assert len(prompt.choices) == 3


def test_say_fills_parameters() -> None:
    assert say("at_most", "en", most="2") == "Please choose at most 2."


def test_an_empty_prompt_has_no_lines() -> None:
    assert as_lines(Prompt("")) == ""


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_no_name_breaks_a_message(name: str, language: str) -> None:
    names = {"organisation": name}
    prompt = compose([{"say": "hello"}], flow=None, language=language, tag=TAG, names=names)
    assert name in prompt.text


def test_nothing_stands_behind_a_link_that_a_phone_takes_for_a_part_of_it() -> None:
    told = filled("{who}: {link}", "ar", (("who", "Amina"), ("link", "https://x.org/j/k7")))
    assert told == "\u2068Amina\u2069: https://x.org/j/k7"
