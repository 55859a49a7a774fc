"""Follow-up rules: who is followed up, when, by what, and that a rehearsal tells just that."""

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from flows.loader import library, load
from models import Answer, Case, Firing, FlowSession, Message, Profile, SessionStatus
from models.db import transaction
from services import audit, flows
from services.catalogue import read_inside
from services.conversation import dues
from services.errors import Invalid
from services.rights import rights
from services.rules import firings, rules
from services.rules.rehearsing import rehearse
from services.rules.rules import NewRule
from tests.services.phones import House, Phone

DAY = timedelta(days=1)


def pass_time(house: House, step: timedelta) -> None:
    """Let time pass as the worker sees it: rules act, and what is due happens."""
    house.clock.advance(step)
    now, engine = house.clock.now(), house.line.engine
    firings.fire_all(engine, house.line.keys.open, now=now)
    dues.run(engine, house.line.directory.read_catalogue, now=now)


def saved(house: House, definition: Mapping[str, Any], **more: Any) -> UUID:
    """A rule on passport-hours; those that came with the flow are ended, to see it alone."""
    with transaction(house.line.engine, house.organisation.id) as db:
        for came in rules.list_rules(db):
            rules.end(db, came.id, actor=audit.SYSTEM, now=house.clock.now())
        on = {"flow": "passport-hours"} | more
        new = NewRule(name="made up", definition=definition, **on)
        return rules.create(db, new, read_inside(db), actor=audit.SYSTEM, now=house.clock.now()).id


def outcomes(house: House) -> list[tuple[UUID | None, str, str | None]]:
    """Each firing: of whom, what became of it, and why nothing did."""
    with transaction(house.line.engine, house.organisation.id) as db:
        rows = db.scalars(select(Firing).order_by(Firing.fired_at, Firing.cause))
        return [(row.contact_id, row.status.value, row.reason) for row in rows]


def begun(house: House) -> list[tuple[UUID, str]]:
    """Who was started in what by rules."""
    with transaction(house.line.engine, house.organisation.id) as db:
        rows = db.execute(
            select(FlowSession.contact_id, FlowSession.flow)
            .where(FlowSession.origin.has_key("rule"))
            .order_by(FlowSession.id)
        )
        return [(contact_id, flow) for contact_id, flow in rows]


@pytest.fixture
def polled(house: House) -> House:
    """The three shipped polls; the first names the other two as follow-ups."""
    with transaction(house.line.engine, house.organisation.id) as db:
        for name in ("passport-hours", "saturday-opening", "remote-appointments"):
            flows.publish(db, load(library()[name]), now=house.clock.now())
    return house


def member(house: House, address: str = "telegram:1001", purposes: str = "1 2") -> Phone:
    """Somebody registered, who allowed polls."""
    phone = house.phone(address)
    for text in ("hello", "English", "1", "South Africa", purposes, "Cape Town"):
        phone.say(text)
    return phone


def answers(phone: Phone, *said: str) -> Phone:
    phone.say("hours")
    for text in said:
        phone.say(text)
    phone.read()
    return phone


SATURDAY: Mapping[str, Any] = {
    "when": {"when_open": "saturday"},
    "start": "saturday-opening",
    "after": "3 days",
}


def test_who_said_saturday_is_asked_three_days_later_and_nobody_else(polled: House) -> None:
    saturday = answers(member(polled), "Saturday", "I work all week")
    answers(member(polled, "telegram:1002"), "Weekday mornings")
    far = answers(member(polled, "telegram:1003"), "too far")
    pass_time(polled, timedelta(days=2, hours=23))
    assert begun(polled) == []
    pass_time(polled, timedelta(hours=1))
    assert set(begun(polled)) == {
        (saturday.contact_id, "saturday-opening"),
        (far.contact_id, "remote-appointments"),
    }
    for _ in range(3):
        pass_time(polled, DAY)
    assert len(begun(polled)) == 2, "once only"
    assert {one[1] for one in outcomes(polled)} == {"done"}


