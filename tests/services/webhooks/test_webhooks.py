"""Events are born with their cause, told signed, tried again, and end with their contact."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from models import (
    AskMode,
    AskStatus,
    BroadcastStatus,
    Case,
    CaseReason,
    Contact,
    ContactStatus,
    FlowSession,
    Message,
    MessageStatus,
    SessionStatus,
    WebhookDelivery,
    WebhookEndpoint,
)
from models.audit import AuditEvent
from models.base import new_id
from models.db import transaction
from models.sealed import Keyring
from services import audit, retention
from services.errors import Conflict, Invalid, NotFound
from services.organisations import OrganisationKeyring
from services.retention import PERIODS
from services.rights import consents, rights
from services.webhooks import webhook_tries, webhooks
from services.webhooks.webhook_signing import new_secret, sign
from services.webhooks.webhook_tries import DISABLE_AFTER, PAUSES, Result, Try
from services.webhooks.webhooks import EVENTS
from tests.asks import ask, broadcast
from tests.conftest import MadeUp, MovedByHand, another_organisation
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]
URL = "https://hooks.example.org/homeline"
WORDING = consents.Wording(language="en", channel_kind="telegram")
TAKEN, REFUSED, GONE = (Result(status, None, 12) for status in (204, 500, 410))


def listen(make: Factory, *events: str) -> UUID:
    added = webhooks.add(make.db, make.keys, URL, events or EVENTS, now=make.now)
    return added.endpoint.id


def told(db: Session) -> list[WebhookDelivery]:
    db.flush()
    return list(db.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))


def kinds(db: Session) -> list[str]:
    return sorted(one.kind for one in told(db))


class TestSigning:
    def test_the_specification_s_own_example_holds(self) -> None:
        signature = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            datetime.fromtimestamp(1614265330, UTC),
            b'{"test": 2432232314}',
        )
        assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    def test_another_byte_id_or_second_is_another_signature(self) -> None:
        secret, at = new_secret(), datetime(2026, 3, 2, tzinfo=UTC)
        given = {
            sign(secret, "a", at, b"{}"),
            sign(secret, "a", at, b"{ }"),
            sign(secret, "b", at, b"{}"),
            sign(secret, "a", at + timedelta(seconds=1), b"{}"),
            sign(new_secret(), "a", at, b"{}"),
        }
        assert len(given) == 5

    def test_a_secret_that_is_none_is_refused(self) -> None:
        with pytest.raises(ValueError, match="base64"):
            sign("whsec_!", "a", datetime(2026, 3, 2, tzinfo=UTC), b"")


class TestBirth:
    def test_nothing_is_written_where_nobody_wants_to_know(self, make: Factory) -> None:
        contact = make.contact(consented=True)
        rights.erase(make.db, contact.id, now=make.now)
        assert told(make.db) == []

    def test_a_registration_completes_once(self, make: Factory) -> None:
        listen(make, "registration.completed")
        version = make.flow_version(kind="registration")
        session = make.flow_session(make.contact(), version)
        for status in (SessionStatus.COMPLETE, SessionStatus.WAITING, SessionStatus.COMPLETE):
            session.status, session.completed_at = status, make.now
            make.db.flush()
        [event] = told(make.db)
        assert event.payload == {
            "type": "registration.completed",
            "timestamp": "2026-03-02T09:00:00.000000Z",
            "data": {
                "registration_id": str(session.id), "contact_id": str(session.contact_id),
            },
        }  # fmt: skip

    def test_a_poll_is_no_registration(self, make: Factory) -> None:
        listen(make)
        make.flow_session(make.contact(), status=SessionStatus.COMPLETE)
        assert kinds(make.db) == []

    def test_consents_stops_and_cases_are_told(self, make: Factory) -> None:
        contact = make.contact(consented=("registration", "messages"))
        listen(make)
        consents.withdraw(make.db, contact.id, "messages", WORDING, now=make.now)
        contact.status, contact.stopped_at = ContactStatus.STOPPED, make.now
        make._add(
            Case(
                contact_id=contact.id, reason=CaseReason.PERSON, opened_at=make.now,
                last_message_at=make.now,
            )
        )  # fmt: skip
        assert kinds(make.db) == ["case.opened", "consent.changed", "contact.stopped"]
        assert {one.payload["data"]["contact_id"] for one in told(make.db)} == {str(contact.id)}

    def test_a_message_fails_once_and_not_while_another_way_is_tried(self, make: Factory) -> None:
        listen(make, "message.failed")
        contact = make.contact(consented=True)
        lost = make.message(contact)
        outside = make.message(contact, error_code="63016")
        again = make.message(contact, error_code="63016", content={"parts": [], "again": True})
        for message in (lost, outside, again):
            message.status = MessageStatus.FAILED
        make.db.flush()
        lost.status = MessageStatus.FAILED
        named = {one.payload["data"]["message_id"] for one in told(make.db)}
        assert named == {str(lost.id), str(again.id)}

    def test_erasure_takes_all_but_the_news_of_it(self, make: Factory) -> None:
        contact = make.contact(consented=True)
        listen(make)
        contact.status = ContactStatus.STOPPED
        make.db.flush()
        rights.erase(make.db, contact.id, now=make.now)
        [event] = told(make.db)
        assert (event.kind, event.contact_id) == ("contact.erased", None)
        assert event.payload["data"] == {"contact_id": str(contact.id)}

    def test_every_endpoint_that_asked_is_told_under_one_id(self, make: Factory) -> None:
        first, second = listen(make, "contact.stopped"), listen(make)
        listen(make, "case.opened")
        make.contact().status = ContactStatus.STOPPED
        rows = told(make.db)
        assert {one.endpoint_id for one in rows} == {first, second}
        assert len({one.event for one in rows}) == 1

    def test_it_is_undone_with_its_cause(self, engine: Engine, making: Making) -> None:
        with making() as make:
            listen(make)
            contact = make.contact(consented=True)
        with making() as make:
            make.db.execute(update(Contact).values(status="stopped"))
            assert kinds(make.db) == ["consent.changed", "contact.stopped"]
            make.db.rollback()
        with making() as make:
            assert "contact.stopped" not in kinds(make.db)
            assert make.db.get(Contact, (contact.organisation_id, contact.id)) is not None

    def test_another_organisation_hears_nothing(
        self, engine: Engine, making: Making, keyring: Keyring, now: datetime
    ) -> None:
        other = another_organisation(engine, keyring, now, "Another Consulate")
        with making(other.id) as make:
            listen(make)
        with making() as make:
            make.contact(consented=True).status = ContactStatus.STOPPED
            assert told(make.db) == []
        with making(other.id) as make:
            assert told(make.db) == []

    def test_rows_end_when_retention_says(self, make: Factory) -> None:
        listen(make)
        make.contact().status = ContactStatus.STOPPED
        [event] = told(make.db)
        assert event.expires_at - event.created_at == PERIODS["webhook_deliveries"]
        make.db.expire_all()
        retention.run(make.db, now=make.now + timedelta(days=31))
        assert kinds(make.db) == ["contact.erased"]  # kept long enough, and told of


class TestEndpoints:
    def test_a_secret_is_shown_once_and_kept_sealed(self, make: Factory) -> None:
        added = webhooks.add(make.db, make.keys, URL, ["case.opened"], now=make.now)
        assert added.secret.startswith("whsec_")
        assert added.secret.encode() not in added.endpoint.secret
        assert webhooks.open_secrets(make.keys, added.endpoint, now=make.now) == (added.secret,)
        assert added.secret not in repr(added)

    def test_both_secrets_sign_for_a_day(self, make: Factory) -> None:
        old = webhooks.add(make.db, make.keys, URL, ["case.opened"], now=make.now)
        new = webhooks.rotate(make.db, make.keys, old.endpoint.id, actor=audit.SYSTEM, now=make.now)
        day = timedelta(hours=24)
        open_now = webhooks.open_secrets(make.keys, new.endpoint, now=make.now)
        open_later = webhooks.open_secrets(make.keys, new.endpoint, now=make.now + day)
        assert open_now == (new.secret, old.secret)
        assert open_later == (new.secret,)

    def test_what_nobody_knows_is_refused(self, make: Factory) -> None:
        for events in ([], ["everything"], ["case.opened", "webhook.test"]):
            with pytest.raises(Invalid):
                webhooks.add(make.db, make.keys, URL, events, now=make.now)
        with pytest.raises(NotFound):
            webhooks.get(make.db, new_id(make.now))

    def test_there_are_at_most_twenty(self, make: Factory) -> None:
        for _ in range(20):
            listen(make, "case.opened")
        with pytest.raises(Conflict):
            listen(make, "case.opened")

    def test_removing_one_removes_its_log(self, make: Factory) -> None:
        endpoint = listen(make)
        webhooks.test(make.db, endpoint, now=make.now)
        webhooks.remove(make.db, endpoint, actor=audit.SYSTEM, now=make.now)
        assert told(make.db) == []


@dataclass
class Round:
    """One endpoint with one event waiting, tried by hand."""

    engine: Engine
    keys: OrganisationKeyring
    clock: MovedByHand
    organisation_id: UUID
    endpoint_id: UUID

    def claim(self) -> list[Try]:
        return webhook_tries.claim(self.engine, self.keys, now=self.clock.now())

    def answer(self, result: Result) -> None:
        [tried] = self.claim()
        webhook_tries.record(self.engine, tried, result, now=self.clock.now())

    def row(self, model: type[Any] = WebhookDelivery) -> Any:
        with transaction(self.engine, self.organisation_id) as db:
            return db.scalars(select(model)).one()


@pytest.fixture
def turn(
    engine: Engine, making: Making, organisation: MadeUp, keyring: Keyring, clock: MovedByHand
) -> Round:
    with making() as make:
        endpoint = listen(make)
        webhooks.test(make.db, endpoint, now=make.now)
    keys = OrganisationKeyring(engine, keyring)
    return Round(engine, keys, clock, organisation.id, endpoint)


class TestTries:
    def test_what_arrived_is_told_no_more(self, turn: Round) -> None:
        turn.answer(TAKEN)
        row = turn.row()
        assert (row.status, row.attempts, row.last_status, row.response_ms) == (
            "delivered", 1, 204, 12,
        )  # fmt: skip
        turn.clock.advance(timedelta(days=6))
        assert turn.claim() == []

    def test_nobody_else_gets_it_while_somebody_holds_it(self, turn: Round) -> None:
        [tried] = turn.claim()
        assert turn.claim() == []
        turn.clock.advance(timedelta(seconds=61))
        [again] = turn.claim()
        assert again.headers["webhook-id"] == tried.headers["webhook-id"]
        assert again.headers["webhook-timestamp"] != tried.headers["webhook-timestamp"]

    def test_pauses_grow_and_the_id_stays(self, turn: Round) -> None:
        ids = set()
        for pause in PAUSES:
            [tried] = turn.claim()
            ids.add(tried.headers["webhook-id"])
            webhook_tries.record(turn.engine, tried, REFUSED, now=turn.clock.now())
            if turn.row(WebhookEndpoint).status != "active":
                break
            wait = turn.row().next_try_at - turn.clock.now()
            assert pause <= wait <= pause * 1.1
            turn.clock.advance(wait)
        assert len(ids) == 1

    def test_five_days_without_success_disable_it_and_enabling_goes_on(self, turn: Round) -> None:
        turn.answer(REFUSED)
        turn.clock.advance(DISABLE_AFTER)
        turn.answer(Result(None, "timeout", 10_000))
        endpoint = turn.row(WebhookEndpoint)
        assert (endpoint.status, endpoint.reason) == ("disabled", "failing")
        turn.clock.advance(timedelta(days=1))
        assert turn.claim() == []
        with transaction(turn.engine, turn.organisation_id) as db:
            assert "webhook.disabled" in list(db.scalars(select(AuditEvent.action)))
            with pytest.raises(Conflict):
                webhooks.test(db, turn.endpoint_id, now=turn.clock.now())
            webhooks.enable(db, turn.endpoint_id, actor=audit.SYSTEM, now=turn.clock.now())
        turn.answer(TAKEN)
        assert turn.row().status == "delivered"

    def test_a_success_in_between_begins_the_five_days_anew(self, turn: Round) -> None:
        turn.answer(REFUSED)
        turn.clock.advance(timedelta(days=4))
        turn.answer(TAKEN)
        assert turn.row(WebhookEndpoint).failing_since is None

    def test_410_disables_at_once(self, turn: Round) -> None:
        turn.answer(GONE)
        assert turn.row(WebhookEndpoint).reason == "gone"

    def test_a_silent_end_after_the_last_pause(self, turn: Round) -> None:
        with transaction(turn.engine, turn.organisation_id) as db:
            db.execute(update(WebhookDelivery).values(attempts=len(PAUSES)))
        turn.answer(REFUSED)
        assert (turn.row().status, turn.row().next_try_at) == ("failed", None)

    def test_an_event_that_went_with_its_contact_is_no_fault(self, turn: Round) -> None:
        [tried] = turn.claim()
        with transaction(turn.engine, turn.organisation_id) as db:
            for row in db.scalars(select(WebhookDelivery)):
                db.delete(row)
        webhook_tries.record(turn.engine, tried, TAKEN, now=turn.clock.now())

    def test_who_fails_gets_few_places(self, turn: Round, making: Making) -> None:
        turn.answer(REFUSED)
        with making() as make:
            for _ in range(30):
                webhooks.test(make.db, turn.endpoint_id, now=make.now)
            well = listen(make)
            for _ in range(30):
                webhooks.test(make.db, well, now=make.now)
        claimed = [one.endpoint_id for one in turn.claim()]
        assert (claimed.count(turn.endpoint_id), claimed.count(well)) == (2, 20)


def test_only_what_the_application_lists_is_told(make: Factory) -> None:
    """The triggers and the list say the same: every kind can be born."""
    listen(make)
    contact = make.contact(consented=True)
    session = make.flow_session(contact, make.flow_version(kind="registration"))
    session.status = SessionStatus.COMPLETE
    message = make.message(contact)
    make.db.execute(update(Message).where(Message.id == message.id).values(status="failed"))
    make._add(
        Case(
            contact_id=contact.id, reason=CaseReason.DANGER, opened_at=make.now,
            last_message_at=make.now,
        )
    )  # fmt: skip
    _a_poll_runs_its_course(make, contact)
    contact.status = ContactStatus.STOPPED
    born = set(kinds(make.db))
    assert make.db.get(FlowSession, (session.organisation_id, session.id)) is not None
    rights.erase(make.db, contact.id, now=make.now)
    assert born | set(kinds(make.db)) == set(EVENTS)


def _a_poll_runs_its_course(make: Factory, contact: Contact) -> FlowSession:
    """A poll that opens, is sent, answered once and changed, and closes."""
    asked = ask(make, version=make.flow_version(8), status=AskStatus.DRAFT)
    asked.status = AskStatus.OPEN
    make.db.flush()
    sending = broadcast(make, asked)
    sending.status, sending.finished_at = BroadcastStatus.FINISHED, make.now
    passage = make.flow_session(contact, make.flow_version(9))
    passage.origin = {"ask": str(asked.id)}
    passage.kind, passage.status = "poll", SessionStatus.COMPLETE
    make.db.flush()
    again = update(FlowSession).where(FlowSession.id == passage.id)
    make.db.execute(again.values(status=SessionStatus.COMPLETE, updated_at=make.now))
    for status in (AskStatus.CLOSING, AskStatus.CLOSED):
        asked.status = status
        make.db.flush()
    return passage


def test_a_poll_tells_each_thing_once(make: Factory) -> None:
    listen(make, "poll.opened", "poll.answered", "poll.closed", "broadcast.finished")
    contact = make.contact(consented=True)
    passage = _a_poll_runs_its_course(make, contact)
    rows = {row.kind: row for row in make.db.scalars(select(WebhookDelivery))}
    assert sorted(kinds(make.db)) == sorted(rows)
    assert rows["poll.answered"].payload["data"] == {
        "poll_id": str(passage.origin["ask"]),
        "contact_id": str(contact.id),
        "registration_id": str(passage.id),
    }


def test_nobody_is_told_who_voted_in_a_secret_poll(make: Factory) -> None:
    listen(make, "poll.answered")
    asked = ask(make, version=make.flow_version(8), mode=AskMode.SECRET)
    passage = make.flow_session(make.contact(), make.flow_version(9))
    passage.origin = {"ask": str(asked.id)}
    passage.kind, passage.status = "poll", SessionStatus.COMPLETE
    make.db.flush()
    assert kinds(make.db) == []
