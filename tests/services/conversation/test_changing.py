"""CHANGE: one question again; the newest answer replaces the old, nothing else moves."""

from typing import Any
from uuid import uuid5

import pytest
from sqlalchemy import select

from flows.flow import build
from flows.inputs import Pressed
from models import Answer, ConsentEvent, FlowSession, Profile
from models.db import transaction
from services.catalogue import Catalogue, Published
from services.conversation.changing import aside_of, label_of
from tests.services.phones import House
from tests.services.talking import ORGANISATION, Talk, catalogue

CHANGES = ["CHANGE", "/change", "changer", "Corriger", "cambiar", "mudar", "تغيير"]


def poll() -> Catalogue:
    """The catalogue with a made-up poll of two questions beside the registration."""
    question: dict[str, Any] = {"type": "yes_no", "text": {"en": "Open on Saturday?"}}
    flow = build(
        {
            "flow": "hours",
            "kind": "poll",
            "languages": ["en"],
            "questions": [{"id": "one", **question}, {"id": "two", **question}],
        }
    )
    published = Published(uuid5(ORGANISATION, "hours"), flow)
    plain = catalogue()
    return catalogue(
        newest={**plain.newest, "hours": published},
        versions={**plain.versions, published.version_id: published},
        words={"hours": "hours"},
    )


POLL = poll()


@pytest.fixture(scope="module")
def ready() -> Talk:
    return Talk(catalogue=POLL).registered()


@pytest.fixture
def member(ready: Talk) -> Talk:
    return ready.again()


@pytest.mark.parametrize("word", CHANGES)
def test_the_person_chooses_among_their_own_answers(member: Talk, word: str) -> None:
    member.say(word)
    assert [one.label for one in member.prompt.choices] == ["Country", "What we may write", "Town"]


def test_a_town_brings_its_region_and_time_zone(ready: Talk) -> None:
    assert ready.profile["region"] == "ZA.11"
    assert ready.profile["time_zone"] == "Africa/Johannesburg"


def test_the_newest_answer_replaces_the_old_and_the_registration_stays(member: Talk) -> None:
    session, completed_at = next(iter(member.completed.items()))
    member.say("CHANGE").press("place")
    assert member.phrases == ["?place"]
    member.say("Johannesburg")
    assert member.rows is not None
    assert [(row["session"], row["question"], row["value"]) for row in member.rows.answered] == [
        (session, "place", "993800")
    ]
    assert member.profile["place"] == "993800"
    assert "registered_at" not in (member.rows.profiled or {})["patch"]
    [row] = member.rows.sessions
    assert (row["status"], row["completed_at"], row["expires_at"]) == (
        "complete",
        completed_at,
        None,
    )
    assert member.say("hello").phrases == ["nothing_open"], "nothing is left open"


def test_a_new_country_asks_for_the_town_there(member: Talk) -> None:
    member.say("CHANGE").press("country").say("Kenya")
    assert member.phrases == ["?place"]
    assert (member.profile["country"], member.profile["place"]) == ("KE", None)
    assert (member.profile["region"], member.profile["time_zone"]) == (None, None)
    assert member.say("Mombasa").phrases == ["thanks"]
    assert member.profile["time_zone"] == "Africa/Nairobi"
    assert member.say("hello").phrases == ["nothing_open"], "nothing is left open"


def test_a_new_country_and_town_give_way_to_what_they_interrupted(member: Talk) -> None:
    member.say("hours").say("yes").say("CHANGE").press("country").say("Kenya")
    assert member.phrases == ["?place"]
    assert member.say("Mombasa").phrases[-1] == "?two"


def test_purposes_are_granted_and_withdrawn_as_they_change(member: Talk) -> None:
    before = set(member.profile["consents"])
    member.say("CHANGE").press("purposes")
    member.say("2")
    assert member.rows is not None
    events = {(row["action"], row["purpose"]) for row in member.rows.consented}
    assert {action for action, _ in events} == {"granted", "withdrawn"}
    after = set(member.profile["consents"])
    assert events == {("granted", one) for one in after - before} | {
        ("withdrawn", one) for one in before - after
    }
    assert "registration" in after


def test_in_the_middle_the_registration_goes_on_at_the_right_question() -> None:
    talk = Talk().say("hello").say("English").say("1").say("South Africa").say("1")
    assert talk.phrases[-1] == "?place"
    talk.say("CHANGE").press("country")
    assert talk.phrases == ["?country"]
    assert talk.say("Kenya").phrases[-1] == "?place"
    assert talk.profile["country"] == "KE"


def test_a_single_answer_is_asked_about_at_once() -> None:
    talk = Talk().say("hello").say("English").say("1").say("South Africa").say("CHANGE")
    assert talk.phrases == ["?country"]


