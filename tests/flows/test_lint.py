from typing import Any

import pytest

from flows.errors import FlowInvalid
from flows.flow import build
from flows.forbidden import forbidden
from flows.lengths import LONGEST_NAMES, lengths, table
from flows.lint import lint, lint_phrases
from flows.loader import library
from flows.sms import measure
from flows.wording import LANGUAGES, phrase, say
from tests.flows.play import choice, shipped, text

PURPOSE = {"why": "plan", "owner": "the office", "decision": "hours"}


def problems(*questions: dict[str, Any], **more: Any) -> list[str]:
    flow = {"flow": "x", "kind": "poll", "languages": ["en"], "purpose": PURPOSE}
    return [str(one) for one in lint(build({**flow, "questions": questions, **more}))]


@pytest.mark.parametrize("name", sorted(library()))
def test_the_shipped_library_is_clean(name: str) -> None:
    assert [str(one) for one in lint(shipped(name))] == []


def test_the_shipped_phrases_are_clean() -> None:
    assert [str(one) for one in lint_phrases()] == []


def test_a_new_placeholder_of_a_phrase_needs_its_longest_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flows.lint.phrases", lambda _: {"opening": "From {opens} on."})
    assert "{opens}" in str(lint_phrases()[0])


def test_a_good_poll_has_no_findings() -> None:
    assert problems(choice(), text(when={"colour": "red"}, required=False)) == []


def test_purpose_is_required_but_not_of_a_notice() -> None:
    assert problems(choice(), purpose={"why": "plan", "owner": "x"}) == [
        "purpose.decision: is missing: say why it is asked and who decides what"
    ]
    assert problems(choice(), purpose={}, kind="notice") == []


def test_a_missing_translation() -> None:
    assert problems(choice(), languages=["en", "fr"])[0] == (
        "questions.colour.text.fr: is not translated"
    )


def test_consent_comes_before_anything_but_the_language() -> None:
    consent = {"id": "c", "type": "consent", "purpose": "p", "text": {"en": "May we?"}}
    language = {"id": "language", "type": "language"}
    assert problems(language, consent, choice(), kind="registration") == []
    assert "begins with consent" in problems(choice(), consent, kind="registration")[0]


@pytest.mark.parametrize(
    "label", ["YES", "Stop", "End", "help", "Info", "Cancel", "Menu", "Person", "Back", "Start"]
)
def test_reserved_words_are_no_labels(label: str) -> None:
    question = choice()
    question["options"][0]["label"] = {"en": label}
    assert "means something else" in problems(question)[0]


def test_two_options_may_not_look_the_same() -> None:
    question = choice()
    question["options"][0]["label"] = {"en": "GREEN!"}
    assert problems(question) == ["questions.colour.options: two options have the same label in en"]


def test_a_prompt_longer_than_one_gsm_message() -> None:
    assert problems(text("q", text={"en": "a" * 160})) == []
    found = problems(text("q", text={"en": "a" * 161}))
    assert found[0] == "questions.q.en: asked: 161 units of GSM-7, 2 parts; at most 1"


def test_another_alphabet_has_two_parts_and_a_consent_three() -> None:
    assert problems(text("q", text={"en": "я" * 134})) == []
    assert "3 parts" in problems(text("q", text={"en": "я" * 135}))[0]
    consent = {"id": "c", "type": "consent", "purpose": "p", "text": {"en": "я" * 160}}
    assert problems(consent, choice()) == []


@pytest.mark.parametrize("name", sorted(one for one in library() if shipped(one).kind == "poll"))
def test_a_push_says_how_to_get_no_more_in_at_most_two_parts_or_four(name: str) -> None:
    rows = [row for row in lengths(shipped(name)) if row.form == "pushed"]
    assert {row.language for row in rows} == {"en", "fr", "es", "pt", "ar"}
    for row in rows:
        assert row.length.parts <= (2 if row.length.encoding == "GSM-7" else 4), row


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_push_says_more_than_a_first_question_needs_one_part_more_at_most(
    language: str,
) -> None:
    asker = say("asks_you", language, asker=LONGEST_NAMES["organisation"])
    more = f"{asker}\n {phrase('hint_stop', language)}"
    assert measure(more).units <= 67


