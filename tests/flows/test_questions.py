from collections.abc import Mapping
from typing import Any

import pytest

from flows.errors import FlowInvalid, FlowLimit
from flows.events import Answered
from flows.flow import build
from flows.inputs import Pressed, Text
from flows.questions import BY_NAME, TYPES
from flows.questions.base import Question
from flows.state import SEALED, SKIPPED
from tests.flows.play import Talk, choice, flow_of, shipped, text

LANGUAGES = ("en", "fr", "es", "pt", "ar")
SHIPPED = [
    ("registration-express", "language"),
    ("registration-express", "consent"),
    ("registration-express", "purposes"),
    *((name, None) for name in ("menu", "erase", "stop_or_stay", "come_back", "resume")),
]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.type)
def test_the_example_of_each_type_builds(kind: type[Question]) -> None:
    flow = flow_of(kind.example, languages=("en", "fr"))
    assert type(flow.questions[0]) is BY_NAME[kind.type]
    assert Talk(flow).state.asked == (kind.example["id"] if kind.waits else None)


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind.waits], ids=lambda one: one.type)
def test_the_sample_of_each_type_answers_its_example(kind: type[Question]) -> None:
    flow = flow_of(kind.example, languages=("en", "fr"))
    if kind.sample:
        assert kind.example["id"] in Talk(flow).say(kind.sample).state.answers
    else:
        assert flow.questions[0].values()


def waiting_at(name: str, question: str | None, language: str) -> Talk:
    flow = shipped(name)
    talk = Talk(flow, language=language)
    while question is not None and talk.state.asked != question:
        first = {"country": "za", "language": language}.get(str(talk.state.asked), "yes")
        talk.press(first)
    return talk


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "question"), SHIPPED)
def test_what_is_shown_is_understood_by_label_digit_and_button(
    name: str, question: str | None, language: str
) -> None:
    fresh = waiting_at(name, question, language)
    for option in fresh.prompt.choices:
        value = option.payload.rpartition(".")[2]
        for given in (Text(option.label), Text(option.digit), Pressed(option.payload)):
            talk = waiting_at(name, question, language)
            asked = talk.state.asked
            talk.send(given)
            if talk.state.asked == asked and talk.state.picked == (value,):
                talk.press("done")
            if value == "more":
                assert talk.state.page == 1
            elif value == "no":
                assert talk.state.status == "stopped"
            else:
                assert talk.effects[0] in (
                    Answered(str(asked), value, sealed=False),
                    Answered(str(asked), [value], sealed=False),
                )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_country_is_understood_by_its_own_name(language: str) -> None:
    country = {"id": "country", "type": "country", "text": {language: "?"}}
    flow = flow_of(country, languages=(language,))
    talk = Talk(flow, language=language)
    question = flow.questions[0]
    for code in ("ZA", "CI", "CD", "ST", "GB", "US", "SA", "KR", "TL", "BA"):
        label = question.label(code, language)
        state = Talk(flow, language=language).say(label).state
        assert state.answers == {"country": code}
    assert talk.prompt.style == "search"


def test_likely_countries_are_offered_as_options() -> None:
    talk = Talk(flow_of(BY_NAME["country"].example, languages=("en", "fr")))
    assert talk.lines.endswith("1 South Africa\n2 Ireland")
    assert talk.say("2").state.answers == {"country": "IE"}


def test_a_place_without_a_country_says_which_country() -> None:
    place = {"id": "town", "type": "place", "text": {"en": "Where?"}}
    talk = Talk(flow_of(place)).say("san jose")
    assert "1 San Jose, United States" in talk.lines
    assert "2 San José, San José, CR" in talk.lines
    assert talk.say("cape twon").lines.startswith("Did you mean Cape Town, South Africa?")


def test_a_place_is_looked_for_in_the_country_given() -> None:
    flow = flow_of(
        {"id": "country", "type": "country", "text": {"en": "Country?"}},
        {"id": "place", "type": "place", "within": "country", "text": {"en": "Town?"}},
    )
    assert Talk(flow).say("France", "cape town").state.attempts == 1
    assert Talk(flow).say("South Africa", "cape town").state.answers["place"] == "3369157"


@pytest.mark.parametrize("greeting", ["Hello!", "bonjour", "hola", "مرحبا", "السلام عليكم"])
def test_a_greeting_is_never_an_answer(greeting: str) -> None:
    talk = Talk(flow_of(text())).say(greeting)
    assert talk.said == ["greeted"]
    assert (talk.state.answers, talk.state.attempts) == ({}, 0)
    assert Talk(flow_of(choice())).say(greeting).state.attempts == 0