def test_before_any_answer_there_is_nothing_to_change() -> None:
    assert Talk().say("CHANGE").phrases[0] == "nothing_to_change"
    talk = Talk().say("hello").say("English").say("CHANGE")
    assert talk.phrases == ["nothing_to_change", "?consent"]


def test_what_was_interrupted_goes_on_afterwards(member: Talk) -> None:
    member.say("hours").say("yes")
    assert member.phrases == ["?two"]
    member.say("CHANGE").press("place")
    assert member.phrases == ["?place"]
    member.say("Johannesburg")
    assert member.phrases[-1] == "?two"
    assert member.rows is not None
    assert {row["flow"] for row in member.rows.answered} == {"registration-express"}
    member.say("no")
    assert member.rows is not None
    assert {row["flow"] for row in member.rows.answered} == {"hours"}


def test_nobody_has_to_change_anything(member: Talk) -> None:
    member.say("CHANGE").say("0")
    assert member.phrases == ["kept_as_is"]
    member.say("CHANGE").press("country")
    member.say("CHANGE").say("0")
    assert member.phrases == ["kept_as_is"]
    assert member.profile["country"] == "ZA"
    assert member.say("hello").phrases == ["nothing_open"]


def test_a_wrong_answer_is_helped_as_ever_and_back_goes_to_the_one_before(member: Talk) -> None:
    member.say("CHANGE").press("place")
    assert member.say("qqqqzz").phrases[-1] == "?place"
    assert member.say("BACK").phrases == ["?purposes"]


def test_a_button_of_an_older_choice_changes_nothing(member: Talk) -> None:
    member.say("CHANGE")
    old = member.again()
    member.press("country")
    member.say("Kenya")
    choice = old.prompt.choices[2]
    member.say("CHANGE")
    assert member.say(Pressed(choice.payload)).phrases == ["already_answered", "?change"]


def test_a_new_registration_ends_the_correction(member: Talk) -> None:
    member.say("hours")
    member.say("CHANGE").press("country")
    member.say("RESTART")
    assert member.phrases == ["?language"]
    assert member.rows is not None
    ended = {row["flow"]: row["status"] for row in member.rows.sessions}
    assert ended["hours"] == "partial"
    assert "complete" in [row["status"] for row in member.rows.sessions]


def test_stop_and_delete_mean_what_they_mean_while_correcting(member: Talk) -> None:
    member.say("CHANGE").press("country")
    stopped = member.again().say("STOP")
    assert stopped.standing.contact_status == "stopped"
    assert member.say("DELETE").phrases == ["?erase"]


def test_who_has_stopped_may_correct_and_stays_stopped(member: Talk) -> None:
    member.say("STOP").say("CHANGE").press("country")
    assert member.say("Kenya").reply is not None
    assert member.profile["country"] == "KE"
    assert member.standing.contact_status == "stopped"
    assert member.reply is not None
    assert member.reply["kind"] == "rights"


def test_correct_is_an_answer_where_a_guess_waits() -> None:
    talk = Talk().say("hello").say("English").say("1").say("South Africa").say("1")
    talk.say("Johanesburg")
    if talk.scene and talk.scene.running and talk.scene.running.state.guess:
        assert "?change" not in talk.say("correct").phrases


def test_more_than_seven_answers_are_shown_in_pages() -> None:
    question = {"type": "yes_no", "text": {"en": "A question with a rather long text, number"}}
    names = [f"q{number}" for number in range(9)]
    flow = build(
        {
            "flow": "long",
            "kind": "registration",
            "languages": ["en", "ar"],
            "questions": [{"id": name, **question} for name in names],
        }
    )
    aside = aside_of(flow, tuple(names))
    only = aside.questions[0]
    assert only.values() == tuple(names)
    assert all(len(label_of(one, "en")) <= 24 for one in flow.questions)


# --- with the database ---


def test_a_correction_is_written_where_the_answer_was(house: House) -> None:
    phone = house.phone("sms:+27831234567").register()
    said = phone.say("CHANGE")
    assert said.splitlines()[1:4] == ["1 Country", "2 What we may write", "3 Town"]
    phone.say("2")
    phone.say("2")
    with transaction(house.line.engine, house.organisation.id) as db:
        mine = select(Answer).where(Answer.contact_id == phone.contact_id)
        rows = {row.question: row for row in db.scalars(mine)}
        assert rows["country"].value == "ZA"
        assert len({row.session_id for row in rows.values()}) == 1
        session = db.scalars(select(FlowSession)).one()
        assert (session.status, session.completed_at is None) == ("complete", False)
        profile = db.scalars(select(Profile)).one()
        assert profile.registered_at == session.completed_at
        actions = [
            e.action.value for e in db.scalars(select(ConsentEvent).order_by(ConsentEvent.id))
        ]
        assert actions[-2:].count("withdrawn") == 1
        chosen = rows["purposes"].value or []
        assert set(profile.consents) == {"registration", *chosen}