def test_the_organisations_name_counts_with_24_letters() -> None:
    assert problems(text("q", text={"en": "{organisation}" + "a" * 136})) == []
    assert problems(text("q", text={"en": "{organisation}" + "a" * 137})) != []


def test_an_unknown_placeholder() -> None:
    assert "is no placeholder" in problems(text("q", text={"en": "Hello {name}"}))[0]


@pytest.mark.parametrize(
    "word",
    [
        *("Stop", "menu", "3", "skip", "YES", "Hola", "bonjour", "مرحبا", "sim", "نعم", "قائمة"),
        *("join us", "please stop", "no quiero recibir mas", "leave me alone", "ayuda", "plus"),
    ],
)
def test_an_entry_word_means_nothing_else(word: str) -> None:
    assert "means something else" in problems(choice(), entry={"en": [word]})[0]
    assert problems(choice(), entry={"en": ["colours"]}) == []


@pytest.mark.parametrize("name", ["all", "any", "not"])
def test_a_question_is_not_called_like_what_joins_conditions(name: str) -> None:
    with pytest.raises(FlowInvalid, match="joins conditions"):
        problems(choice(name))


def test_a_label_holds_no_placeholder() -> None:
    question = choice()
    question["options"][0]["label"] = {"en": "At {office}"}
    assert "holds a placeholder" in problems(question)[0]


def test_a_question_nobody_can_reach() -> None:
    never = text("why", when={"colour": "purple"})
    assert "can never hold" in problems(choice(), never)[0]
    both = {"all": [{"colour": "red"}, {"colour": "green"}]}
    assert "can never hold" in problems(choice(), text("why", when=both))[0]
    assert problems(choice(), text("why", when={"colour": {"known": False}})) == []
    assert problems(choice(), text("why", when={"country": "ZA"})) == []


def test_a_multiple_choice_can_have_two_values_at_once() -> None:
    needs = {**choice("needs"), "type": "multi"}
    both = {"all": [{"needs": {"has": "red"}}, {"needs": {"has": "green"}}]}
    assert problems(needs, text("why", when=both)) == []
    assert "can never hold" in problems(needs, text("why", when={"needs": "red"}))[0]


def test_ids_and_values_must_fit_a_button() -> None:
    long = choice("q" * 30, "v" * 40, "w")
    assert any("too long for a button" in one for one in problems(long))


@pytest.mark.parametrize(
    "asked",
    [
        "What is your passport number?",
        "Send a photo of your passport",
        "What is your religion?",
        "Which tribe are you from?",
        "Who did you vote for?",
        "Your exact address?",
        "How much money do you send home?",
        "Are you HIV positive?",
        "Do you have a residence permit?",
        "Quelle est votre religion ?",
        "Avez-vous un titre de séjour ?",
        "Votre date de naissance ?",
        "¿Cuál es su religión?",
        "¿Su número de pasaporte?",
        "Qual é a sua religião?",
        "ما رقم جوازك؟",
        "ما هي ديانتك؟",
    ],
)
def test_what_is_never_asked_is_found(asked: str) -> None:
    assert forbidden(asked) is not None


@pytest.mark.parametrize(
    "asked",
    [
        "When should the consulate be open for passports?",
        "What do you need most? Papers, work, housing",
        "Quand ouvrir le guichet des passeports ?",
        "Do you belong to a group of people from home?",
        "ماذا تحتاج؟",
    ],
)
def test_ordinary_questions_are_not(asked: str) -> None:
    assert forbidden(asked) is None


def test_the_table_shows_every_message_and_its_room() -> None:
    rows = lengths(shipped("registration-express"))
    lines = table(rows).splitlines()
    assert len(lines) == len(rows) + 1
    assert {row.form for row in rows} == {"asked", "more", "rung 1", "rung 2", "rung 3"}
    assert all(row.fits for row in rows)
    assert "too long" not in table(rows)
