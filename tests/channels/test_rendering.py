"""Prompts fit each provider's limits, whatever their labels; pressing says what digits say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import SendError
from bot.channels.telegram_sending import keyboard
from bot.channels.twilio_contents import Picture, content_host, picture_of
from flows.wording import Choice, Prompt, as_lines
from tests.channels.views import YES_NO, choices

LABELS = st.lists(st.text(min_size=1, max_size=80), max_size=25, unique=True)
NAVIGATION = (Choice("Skip", "a1.q1.skip", "0"), Choice("Back", "a1.q1.back", "9"))


def labels(prompt: Prompt) -> list[list[str]]:
    return [[button["text"] for button in row] for row in keyboard(prompt)]


def test_two_short_answers_share_a_row_and_long_ones_do_not() -> None:
    assert labels(YES_NO) == [["Yes", "No"]]
    long = Prompt("?", choices("As often as it makes sense", "Never"), "choice")
    assert labels(long) == [["As often as it makes sense"], ["Never"]]


def test_many_short_answers_stand_in_two_columns() -> None:
    prompt = Prompt("?", choices("a", "b", "c", "d", "e"), "choice", navigation=NAVIGATION)
    assert labels(prompt) == [["a", "b"], ["c", "d"], ["e"], ["Skip", "Back"]]


def test_multiple_choices_show_what_is_ticked() -> None:
    prompt = Prompt(
        "?", choices("News", "Work"), "multi", ("a1.q1.v2",), (Choice("Done", "a1.q1.done", ""),)
    )
    assert labels(prompt) == [["☐ News", "☑ Work"], ["Done"]]


def test_a_text_question_has_only_its_navigation() -> None:
    assert labels(Prompt("Name?", navigation=NAVIGATION)) == [["Skip", "Back"]]
    assert keyboard(Prompt("Thank you.")) == []


@given(LABELS)
def test_no_keyboard_breaks_telegrams_limits(words: list[str]) -> None:
    prompt = Prompt("?", choices(*words), "choice", navigation=NAVIGATION)
    rows = keyboard(prompt)
    buttons = [button for row in rows for button in row]
    assert len(buttons) == len(words) + 2 <= 100
    assert all(1 <= len(row) <= 8 for row in rows)
    assert all(1 <= len(button["text"]) <= 64 for button in buttons)
    assert all(1 <= len(button["callback_data"].encode()) <= 64 for button in buttons)


@pytest.mark.parametrize("choice", [Choice("x", "p" * 65, "1"), Choice("", "p", "1")])
def test_a_button_telegram_would_refuse_is_our_fault_and_said_so(choice: Choice) -> None:
    with pytest.raises(SendError) as refused:
        keyboard(Prompt("?", (choice,), "choice"))
    assert refused.value.alert


def test_three_short_answers_are_whatsapp_buttons() -> None:
    picture = picture_of(YES_NO)
    assert picture == Picture(
        "buttons", 2,
        {"1": YES_NO.text, "2": "Yes", "3": "a1.q1.v1", "4": "No", "5": "a1.q1.v2"},
    )  # fmt: skip


def test_long_answers_to_a_short_question_are_lines_with_buttons_of_digits() -> None:
    prompt = Prompt("When?", choices("On weekday mornings, early", "Saturday"), "choice")
    picture = picture_of(prompt)
    assert picture is not None
    assert picture.variables["1"] == as_lines(prompt)
    assert (picture.variables["2"], picture.variables["4"]) == ("1", "2")


def test_a_long_row_of_a_list_says_all_of_itself_below() -> None:
    long = "Somewhere else in the world, please write"
    picture = picture_of(Prompt("Where?", choices("A", "B", "C", long), "choice"))
    assert picture is not None
    assert (picture.kind, picture.size) == ("list", 4)
    assert picture.variables["14"] == long
    assert len(picture.variables["12"]) <= 24


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt("Thank you."),
        Prompt("?", choices("a", "b"), "multi"),
        Prompt("?", choices(*map(str, range(11))), "choice"),
        Prompt("?" * 1025, choices("a", "b"), "choice"),
        Prompt("?", choices("a", "b", "c", "d" * 73), "choice"),
    ],
)
def test_what_whatsapp_has_no_buttons_for_goes_as_lines(prompt: Prompt) -> None:
    assert picture_of(prompt) is None


@given(LABELS)
def test_no_picture_breaks_whatsapps_limits(words: list[str]) -> None:
    picture = picture_of(Prompt("?", choices(*words), "choice", navigation=NAVIGATION))
    if picture is None:
        return
    values = list(picture.variables.values())
    assert all(values)
    if picture.kind == "buttons":
        assert picture.size <= 3
        assert all(len(title) <= 20 for title in values[1::2])
    else:
        assert picture.size <= 10
        assert all(len(title) <= 24 for title in values[2::3])
        assert all(len(description) <= 72 for description in values[4::3])


def test_a_shape_holds_nothing_of_what_is_asked() -> None:
    one, other = picture_of(YES_NO), picture_of(Prompt("Other?", choices("Ja", "Nein"), "choice"))
    assert one is not None
    assert other is not None
    assert one.digest == other.digest
    assert one.definition() == other.definition()
    assert "Yes" not in json.dumps(one.definition())
    for number in one.variables:
        assert f"{{{{{number}}}}}" in json.dumps(one.definition()["types"])


def test_content_objects_live_on_their_own_host_unless_overridden() -> None:
    assert content_host("https://api.twilio.com/") == "https://content.twilio.com"
    assert content_host("http://127.0.0.1:81") == "http://127.0.0.1:81"
