"""The long registration, and modules: what a member may add later, one at a time."""

import re
from datetime import timedelta

import pytest

from flows.conditions import evaluate
from flows.events import Asked, ConsentRefused, Ended, Said
from flows.loader import library
from flows.questions.consent import Consent
from flows.state import COMPLETE, STOPPED, WAITING
from flows.wording import LANGUAGES
from tests.flows.play import NOW, Talk, choice, flow_of, shipped

MODULES = sorted(name for name in library() if name.startswith("module-"))

CONSENT = {
    "id": "consent",
    "type": "consent",
    "purpose": "skills",
    "text": {"en": "May we ask about your work?"},
}


def test_who_declines_a_module_is_not_told_that_everything_is_gone() -> None:
    talk = Talk(flow_of(CONSENT, choice())).say("no")
    assert talk.state.status == STOPPED
    assert talk.events == (ConsentRefused("consent"), Ended("declined"), Said("declined"))
    assert "nothing else changes" in talk.prompt.text


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_short_voluntary_and_has_its_own_consent(name: str) -> None:
    flow = shipped(name)
    asked = [question for question in flow.questions if question.counted]
    first = flow.questions[0]
    assert isinstance(first, Consent)
    assert first.purpose == name.removeprefix("module-")
    assert 1 <= len(asked) <= 5
    assert not any(question.required for question in asked)
    assert flow.languages == LANGUAGES


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("answer", ["1", "0"])
def test_a_module_can_be_gone_through_with_one_digit(name: str, language: str, answer: str) -> None:
    talk = Talk(shipped(name), language).say("1")
    for _ in range(6):
        if talk.state.status == WAITING:
            asked = talk.flow.question(talk.state.asked)
            assert asked is not None
            talk.say(answer if asked.digits or answer != "0" else "SKIP")
    assert talk.state.status == COMPLETE


def test_the_modules_are_those_of_the_menu_and_no_others() -> None:
    assert {name.removeprefix("module-") for name in MODULES} == {
        "skills",
        "contribution",
        "needs",
        "organisations",
        "safety",
        "attachment",
        "network",
    }


def test_who_is_not_safe_is_told_what_to_do_at_once() -> None:
    talk = Talk(shipped("module-needs")).say("I agree", "danger")
    assert talk.prompt.text.startswith("If you are in danger now")


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_under_18_is_registered(language: str) -> None:
    talk = Talk(shipped("registration"), language).say("1", "1", "Kenya")
    talk.press("skip", "skip", "under_18")
    assert talk.state.status == STOPPED
    assert talk.events == (Ended("under_age"), Said("under_age"))


@pytest.mark.parametrize(
    ("typed", "band"),
    [
        ("38", "35-44"),
        ("٣٨", "35-44"),
        ("38 years", "35-44"),
        ("thirty-eight", "35-44"),
        ("j'ai 25 ans", "25-34"),
        ("tengo treinta y ocho", "35-44"),
        ("18", "18-24"),
        ("64", "55-64"),
        ("91", "65-plus"),
        ("17", "under_18"),
    ],
)
def test_an_age_is_read_back_as_its_band(typed: str, band: str) -> None:
    talk = Talk(shipped("registration")).press("en", "yes").say("Kenya").press("skip", "skip")
    talk.say(typed)
    assert talk.state.guess == band
    assert "age_band" not in talk.state.answers
    talk.say("1")
    assert talk.state.answers.get("age_band") == (None if band == "under_18" else band)


def test_an_age_nobody_has_is_not_understood() -> None:
    talk = Talk(shipped("registration")).press("en", "yes").say("Kenya").press("skip", "skip")
    assert talk.say("380").state.asked == "age_band"
    assert talk.state.guess is None


def test_a_short_registration_offers_the_languages_in_the_same_order() -> None:
    long, short = (shipped(name).languages for name in ("registration", "registration-express"))
    assert long == short == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_consent_announces_as_many_questions_as_are_counted(language: str) -> None:
    talk = Talk(shipped("registration"), language).press(language)
    announced = re.search(r"\d+", talk.prompt.text)
    talk.press("yes")
    asked = talk.events[-1]
    assert announced
    assert isinstance(asked, Asked)
    assert asked.position == (1, int(announced[0]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_registration_is_eight_questions_with_the_purposes_last(language: str) -> None:
    flow = shipped("registration")
    waiting = [question for question in flow.questions if question.waits]
    assert [question.id for question in waiting] == [
        "language",
        "consent",
        "country",
        "place",
        "link",
        "age_band",
        "gender",
        "activity",
        "purposes",
    ]
    required = {question.id for question in waiting if question.required}
    assert required == {"language", "consent", "country", "purposes"}
    talk = Talk(flow, language).press(language, "yes").say("Kenya")
    talk.press("skip", "citizen", "25-34", "woman", "studying").say("1,2")
    assert talk.state.status == COMPLETE
    assert talk.state.answers["purposes"] == ["alerts", "polls"]


@pytest.mark.parametrize("name", sorted(library()))
def test_what_a_shipped_flow_leads_to_is_shipped_too(name: str) -> None:
    assert {rule.start for rule in shipped(name).follow_ups} <= set(library())


def test_who_wants_saturday_is_asked_more_three_days_later() -> None:
    talk = Talk(shipped("passport-hours")).say("weekend")
    assert talk.say("I work in the week").state.status == COMPLETE
    rule = talk.flow.follow_ups[0]
    assert rule.when is not None
    assert evaluate(rule.when, talk.state.answers.get, NOW)
    assert (rule.start, rule.after) == ("saturday-opening", timedelta(days=3))


@pytest.mark.parametrize("typed", ["1", "2", "3", "4", "5"])
def test_a_number_of_people_is_never_taken_for_another_line(typed: str) -> None:
    talk = Talk(shipped("module-safety")).say("I agree", typed)
    assert str(talk.state.answers["household"]).startswith(typed)


@pytest.mark.parametrize(
    ("language", "job", "group"),
    [
        ("en", "taxi driver", "operators"),
        ("fr", "infirmière", "professionals"),
        ("es", "maestra", "professionals"),
        ("pt", "pedreiro", "craft"),
        ("ar", "سائق", "operators"),
    ],
)
def test_a_job_may_be_typed_in_own_words(language: str, job: str, group: str) -> None:
    talk = Talk(shipped("module-skills"), language).say("1", job)
    assert talk.state.answers["occupation"] == group
