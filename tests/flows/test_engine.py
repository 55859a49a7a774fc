import pytest

from flows.engine import start, step
from flows.events import (
    Answered,
    Asked,
    Completed,
    ConsentGranted,
    ConsentRefused,
    Ended,
    LanguageChosen,
    MenuWanted,
    PersonWanted,
    Said,
    Skipped,
)
from flows.inputs import Attachment, Pin, Pressed, Text
from flows.state import COMPLETE, SEALED, SKIPPED, STOPPED
from tests.flows.play import NOW, TAG, Talk, choice, flow_of, shipped, text

CONSENT = {
    "id": "consent",
    "type": "consent",
    "purpose": "registration",
    "text": {"en": "May we?"},
    "more": {"en": "We keep little."},
}


def test_a_registration_from_language_to_thanks() -> None:
    talk = Talk(shipped("registration-express"))
    talk.say("2")
    assert talk.effects == [Answered("language", "fr", sealed=False), LanguageChosen("fr")]
    assert talk.lines.startswith("Ici Consulate in Cape Town.")
    talk.say("oui")
    assert talk.effects == [
        Answered("consent", "yes", sealed=False),
        ConsentGranted("registration", "consent"),
    ]
    talk.say("Afrique du Sud", "1 et 2", "le cap")
    assert talk.state.status == COMPLETE
    assert talk.state.answers == {
        "language": "fr",
        "consent": "yes",
        "country": "ZA",
        "purposes": ["alerts", "polls"],
        "place": "3369157",
        "thanks": "✓",
    }
    assert talk.events[-1] == Completed()


def test_a_refusal_stops_and_nothing_is_answered() -> None:
    talk = Talk(flow_of(CONSENT, choice())).say("2")
    assert talk.state.status == STOPPED
    assert talk.state.answers == {}
    assert talk.events == (ConsentRefused("consent"), Ended("refused"), Said("refused"))
    assert talk.say("red").events == ()


def test_consent_is_never_guessed_and_takes_no_emoji() -> None:
    for given in ("I agre", "agreee", "👍", "i do agree", "yes no", "do not"):
        talk = Talk(flow_of(CONSENT, choice())).say(given)
        assert talk.effects == []
        assert talk.state.asked == "consent"
        assert talk.state.guess is None


def test_tell_me_more_then_agree() -> None:
    talk = Talk(flow_of(CONSENT, choice())).say("3")
    assert talk.lines == "We keep little.\n1 I agree\n2 I do not agree"
    assert talk.say("1").state.asked == "colour"


def test_under_age_ends_without_an_answer() -> None:
    young = {
        "id": "age_band",
        "type": "choice",
        "text": {"en": "Your age?"},
        "options": [
            {"value": "under", "label": {"en": "Under 18"}, "ends": "under_age"},
            {"value": "over", "label": {"en": "18 or more"}},
        ],
    }
    talk = Talk(flow_of(CONSENT, young)).say("1", "1")
    assert talk.events == (Ended("under_age"), Said("under_age"))
    assert "age_band" not in talk.state.answers


def test_three_rungs_of_help_then_a_person() -> None:
    talk = Talk(flow_of(choice()))
    rungs = []
    for _ in range(5):
        talk.say("hm?")
        asked = talk.events[-1]
        assert isinstance(asked, Asked)
        rungs.append((asked.rung, PersonWanted() in talk.events))
    assert rungs == [(1, False), (2, False), (3, True), (3, False), (3, False)]
    assert [one.payload for one in talk.prompt.navigation] == [f"{TAG}.colour.person"]


def test_an_optional_question_is_skipped_after_the_third_rung() -> None:
    talk = Talk(flow_of(choice(required=False), text())).say("?", "?", "?")
    assert talk.state.asked == "colour"
    assert talk.say("?").effects == [Skipped("colour")]
    assert talk.state.asked == "why"


def test_a_right_answer_sets_the_rungs_back() -> None:
    talk = Talk(flow_of(choice("one"), choice("two"))).say("?", "?", "red")
    assert talk.state.attempts == 0
    asked = talk.say("?").events[-1]
    assert isinstance(asked, Asked)
    assert asked.rung == 1


@pytest.mark.parametrize("word", ["0", "skip", "PASSER", "تخطي"])
def test_skip_leaves_an_optional_question(word: str) -> None:
    talk = Talk(flow_of(choice(required=False), text())).say(word)
    assert talk.effects == [Skipped("colour")]
    assert talk.state.answers == {"colour": SKIPPED}


def test_a_required_question_says_so() -> None:
    talk = Talk(flow_of(choice())).say("skip")
    assert talk.said == ["required"]
    assert talk.state.asked == "colour"


def test_digits_are_values_where_text_is_asked() -> None:
    talk = Talk(flow_of(text(required=False), choice())).say("0")
    assert talk.effects == [Answered("why", "0", sealed=True)]
    assert talk.state.answers == {"why": SEALED}


def test_skip_is_a_word_even_where_text_is_asked() -> None:
    assert Talk(flow_of(text(required=False), choice())).say("Skip").effects == [Skipped("why")]


def test_back_asks_again_and_keeps_what_came_after() -> None:
    talk = Talk(flow_of(choice("one"), choice("two"), choice("three"))).say("red", "green")
    talk.say("9", "back")
    assert talk.state.asked == "one"
    assert talk.say("blue").state.asked == "three"
    assert talk.state.answers == {"one": "blue", "two": "green"}