def test_yes_is_no_label_in_english() -> None:
    talk = Talk(flow_of(BY_NAME["yes_no"].example))
    assert [one.label for one in talk.prompt.choices] == ["Yes, right", "No"]
    for given, value in (("yes", "yes"), ("y", "yes"), ("no", "no"), ("👎", "no"), ("1", "yes")):
        assert Talk(talk.flow).say(given).state.answers == {"has_group": value}


def test_own_labels_of_yes_and_no() -> None:
    labels = {"yes": {"en": "I would"}, "no": {"en": "I would not"}}
    flow = flow_of({**BY_NAME["yes_no"].example, "labels": labels})
    assert Talk(flow).say("i would not").state.answers == {"has_group": "no"}
    assert Talk(flow).say("oui").state.answers == {"has_group": "yes"}


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("choice", ["saturday", SKIPPED, "saturday", "mornings"], {"saturday": 2, "mornings": 1}),
        ("multi", [["work"], ["work", "papers"], []], {"work": 2, "papers": 1}),
        ("text", [SEALED, SEALED, SKIPPED], {"answered": 2}),
        ("place", ["1007311"], {"answered": 1}),
    ],
)
def test_answers_are_summarised_by_option(
    kind: str, values: list[Any], expected: Mapping[str, int]
) -> None:
    question = flow_of(BY_NAME[kind].example, languages=("en", "fr")).questions[0]
    assert dict(question.summarise(values)) == expected


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ({**choice(), "type": "riddle"}, "questions[0].type"),
        ({**choice(), "options": []}, "questions[0].options"),
        ({**choice(), "options": "red"}, "questions[0].options"),
        ({**choice("colour", "red", "red")}, "questions[0].options"),
        ({**choice(), "colour": "x"}, "questions[0].colour"),
        ({**choice(), "id": "Big Words"}, "questions[0].id"),
        ({**choice(), "required": "perhaps"}, "questions[0].required"),
        ({**choice(), "text": {"de": "Was?"}}, "questions[0].text.de"),
        ({**choice(), "text": {}}, "questions[0].text"),
        ({**choice(), "when": {"later": "x"}}, "questions[0].when.later"),
        ({**text(), "longest": "9999"}, "questions[0].longest"),
        ({**text(), "longest": "ten"}, "questions[0].longest"),
        ({**BY_NAME["consent"].example, "required": "no"}, "questions[0].required"),
        ({**BY_NAME["country"].example, "likely": ["XX"]}, "questions[0].likely"),
        ({**BY_NAME["multi"].example, "at_least": 3, "at_most": 2}, "questions[0].at_least"),
        ("not a mapping", "questions[0]"),
    ],
)
def test_a_fault_in_a_question_is_named_with_its_place(question: Any, place: str) -> None:
    with pytest.raises(FlowInvalid) as fault:
        flow_of(question)
    assert fault.value.place == place


def test_limits_of_options_and_questions() -> None:
    with pytest.raises(FlowLimit):
        flow_of(choice("many", *(f"v{one}" for one in range(61))))
    with pytest.raises(FlowLimit):
        flow_of(*(choice(f"q{one}") for one in range(101)))


def test_two_questions_may_not_share_an_id() -> None:
    with pytest.raises(FlowInvalid, match="already the id"):
        flow_of(choice(), choice())


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"kind": "song"}, "kind"),
        ({"languages": []}, "languages"),
        ({"languages": ["en", "en"]}, "languages"),
        ({"questions": []}, "questions"),
        ({"flow": "No"}, "flow"),
        ({"colour": "x"}, "colour"),
        ({"purpose": {"who": "x"}}, "purpose.who"),
        ({"entry": {"fr": ["x"]}}, "entry.fr"),
        ({"follow_ups": [{"start": "x", "after": "soon"}]}, "follow_ups[0].after"),
        ({"follow_ups": [{"start": "x", "when": {"zz": 1}}]}, "follow_ups[0].when.zz"),
    ],
)
def test_a_fault_in_a_flow_is_named_with_its_place(change: dict[str, Any], place: str) -> None:
    flow = {"flow": "x", "kind": "poll", "languages": ["en"], "questions": [choice()]}
    with pytest.raises(FlowInvalid) as fault:
        build({**flow, **change})
    assert fault.value.place == place