def test_the_follow_up_is_a_conversation_like_any_other(polled: House) -> None:
    phone = answers(member(polled), "Saturday", "I work all week")
    pass_time(polled, 3 * DAY)
    for text in ("Once a month", "8 to 11"):
        phone.say(text)
    with transaction(polled.line.engine, polled.organisation.id) as db:
        asked = db.scalars(select(Message).where(Message.question == "how_often")).one()
        assert asked.content is not None
        assert asked.content["parts"][0]["say"] == "asks_you"
        assert asked.content["parts"][-1]["later"], "Not now is a button of it"
        given = db.scalars(select(Answer).where(Answer.flow == "saturday-opening"))
        assert {one.question: one.value for one in given} == {
            "how_often": "monthly",
            "hours": "early",
        }


@pytest.mark.parametrize("said", ["not now", "0", "later"])
def test_a_follow_up_can_be_put_off(polled: House, said: str) -> None:
    """STOP is not the only way out of what the person did not begin."""
    phone = answers(member(polled), "Saturday", "skip")
    pass_time(polled, 3 * DAY)
    phone.read()
    assert "Good, not now." in phone.say(said)
    assert "no open question" in phone.say("1")


def test_an_unclear_first_answer_to_a_follow_up_is_helped(polled: House) -> None:
    phone = answers(member(polled), "Saturday", "skip")
    pass_time(polled, 3 * DAY)
    phone.read()
    assert "Welcome back" not in phone.say("perhaps if it rains")


def test_an_answer_changed_until_then_counts(polled: House) -> None:
    rule_id = saved(polled, SATURDAY)
    phone = answers(member(polled), "Saturday", "I work all week")
    with transaction(polled.line.engine, polled.organisation.id) as db:
        row = db.scalars(select(Answer).where(Answer.question == "when_open")).one()
        row.value = "mornings"
    pass_time(polled, 4 * DAY)
    assert outcomes(polled) == []
    assert rehearsed(polled, rule_id, timedelta(days=-5), DAY) == []
    assert phone.contact_id is not None


def test_consent_is_looked_at_again_when_the_time_has_come(polled: House) -> None:
    saved(polled, SATURDAY)
    stopped = answers(member(polled), "Saturday", "I work all week")
    alerts = answers(member(polled, "telegram:1002"), "Saturday", "I work then")
    pass_time(polled, DAY)
    stopped.say("STOP")
    with transaction(polled.line.engine, polled.organisation.id) as db:
        profile = select(Profile).where(Profile.contact_id == alerts.contact_id)
        db.scalars(profile).one().consents = ["registration", "alerts"]
    pass_time(polled, 2 * DAY)
    assert begun(polled) == []
    assert set(outcomes(polled)) == {
        (stopped.contact_id, "skipped", "stopped"),
        (alerts.contact_id, "skipped", "no_consent"),
    }


def test_nobody_is_woken_and_nobody_interrupted(polled: House) -> None:
    saved(polled, {**SATURDAY, "after": "12 hours"})
    phone = answers(member(polled), "Saturday", "I work all week")
    pass_time(polled, timedelta(hours=12, minutes=10))
    assert begun(polled) == [], "it is night in Cape Town"
    phone.say("distance")
    pass_time(polled, timedelta(hours=12))
    assert begun(polled) == [], "in the middle of another poll"
    pass_time(polled, timedelta(hours=25))
    assert begun(polled) == [(phone.contact_id, "saturday-opening")]


def test_a_night_is_waited_for_however_late_and_somebody_busy_for_14_days(polled: House) -> None:
    saved(polled, {**SATURDAY, "after": "12 hours"})
    phone = answers(member(polled), "Saturday", "I work all week")
    pass_time(polled, timedelta(days=16, hours=12, minutes=10))
    assert outcomes(polled) == [(phone.contact_id, "waiting", None)], "it is night in Cape Town"
    phone.say("distance")
    pass_time(polled, timedelta(hours=12))
    assert outcomes(polled) == [(phone.contact_id, "skipped", "in_conversation")]


def test_erasing_somebody_takes_what_waits_for_them(polled: House) -> None:
    saved(polled, {**SATURDAY, "approval": "true"})
    phone = answers(member(polled), "Saturday", "I work all week")
    pass_time(polled, 3 * DAY)
    assert outcomes(polled) == [(phone.contact_id, "for_approval", None)]
    with transaction(polled.line.engine, polled.organisation.id) as db:
        rights.erase(db, phone.contact_id, now=polled.clock.now())
    assert outcomes(polled) == []
    pass_time(polled, DAY)
    assert begun(polled) == []