def test_back_never_goes_behind_consent() -> None:
    talk = Talk(flow_of(CONSENT, choice())).say("1", "back")
    assert talk.said == ["nothing_before"]
    assert talk.state.asked == "colour"


def test_a_changed_answer_drops_what_no_longer_applies() -> None:
    flow = flow_of(choice("one"), choice("two", when={"one": "red"}), choice("three"))
    talk = Talk(flow).say("red", "green", "back", "back", "blue")
    assert talk.effects == [Answered("one", "blue", sealed=False), Skipped("two")]
    assert talk.state.answers == {"one": "blue"}
    assert talk.state.asked == "three"


def test_a_question_that_does_not_apply_is_not_asked() -> None:
    flow = flow_of(choice("one"), text("why", when={"one": "red"}))
    assert Talk(flow).say("blue").state.status == COMPLETE
    assert Talk(flow).say("red").state.asked == "why"


def test_the_total_of_the_progress_only_shrinks() -> None:
    flow = flow_of(CONSENT, choice("one"), text("why", when={"one": "red"}), choice("three"))
    talk = Talk(flow).say("1")
    assert talk.lines.startswith("1 of 3\n")
    assert talk.say("blue").lines.startswith("2 of 2\n")


def test_an_old_button_is_answered_politely() -> None:
    talk = Talk(flow_of(choice("one"), choice("two"))).say("red")
    for payload in (f"{TAG}.one.green", "old.two.red", "", "...", "\x00", "two"):
        talk.send(Pressed(payload))
        assert talk.said == ["already_answered"]
        assert talk.state.asked == "two"
        assert talk.state.answers == {"one": "red"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Attachment("voice"), "no_voice"),
        (Attachment("photo"), "photo_not_kept"),
        (Attachment("document"), "photo_not_kept"),
        (Attachment("contact", number="+447700900123"), "contact_not_kept"),
        (Attachment("video"), "photo_not_kept"),
        (Attachment("something new"), "not_text"),
        (Pin(0.0, 0.0), "pin_not_needed"),
    ],
)
def test_what_is_not_text_is_named_and_the_question_stays(given: object, said: str) -> None:
    talk = Talk(flow_of(choice(), text()))
    talk.send(given)  # type: ignore[arg-type]
    assert talk.said == [said]
    assert isinstance(talk.events[-1], Asked)
    assert talk.state.attempts == 0


def test_a_sticker_counts_as_its_emoji() -> None:
    agrees = {"id": "agrees", "type": "yes_no", "text": {"en": "Agree?"}}
    talk = Talk(flow_of(agrees))
    talk.send(Attachment("sticker", emoji="👍"))
    assert talk.state.answers == {"agrees": "yes"}


def test_menu_and_person_inside_a_question() -> None:
    talk = Talk(flow_of(choice(), text()))
    assert talk.say("8").events == (MenuWanted(),)
    assert talk.press("menu").events == (MenuWanted(),)
    assert talk.press("person").effects == [PersonWanted(asked=True)]
    assert talk.say("Personne").effects == [PersonWanted(asked=True)]
    assert talk.state.asked == "colour"


def test_resume_asks_the_waiting_question_without_reproach() -> None:
    talk = Talk(flow_of(choice("one"), choice("two"))).say("red", "?", "?")
    assert talk.resume().events == (Asked("two", position=(2, 2)),)
    assert talk.state.attempts == 0
    assert Talk(flow_of(choice())).say("red").resume().events == ()


def test_what_is_known_is_not_asked() -> None:
    flow = flow_of(choice("one"), choice("two"), text(when={"channel": "sms"}))
    talk = Talk(flow, known={"one": "red", "channel": "sms", "secret": "x"})
    assert talk.state.asked == "two"
    assert talk.state.known == {"channel": "sms"}
    assert talk.say("red").state.asked == "why"


def test_a_note_is_said_on_the_way_and_closes_the_flow() -> None:
    note = {"id": "hello", "type": "note", "text": {"en": "Hello."}}
    bye = {"id": "bye", "type": "note", "text": {"en": "Bye."}}
    talk = Talk(flow_of(note, choice(), bye))
    assert talk.lines.startswith("Hello.\nWhich colour?")
    assert talk.say("red").lines == "Bye."


def test_without_a_closing_note_we_say_thanks() -> None:
    assert Talk(flow_of(choice())).say("red").said == ["thanks"]


def test_a_question_taken_out_of_the_flow_is_passed_over() -> None:
    talk = Talk(flow_of(choice("one"), choice("two")))
    state, events = step(flow_of(choice("two")), talk.state, Text("red"), NOW)
    assert events == (Asked("two"),)
    assert state.asked == "two"


def test_a_text_beyond_its_length_is_refused_kindly() -> None:
    talk = Talk(flow_of(text(longest=10), choice())).say("x" * 11)
    assert talk.said == ["too_long"]
    assert talk.say("x" * 9000).state.asked == "why"
    assert talk.say("x" * 10).effects == [Answered("why", "x" * 10, sealed=True)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("a\x00b", "ab"), ("a\ud800b", "a\ufffdb"), ("e\u0301", "é"), ("  x ", "x")],
)
def test_stored_text_is_clean(given: str, kept: str) -> None:
    assert Talk(flow_of(text())).say(given).effects[0] == Answered("why", kept, sealed=True)


def test_the_language_is_the_flows_first_when_it_speaks_no_other() -> None:
    state, _ = start(flow_of(choice()), tag=TAG, language="de", now=NOW)
    assert state.language == "en"
    state, _ = start(shipped("registration-express"), tag=TAG, language="fr-CA", now=NOW)
    assert state.language == "fr"
