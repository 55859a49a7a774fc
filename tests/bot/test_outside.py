"""WhatsApp outside the 24 hours: a template, else SMS, else nothing; and its buttons lead on."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot import approvals
from bot.channels.base import StatusUpdate
from flows.inputs import Pressed
from flows.templates import templates
from models import Address, Channel, Contact
from models.db import transaction
from services.catalogue import read_inside
from services.conversation import dues
from services.messages.messages import Wanted, list_messages
from tests.bot.conftest import NUMBER, Desk
from tests.factories import Factory
from tests.fakes.twilio import FakeTwilio
from tests.fakes.twilio_people import Phone

DAY = timedelta(hours=24)
MORNING = timedelta(hours=23)  # they wrote at 09:00
REMINDER = templates()["reminder", "en"]


class Talk:
    """One person on WhatsApp in the middle of the registration, and time that passes."""

    def __init__(self, desk: Desk, fake: FakeTwilio) -> None:
        self.desk, self.fake = desk, fake
        self.phone: Phone = fake.phone("whatsapp:+447700900001", fake.senders[f"whatsapp:{NUMBER}"])
        self.sms: Phone = fake.phone("+447700900001", fake.senders[NUMBER])
        for phone in (self.phone, self.sms):
            phone.inbox.clear()
        for said in ("hello", "1", "1"):
            self.say(said)

    def say(self, said: Any) -> None:
        self.fake.senders[f"whatsapp:{NUMBER}"].windows[self.phone.address] = (
            self.fake.clock.elapsed()
        )
        self.desk.hear(said, 1, kind="whatsapp")
        self.desk.deliver()

    def pass_time(self, step: timedelta) -> None:
        self.desk.clock.advance(step)
        self.fake.clock.advance(step.total_seconds())

    def remind(self, after: timedelta) -> None:
        """Time passes, and what is due is done: 20 h later it is night, so the morning is first."""
        self.pass_time(after)
        line = self.desk.homeline
        dues.run(self.desk.engine, line.directory.read_catalogue, now=self.desk.clock.now())
        self.desk.deliver()

    def approve(self, decision: str = "approved") -> None:
        desk, view = self.desk, self.desk.views["whatsapp"]
        work = approvals.submit(
            desk.engine, view, self.fake.url, languages=("en",), now=desk.clock.now
        )
        assert asyncio.run(work) == 4
        self.fake.run(lambda: self.fake.review(decision))
        asyncio.run(approvals.refresh(desk.engine, view, self.fake.url, now=desk.clock.now))

    def link_sms(self) -> None:
        """The same person has an SMS address too."""
        line, organisation = self.desk.homeline, self.desk.organisation_id
        with transaction(self.desk.engine, organisation) as db:
            make = Factory(db, line.keyring, self.desk.clock.now())
            channel = db.get_one(Channel, (organisation, self.desk.views["sms"].id))
            make.address(db.scalars(select(Contact)).one(), "sms:+447700900001", channel)

    @property
    def last(self) -> tuple[str, str | None]:
        return tuple(self.desk.statuses()[-1])


@pytest.fixture
def talk(desk: Desk, twilio: FakeTwilio) -> Talk:
    return Talk(desk, twilio)


def test_inside_the_window_the_question_itself_is_said(talk: Talk) -> None:
    talk.approve()
    talk.remind(MORNING)
    assert "still open" in talk.phone.last.body
    assert talk.phone.last.body != REMINDER.prompt({"organisation": "Consulate"}).text
    assert not talk.phone.last.approved


@pytest.mark.parametrize("after", [DAY - timedelta(minutes=10), DAY, DAY + timedelta(hours=5)])
def test_outside_it_the_template_is_said(talk: Talk, after: timedelta) -> None:
    talk.approve()
    talk.remind(after)
    assert talk.phone.last.approved
    assert talk.phone.last.body == REMINDER.prompt({"organisation": "Consulate"}).text
    assert talk.phone.last.labels == ["Answer", "Not now", "Stop"]
    assert talk.last == ("sent", None)


def test_answer_brings_the_waiting_question(talk: Talk) -> None:
    talk.approve()
    asked = talk.phone.last.body
    talk.remind(DAY)
    talk.say(Pressed(dict(talk.phone.last.buttons)["Answer"]))
    assert talk.phone.last.body == asked
    talk.say("Kenya")
    assert talk.desk.scalar("select country from profiles") == "KE"


def test_not_now_brings_nothing_more(talk: Talk) -> None:
    talk.approve()
    talk.remind(DAY)
    before = len(talk.phone.inbox)
    talk.say(Pressed("template.reminder.later"))
    assert len(talk.phone.inbox) == before
    assert talk.desk.scalar("select status from contacts") == "active"


def test_stop_stops(talk: Talk) -> None:
    talk.approve()
    talk.remind(DAY)
    talk.say(Pressed("template.reminder.stop"))
    assert talk.desk.scalar("select status from contacts") == "stopped"
    talk.say(Pressed("template.reminder.answer"))
    assert talk.desk.scalar("select status from contacts") == "stopped"


def test_a_stopped_person_gets_no_template(talk: Talk) -> None:
    talk.approve()
    talk.say("STOP")
    before = len(talk.phone.inbox)
    talk.remind(DAY)
    assert len(talk.phone.inbox) == before


@pytest.mark.parametrize("decision", ["rejected", "pending", "paused"])
def test_without_approval_and_sms_no_call_is_made(talk: Talk, decision: str) -> None:
    talk.approve(decision)
    calls = len(talk.fake.log)
    talk.remind(DAY)
    assert talk.last == ("failed", "window_closed")
    assert len(talk.fake.log) == calls


def test_without_approval_it_goes_by_sms_to_who_writes_there(talk: Talk) -> None:
    talk.link_sms()
    before = len(talk.phone.inbox)
    _say_late(talk)
    assert len(talk.phone.inbox) == before
    assert talk.last == ("sent", None)
    assert (
        talk.desk.scalar(
            "select c.kind from messages m join channels c on c.id = m.channel_id"
            " where m.direction = 'out' order by m.id desc limit 1"
        )
        == "sms"
    )


@pytest.mark.parametrize(
    "so_that",
    [
        "update addresses set status = 'opted_out' where scheme = 'sms'",
        "update channels set status = 'stopped' where kind = 'sms'",
        "update profiles set consents = '{}'",
    ],
)
def test_sms_is_for_those_who_take_it(talk: Talk, so_that: str) -> None:
    talk.link_sms()
    talk.desk.change(so_that)
    _say_late(talk)
    assert talk.last == ("failed", "window_closed")


def _say_late(talk: Talk) -> None:
    """Something is to be said on WhatsApp a day after the person wrote there."""
    talk.pass_time(DAY)
    desk, organisation = talk.desk, talk.desk.organisation_id
    with transaction(desk.engine, organisation) as db:
        contact = db.scalars(select(Contact)).one()
        there = db.scalars(select(Address).where(Address.scheme == "whatsapp")).one()
        make = Factory(db, desk.homeline.keyring, desk.clock.now())
        said = {"parts": [{"say": "nothing_open", "params": {}}]}
        message = make.message(contact, content=said)
        message.address_id, message.channel_id = there.id, there.channel_id
    talk.desk.deliver()


class TestTooLate:
    """63016 comes after Twilio took the message."""

    def report(self, talk: Talk) -> None:
        provider_id, message_id = talk.desk.ask(
            "select provider_id, id from messages where direction = 'out' order by id"
        )[self.place]
        talk.desk.homeline.statuses.record(
            talk.desk.views["whatsapp"],
            StatusUpdate(provider_id, "failed", "63016", str(message_id)),
        )
        talk.desk.deliver()

    place = -1

    def test_it_is_said_by_template_once(self, talk: Talk) -> None:
        talk.approve()
        talk.remind(MORNING)
        said = len(talk.phone.inbox)
        self.report(talk)
        assert len(talk.phone.inbox) == said + 1
        assert talk.phone.last.approved
        self.place = -2
        self.report(talk)
        assert len(talk.phone.inbox) == said + 1
        assert talk.desk.statuses()[-2:] == [("failed", "63016"), ("sent", None)]

    def test_a_second_refusal_ends_it(self, talk: Talk) -> None:
        talk.approve()
        talk.remind(MORNING)
        self.report(talk)
        self.report(talk)
        assert [status for status, _ in talk.desk.statuses()[-2:]] == ["failed", "failed"]
        talk.desk.deliver()
        assert len(talk.desk.statuses()) == len(talk.desk.ask(
            "select 1 from messages where direction = 'out'"
        ))  # fmt: skip

    def test_a_question_nobody_waits_for_is_not_said_again(self, talk: Talk) -> None:
        talk.approve()
        talk.remind(MORNING)
        talk.say("Kenya")
        self.place = -2
        count = len(talk.desk.statuses())
        self.report(talk)
        assert len(talk.desk.statuses()) == count


def test_officers_read_what_stood_on_the_screen(talk: Talk) -> None:
    talk.approve()
    talk.remind(DAY)
    line = talk.desk.homeline
    with transaction(talk.desk.engine, talk.desk.organisation_id) as db:
        listed = list_messages(
            db, line.keyring, read_inside(db), Wanted(direction="out"), after=None, most=50
        )
    assert listed[-1].text == talk.phone.last.body


def test_submitting_again_submits_nothing_twice(talk: Talk) -> None:
    talk.approve()
    desk = talk.desk
    again = approvals.submit(
        desk.engine, desk.views["whatsapp"], talk.fake.url, languages=("en", "fr"),
        now=desk.clock.now,
    )  # fmt: skip
    assert asyncio.run(again) == 4
