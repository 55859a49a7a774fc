"""Nothing personal is kept longer than the table of periods says."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from models import (
    Address,
    Answer,
    AuditEvent,
    Base,
    Contact,
    Conversation,
    FlowSession,
    Message,
    Profile,
    Quarantined,
    Receipt,
    SessionStatus,
    Tombstone,
)
from models.api_key import IdempotencyKey
from models.db import transaction
from models.walls import system_scope
from services import api_keys, audit, retention
from services.retention import FOLLOW_CONTACT, PERIODS
from services.rights import rights
from tests.conftest import MadeUp, MovedByHand
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]
DAY = timedelta(days=1)
A_MOMENT = timedelta(seconds=1)


@pytest.fixture
def sweep(engine: Engine, clock: MovedByHand) -> Callable[..., dict[str, int]]:
    """Sweep until it is finished, as the job does; what was ended, by table."""

    def run(most: int = 1000) -> dict[str, int]:
        total: dict[str, int] = {}
        while True:
            with system_scope(engine) as db:
                swept = retention.run(db, now=clock.now(), most=most)
            assert all(count <= most for count in swept.rows.values())
            total = {table: total.get(table, 0) + n for table, n in swept.rows.items()}
            if swept.finished:
                return {table: n for table, n in total.items() if n}

    return run


@pytest.fixture
def count(engine: Engine, organisation: MadeUp) -> Callable[[type[Base]], int]:
    def rows(model: type[Base]) -> int:
        with transaction(engine, organisation.id) as db:
            return db.scalar(select(func.count()).select_from(model)) or 0

    return rows


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("before_consent", 1),
        ("unfinished", 14),
        ("quarantine", 7),
        ("messages", 90),
        ("recordings", 30),
        ("crisis_place", 3),
        ("contacts", 730),
        ("receipts", 400),
        ("tombstones", 1825),
        *((table, 730) for table in sorted(FOLLOW_CONTACT)),
    ],
)
def test_the_periods(rule: str, days: int, clock: MovedByHand) -> None:
    assert retention.expires_at(rule, clock.now()) == clock.now() + days * DAY


def test_an_unknown_rule_is_refused(clock: MovedByHand) -> None:
    with pytest.raises(KeyError):
        retention.expires_at("whatever", clock.now())


def test_without_consent_a_person_is_forgotten_after_a_day(
    making: Making, clock: MovedByHand, sweep: Any, count: Any
) -> None:
    with making() as make:
        make.message(make.contact(), typed="hello")
    clock.advance(DAY - A_MOMENT)
    assert sweep() == {}
    clock.advance(A_MOMENT)
    assert sweep() == {"contacts": 1}
    for model in (Contact, Address, Message, Profile, Conversation):
        assert count(model) == 0


def test_everything_of_a_person_goes_two_years_after_the_last_contact(
    making: Making, clock: MovedByHand, sweep: Any, count: Any, engine: Engine, organisation: MadeUp
) -> None:
    with making() as make:
        contact = make.contact(consented=True)
        session = make.flow_session(contact, status=SessionStatus.COMPLETE)
        make.answer(session, "when_open", "yes")
        make.due(contact)
    clock.advance(700 * DAY)
    with transaction(engine, organisation.id) as db:
        expires_at = retention.expires_at("contacts", clock.now())
        db.execute(update(Contact).values(last_seen_at=clock.now(), expires_at=expires_at))
    clock.advance(729 * DAY)
    assert sweep() == {}
    assert count(Answer) == 1, "children follow the contact, whatever their own date says"
    clock.advance(DAY)
    assert sweep() == {"contacts": 1}
    assert (count(Contact), count(Answer), count(FlowSession)) == (0, 0, 0)
    with transaction(engine, organisation.id) as db:
        last = db.scalars(select(AuditEvent).order_by(AuditEvent.number.desc()).limit(1)).one()
        assert (last.action, last.detail) == ("contacts.expired", {"count": 1})
        assert audit.verify(db) is None


def test_an_unfinished_conversation_is_forgotten_its_answers_are_not(
    making: Making, clock: MovedByHand, sweep: Any, count: Any, engine: Engine, organisation: MadeUp
) -> None:
    with making() as make:
        answered = make.contact(mid_flow=True)
        session = make.db.scalars(select(FlowSession)).one()
        make.answer(session, "when_open", "yes")
        make.flow_session(make.contact(consented=True), make.flow_version(version=2))
    clock.advance(14 * DAY - A_MOMENT)
    assert sweep() == {}
    clock.advance(A_MOMENT)
    assert sweep() == {"conversations": 2, "flow_sessions": 2}
    assert sweep() == {}
    assert count(Answer) == 1
    with transaction(engine, organisation.id) as db:
        assert set(db.scalars(select(FlowSession.status))) == {"partial", "expired"}
        assert db.get_one(FlowSession, (organisation.id, session.id)).status == "partial"
        talk = db.get_one(Conversation, (organisation.id, answered.id))
        assert (talk.state, talk.session_id) == (None, None)
        assert talk.seq == 2, "who moves a conversation bumps its number"


def test_the_other_periods(making: Making, clock: MovedByHand, sweep: Any, count: Any) -> None:
    """C-10: there a second before its end, gone at it."""
    with making() as make:
        channel = make.channel()
        make.message(make.contact(consented=True), typed="hello")
        make.receipt(channel)
        make.quarantined(channel, "telegram:1")
        gone = make.contact(consented=True)
        rights.erase(make.db, gone.id, now=make.now)
        key = api_keys.create(make.db, "key", scopes=["*"], now=make.now)
        make.db.add(
            IdempotencyKey(
                organisation_id=make.organisation_id,
                key_id=key.id,
                key="once",
                digest=b"",
                expires_at=retention.expires_at("idempotency_keys", make.now),
            )
        )
    for days, ended in (
        (1, {"idempotency_keys": 1}),
        (7, {"quarantine": 1}),
        (90, {"messages": 1}),
        (400, {"receipts": 1}),
        (730, {"contacts": 1}),
        (1825, {"tombstones": 1}),
    ):
        clock.present = make.now + days * DAY - A_MOMENT
        assert sweep() == {}
        clock.advance(A_MOMENT)
        assert sweep() == ended
    for model in (IdempotencyKey, Quarantined, Message, Receipt, Contact, Tombstone):
        assert count(model) == 0


def test_a_sweep_goes_in_small_steps_and_touches_nothing_else(
    making: Making, clock: MovedByHand, sweep: Any, count: Any
) -> None:
    with making() as make:
        channel = make.channel()
        for number in range(7):
            make.contact(channel=channel)
            make.receipt(channel, b"%d" % number)
        make.contact(consented=True, channel=channel)
    clock.advance(2 * DAY)
    assert sweep(most=2) == {"contacts": 7}
    assert (count(Contact), count(Receipt)) == (1, 7)


def test_a_merged_contact_waits_for_its_survivor(
    making: Making, clock: MovedByHand, sweep: Any, count: Any
) -> None:
    with making() as make:
        older, newer = make.contact(consented=True), make.contact()
        newer.merged_into, newer.status = older.id, "merged"  # type: ignore[assignment]
    clock.advance(10 * DAY)
    assert sweep() == {}
    clock.advance(720 * DAY)
    assert sweep() == {"contacts": 1}
    assert count(Contact) == 0


def test_every_personal_table_has_a_period(db: Session) -> None:
    """C-10: the catalogue test says so of the database; here of the models."""
    personal = {"contact_id", "address_hash", "number_hash"}
    for table in Base.metadata.tables.values():
        if personal & set(table.columns.keys()):
            assert table.name in FOLLOW_CONTACT or table.name in PERIODS, table.name
            assert "expires_at" in table.columns, table.name


def test_made_up_rows_follow_the_rules(make: Factory) -> None:
    """Factories are used everywhere: theirs must be the dates of the application."""
    contact = make.contact(mid_flow=True)
    assert isinstance(contact.id, UUID)
    assert contact.expires_at == make.now + PERIODS["contacts"]
    assert make.message(contact).expires_at == make.now + PERIODS["messages"]