def test_a_case_can_follow(polled: House) -> None:
    saved(polled, {"when": {"when_open": "cannot_come"}, "case": "true"})
    phone = answers(member(polled), "too far")
    pass_time(polled, timedelta(minutes=1))
    assert outcomes(polled) == [(phone.contact_id, "done", None)]
    with transaction(polled.line.engine, polled.organisation.id) as db:
        case = db.scalars(select(Case)).one()
        assert (case.contact_id, case.reason.value) == (phone.contact_id, "follow_up")


def test_a_paused_rule_lets_pass_what_falls_due(polled: House) -> None:
    rule_id = saved(polled, SATURDAY)
    answers(member(polled), "Saturday", "I work all week")
    now = polled.clock.now()
    with transaction(polled.line.engine, polled.organisation.id) as db:
        rules.pause(db, rule_id, actor=audit.SYSTEM, now=now)
    pass_time(polled, 4 * DAY)
    with transaction(polled.line.engine, polled.organisation.id) as db:
        rules.resume(db, rule_id, actor=audit.SYSTEM, now=polled.clock.now())
    pass_time(polled, 4 * DAY)
    assert outcomes(polled) == []


def rehearsed(
    house: House, rule_id: UUID, since: timedelta, until: timedelta
) -> list[tuple[UUID | None, str, str | None]]:
    now = house.clock.now()
    with transaction(house.line.engine, house.organisation.id) as db:
        rule = rules.get(db, rule_id)
        told = rehearse(db, rule, read_inside(db), since=now + since, until=now + until)
        return [(one.contact_id, one.status.value, one.reason) for one in told]


def test_a_rehearsal_tells_what_then_happens(polled: House, making: Any) -> None:
    chance = Random(20261122)
    with making() as make:
        version = flows.find_newest(make.db, "passport-hours")
        channel = make.channel()
        for number in range(120):
            contact = make.contact(
                consented=chance.choice([("registration", "polls"), ("registration",)]),
                stopped=chance.random() < 0.1,
                address=f"telegram:{5000 + number}",
                channel=channel,
                time_zone="UTC",
            )
            for _ in range(chance.choice([1, 1, 2])):
                session = make.flow_session(contact, version, SessionStatus.COMPLETE)
                spent = timedelta(minutes=chance.randrange(-7000, 0))
                session.completed_at = make.now + spent
                options = ["mornings", "evenings", "saturday", "cannot_come"]
                make.answer(session, "when_open", chance.choice(options))
    rule_id = saved(polled, {**SATURDAY, "cooldown": "1 days", "at_most": {"person": 2, "all": 25}})
    told = rehearsed(polled, rule_id, timedelta(), 4 * DAY)
    for _ in range(12):
        pass_time(polled, timedelta(hours=8))
    assert len(told) > 10
    assert {one[1] for one in told} == {"done", "skipped"}
    assert outcomes(polled) == told
    assert rehearsed(polled, rule_id, -4 * DAY, timedelta()) == told, "of the past, the same"


@pytest.mark.parametrize(
    ("definition", "place"),
    [
        ({"start": "nothing-here"}, "definition.start"),
        (
            {"when": {"when_open": "sunday"}, "start": "saturday-opening"},
            "definition.when.when_open",
        ),
        (
            {"when": {"wen_open": "saturday"}, "start": "saturday-opening"},
            "definition.when.wen_open",
        ),
        ({"start": "saturday-opening", "after": "soon"}, "definition.after"),
        ({"start": "saturday-opening", "affter": "3 days"}, "definition.affter"),
        ({"start": "saturday-opening", "at_most": {"person": 0}}, "definition.at_most.person"),
        ({"start": "saturday-opening", "case": "true"}, "definition.start"),
        ({"draft": "saturday-opening"}, "definition.draft"),
        ({"figures": {"under_quota": 50}, "start": "saturday-opening"}, "definition.start"),
        (
            {
                "figures": {"question": "why", "option": "x", "at_least": 20},
                "draft": "saturday-opening",
            },
            "definition.figures.question",
        ),
        (
            {
                "figures": {"question": "when_open", "option": "sunday", "at_least": 20},
                "draft": "saturday-opening",
            },
            "definition.figures.option",
        ),
    ],
)
def test_a_fault_is_told_with_its_place(
    polled: House, definition: Mapping[str, Any], place: str
) -> None:
    with pytest.raises(Invalid) as caught:
        saved(polled, definition)
    assert [one[0] for one in caught.value.faults] == [place]
