"""Who a sending reaches, on which channel, and the one reason why somebody is left out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from flows.conditions import Names, parse
from flows.templates import templates
from models import (
    Address,
    AddressStatus,
    Ask,
    AskKind,
    AskStatus,
    BroadcastKind,
    BroadcastStatus,
    ChannelKind,
    ChannelStatus,
    Contact,
    ContactStatus,
    Conversation,
    FlowVersion,
    Profile,
    RecipientStatus,
    SessionStatus,
    TemplateStatus,
)
from services.audiences.chunks import list_chunks
from services.audiences.eligibility import LeftOut, Sending, eligible
from services.audiences.interruptions import find_passages, interrupted, is_interrupted
from services.messages import templates as kept_templates
from tests.asks import ask, broadcast, recipient
from tests.factories import Factory

EVERYBODY = parse({"all": []}, Names())
AGREED = ("registration", "polls")


def person(make: Factory, address: str = "sms:+15550000001", **more: Any) -> Contact:
    """Somebody who may be asked; `more` are columns of the profile."""
    serial = int(make.db.query(Contact).count())
    scheme, _, rest = address.partition(":")
    unique = f"{scheme}:{rest[:-4]}{serial:04d}"
    return make.contact(consented=AGREED, address=unique, **more)


def reached(db: Session, make: Factory, sending: Sending, **more: Any) -> dict[UUID, Any]:
    rows = db.execute(eligible(db, sending, now=make.now, **more)).all()
    assert len({row.contact_id for row in rows}) == len(rows)
    return {row.contact_id: row for row in rows}


def reason(make: Factory, contact: Contact, **changed: Any) -> str | None:
    sending = Sending(BroadcastKind.INVITATION, AskKind.POLL, EVERYBODY, **changed)
    found: str | None = reached(make.db, make, sending)[contact.id].reason
    return found


def test_whoever_agreed_is_reached_where_they_are(make: Factory) -> None:
    contact = person(make, language="fr", country="ZA", time_zone="Africa/Johannesburg")
    row = reached(make.db, make, Sending(BroadcastKind.INVITATION, AskKind.POLL, EVERYBODY))
    found = row[contact.id]
    assert (found.channel_kind, found.language, found.time_zone, found.country) == (
        "sms",
        "fr",
        "Africa/Johannesburg",
        "ZA",
    )
    assert found.reason is None
    assert make.db.get_one(Address, (make.organisation_id, found.address_id)).scheme == "sms"


def test_only_the_audience_is_looked_at(make: Factory) -> None:
    here, _elsewhere = person(make, country="ZA"), person(make, country="KE")
    sending = Sending(BroadcastKind.INVITATION, AskKind.POLL, parse({"country": "ZA"}, Names()))
    assert reached(make.db, make, sending).keys() == {here.id}


def test_each_reason_alone(make: Factory) -> None:
    asked = ask(make)
    stopped, refused, busy, away, invited, full = (person(make) for _ in range(6))
    stopped.status = ContactStatus.STOPPED
    profile(make, refused).consents = ["registration", "alerts"]
    make.flow_session(busy, make.flow_version(9))
    make.db.query(Address).filter_by(contact_id=away.id).update({"status": AddressStatus.BLOCKED})
    recipient(make, broadcast(make, asked), invited, status=RecipientStatus.QUEUED)
    profile(make, full).monthly_cap = 0
    make.db.flush()
    expected = {
        stopped: LeftOut.STOPPED,
        refused: LeftOut.NO_CONSENT,
        busy: LeftOut.BUSY,
        away: LeftOut.UNREACHABLE,
        invited: LeftOut.ALREADY_ASKED,
        full: LeftOut.MONTHLY_CAP,
        person(make): None,
    }
    for contact, why in expected.items():
        assert reason(make, contact, ask_id=asked.id) == why


def test_of_several_reasons_the_first_counts(make: Factory) -> None:
    asked, other = ask(make), ask(make, code="other7", version=make.flow_version(2))
    contact = person(make)
    told = make.db.query(Address).filter_by(contact_id=contact.id).one()
    contact.status = ContactStatus.STOPPED
    profile(make, contact).consents = []
    profile(make, contact).monthly_cap = 1
    recipient(make, broadcast(make, other), contact)
    recipient(make, broadcast(make, asked), contact)
    make.flow_session(contact, make.flow_version(9))
    told.status = AddressStatus.DEAD
    steps: list[tuple[LeftOut, Callable[[], None]]] = [
        (LeftOut.STOPPED, lambda: setattr(contact, "status", ContactStatus.ACTIVE)),
        (LeftOut.NO_CONSENT, lambda: setattr(profile(make, contact), "consents", ["polls"])),
        (LeftOut.MONTHLY_CAP, lambda: setattr(profile(make, contact), "monthly_cap", 2)),
        (LeftOut.BUSY, lambda: setattr(conversation(make, contact), "state", None)),
        (LeftOut.UNREACHABLE, lambda: setattr(told, "status", AddressStatus.ACTIVE)),
    ]
    for why, mend in steps:
        make.db.flush()
        assert reason(make, contact, ask_id=asked.id) == why
        mend()
    make.db.flush()
    assert reason(make, contact, ask_id=asked.id) == LeftOut.ALREADY_ASKED


def test_the_cap_counts_asks_of_this_month_that_leave(make: Factory) -> None:
    contact = person(make)
    past = make.now - timedelta(days=14)  # the month before

    def another(number: int, kind: AskKind = AskKind.POLL) -> Ask:
        return ask(make, code=f"ask{number}", kind=kind, version=make.flow_version(number))

    recipient(make, broadcast(make, another(2)), contact)
    recipient(make, broadcast(make, another(3)), contact, send_at=past)
    recipient(make, broadcast(make, another(4)), contact, status=RecipientStatus.LEFT_OUT)
    recipient(make, broadcast(make, another(5), status=BroadcastStatus.CANCELED), contact)
    recipient(make, broadcast(make, another(6, AskKind.NOTICE)), contact)
    back = broadcast(make, another(7), kind=BroadcastKind.REPORT_BACK)
    recipient(make, back, contact)
    assert reason(make, contact) is None
    recipient(make, broadcast(make, another(8)), contact, status=RecipientStatus.QUEUED)
    assert reason(make, contact) == LeftOut.MONTHLY_CAP
    urgent = Sending(BroadcastKind.INVITATION, AskKind.NOTICE, EVERYBODY)
    profile(make, contact).consents = ["alerts"]
    make.db.flush()
    assert reached(make.db, make, urgent)[contact.id].reason is None


def test_the_cap_counts_what_rules_began_too(make: Factory) -> None:
    contact = person(make)
    profile(make, contact).monthly_cap = 1
    session = make.flow_session(contact, make.flow_version(9), SessionStatus.COMPLETE)
    assert reason(make, contact) is None
    session.origin = {"rule": str(session.id)}
    make.db.flush()
    assert reason(make, contact) == LeftOut.MONTHLY_CAP
    session.started_at = make.now - timedelta(days=40)
    make.db.flush()
    assert reason(make, contact) is None


def test_a_registration_is_not_interrupted_however_long_it_waits(make: Factory) -> None:
    contact = person(make)
    session = make.flow_session(contact, make.flow_version(9))
    conversation(make, contact).updated_at = make.now - timedelta(days=5)
    session.kind = "registration"
    make.db.flush()
    assert reason(make, contact) == LeftOut.BUSY
    session.status = SessionStatus.COMPLETE
    make.db.flush()
    assert reason(make, contact) is None


@pytest.mark.parametrize("age", [timedelta(hours=1), timedelta(days=3)])
@pytest.mark.parametrize("kind", ["registration", "poll"])
@pytest.mark.parametrize(
    "state",
    [
        None,
        {"session": {}},
        {"session": {}, "origin": {"ask": "mine"}},
        {"session": {}, "origin": {"ask": "another"}},
        {"session": {}, "origin": {"ask": "withdrawn"}},
        {"session": {}, "origin": {"test": "mine"}},
        {"session": {}, "origin": {"ask": "mine"}, "paused": {"session": {}}},
        {"aside": {}},
        {"said": ["x"]},
    ],
)
def test_what_is_said_of_all_and_of_one_is_the_same(
    make: Factory, state: dict[str, Any] | None, kind: str, age: timedelta
) -> None:
    """The dry run and the broadcast ask by SQL, the feeder asks of each conversation it locked."""
    asked, contact = ask(make), person(make)
    make.flow_session(contact, make.flow_version(9)).kind = kind
    talk = conversation(make, contact)
    others = {
        "mine": asked,
        "another": ask(make, code="hours8", version=make.flow_version(8)),
        "withdrawn": ask(make, code="hours9", version=make.flow_version(7)),
    }
    others["withdrawn"].status = AskStatus.CANCELED
    name = (state or {}).get("origin", {}).get("ask")
    talk.state = state | {"origin": {"ask": str(others[name].id)}} if state and name else state
    talk.updated_at = make.now - age
    make.db.flush()
    wanted = interrupted(make.organisation_id, asked.id, make.now)
    by_sql = contact.id in make.db.scalars(wanted).all()
    passages = find_passages(make.db, [talk])
    assert is_interrupted(talk, asked.id, passages, make.now) is by_sql


def test_who_left_a_question_days_ago_is_not_busy(make: Factory) -> None:
    contact = person(make)
    make.flow_session(contact)
    conversation(make, contact).updated_at = make.now - timedelta(days=2)
    make.db.flush()
    assert reason(make, contact) is None


def test_who_talks_with_an_officer_is_not_interrupted(make: Factory) -> None:
    contact = person(make)
    make.case(contact)
    assert reason(make, contact) == LeftOut.BUSY


def test_the_address_last_used_is_taken(make: Factory) -> None:
    contact = person(make, "telegram:1001")
    sms = make.address(contact, "sms:+15550001111")
    (telegram,) = make.db.query(Address).filter_by(contact_id=contact.id, scheme="telegram")
    sending = Sending(BroadcastKind.INVITATION, AskKind.POLL, EVERYBODY)
    telegram.last_in_at, sms.last_in_at = make.now - timedelta(days=9), make.now
    make.db.flush()
    assert reached(make.db, make, sending)[contact.id].address_id == sms.id
    # Both today: addresses note the first message of a day, the profile the last.
    telegram.last_in_at = make.now - timedelta(hours=1)
    profile(make, contact).channel = "telegram"
    make.db.flush()
    assert reached(make.db, make, sending)[contact.id].address_id == telegram.id
    telegram.status = AddressStatus.BLOCKED
    make.db.flush()
    assert reached(make.db, make, sending)[contact.id].address_id == sms.id


def test_a_channel_that_does_not_send_reaches_nobody(make: Factory) -> None:
    channel = make.channel(ChannelKind.SMS)
    contact = make.contact(consented=AGREED, address="sms:+15550001111", channel=channel)
    channel.status = ChannelStatus.STOPPED
    make.db.flush()
    assert reason(make, contact) == LeftOut.UNREACHABLE


def test_whatsapp_outside_the_window_needs_a_template_or_sms(make: Factory) -> None:
    whatsapp = make.channel(ChannelKind.WHATSAPP)
    contact = make.contact(
        consented=AGREED, address="whatsapp:+15550001111", channel=whatsapp, language="fr"
    )
    (address,) = make.db.query(Address).filter_by(contact_id=contact.id)
    address.last_in_at = make.now - timedelta(days=3)
    sending = Sending(BroadcastKind.INVITATION, AskKind.POLL, EVERYBODY)
    assert reason(make, contact) == LeftOut.UNREACHABLE
    address.window_until = make.now + timedelta(hours=2)
    make.db.flush()
    assert reached(make.db, make, sending)[contact.id].by_template is False
    address.window_until = make.now - timedelta(hours=2)
    sms = make.address(contact, "sms:+15550001111")
    assert reached(make.db, make, sending)[contact.id].address_id == sms.id
    for language, used in (("en", sms.id), ("fr", address.id)):
        template = templates()["invitation", language]
        kept_templates.keep(
            make.db, whatsapp.id, template, "HX1", TemplateStatus.APPROVED, now=make.now
        )
        assert reached(make.db, make, sending)[contact.id].address_id == used
    assert reached(make.db, make, sending)[contact.id].by_template is True


def test_a_reminder_goes_to_the_silent_once(make: Factory) -> None:
    asked = ask(make)
    sending = broadcast(make, asked)
    silent, answered, waiting, nobody, reminded = (person(make) for _ in range(5))
    for contact in (silent, answered, reminded):
        recipient(make, sending, contact, status=RecipientStatus.QUEUED)
    recipient(make, sending, waiting)
    passed(make, answered, asked)
    again = broadcast(make, asked, kind=BroadcastKind.REMINDER)
    recipient(make, again, reminded, status=RecipientStatus.QUEUED)
    found = reached(
        make.db, make, Sending(BroadcastKind.REMINDER, AskKind.POLL, EVERYBODY, asked.id)
    )
    assert {one: row.reason for one, row in found.items()} == {
        silent.id: None,
        answered.id: LeftOut.ALREADY_ASKED,
        reminded.id: LeftOut.ALREADY_ASKED,
    }
    assert nobody.id not in found


@pytest.mark.parametrize("to_invited", [False, True])
def test_a_report_back_goes_to_who_answered_or_was_invited(make: Factory, to_invited: bool) -> None:
    asked = ask(make)
    invited, answered, stopped = (person(make) for _ in range(3))
    recipient(make, broadcast(make, asked), invited, status=RecipientStatus.QUEUED)
    for contact in (answered, stopped):
        passed(make, contact, asked)
        profile(make, contact).consents = ["registration"]
    stopped.status = ContactStatus.STOPPED
    make.db.flush()
    sending = Sending(
        BroadcastKind.REPORT_BACK, AskKind.POLL, EVERYBODY, asked.id, to_invited=to_invited
    )
    found = {one: row.reason for one, row in reached(make.db, make, sending).items()}
    answering = {answered.id: None, stopped.id: LeftOut.STOPPED}
    assert found == ({invited.id: None} if to_invited else answering)


def test_chunks_are_everybody_once_and_in_order(make: Factory) -> None:
    everybody = [person(make).id for _ in range(7)]
    sending = Sending(BroadcastKind.INVITATION, AskKind.POLL, EVERYBODY)
    seen: list[UUID] = []
    for chunk in list_chunks(make.db, 3):
        rows = make.db.execute(eligible(make.db, sending, now=make.now, chunk=chunk)).all()
        assert len(rows) <= 3
        seen += [row.contact_id for row in rows]
    assert seen == everybody


def passed(make: Factory, contact: Contact, asked: Ask) -> None:
    """Let somebody answer the ask to its end."""
    version = make.db.get_one(FlowVersion, (make.organisation_id, asked.flow_version_id))
    session = make.flow_session(contact, version, SessionStatus.COMPLETE)
    session.origin = {"ask": str(asked.id)}
    make.db.flush()


def profile(make: Factory, contact: Contact) -> Profile:
    return make.db.get_one(Profile, (make.organisation_id, contact.id))


def conversation(make: Factory, contact: Contact) -> Conversation:
    return make.db.get_one(Conversation, (make.organisation_id, contact.id))
