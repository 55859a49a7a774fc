"""Two contacts become one: nothing is lost, nothing is doubled, and nobody is asked twice."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models import (
    Address,
    Answer,
    AuditEvent,
    Contact,
    Conversation,
    FlowSession,
    Message,
    Profile,
)
from models.consent import ConsentAction
from models.db import transaction
from models.sealed import keyed_hash, open_sealed
from services import audit
from services.catalogue import read_catalogue
from services.people import merging
from services.rights import consents, rights
from tests.asks import ask, broadcast, recipient
from tests.bot.conftest import Desk
from tests.factories import Factory

MINUTE = timedelta(minutes=1)
WAY = ("hello", "1", "1", "Kenya", "1,2", "Nairobi")
"""The express registration from its first word to its last answer."""


def person(desk: Desk, address: str) -> UUID:
    """Whose address this is."""
    keys = desk.homeline.keys.open(desk.organisation_id)
    with transaction(desk.engine, desk.organisation_id) as db:
        return db.scalars(
            select(Address.contact_id).where(
                Address.address_hash == keyed_hash(keys.index, "address", address)
            )
        ).one()


SENT = "update messages set status = 'sent' where status = 'queued'"


def on_sms(desk: Desk, *said: str, number: int = 7) -> UUID:
    for place, each in enumerate(said):
        desk.clock.advance(MINUTE)
        if place:
            desk.change(SENT)
        desk.hear(each, number, kind="sms")
    return person(desk, f"sms:+4477009{number:05}")


def on_telegram(desk: Desk, *said: str, number: int = 7) -> UUID:
    for place, each in enumerate(said):
        desk.clock.advance(MINUTE)
        if place:
            desk.change(SENT)
        desk.hear(each, number)
    return person(desk, f"telegram:{number}")


def merge(desk: Desk, talking: UUID, other: UUID) -> UUID:
    catalogue = read_catalogue(desk.engine, desk.organisation_id)
    with transaction(desk.engine, desk.organisation_id) as db:
        return merging.merge(
            db,
            desk.homeline.keyring,
            talking,
            other,
            catalogue,
            channel_kind="telegram",
            now=desk.clock.now(),
        )


def test_the_older_contact_stays_and_the_other_points_to_it(desk: Desk) -> None:
    old, new = on_sms(desk, *WAY[:4]), on_telegram(desk, *WAY[:3])
    assert merge(desk, talking=new, other=old) == old
    with transaction(desk.engine, desk.organisation_id) as db:
        gone = db.get_one(Contact, (desk.organisation_id, new))
        assert (gone.status, gone.merged_into) == ("merged", old)
        assert set(db.scalars(select(Address.contact_id))) == {old}
        assert set(db.scalars(select(Message.contact_id))) == {old}
        assert set(db.scalars(select(Profile.contact_id))) == {old}
        assert set(db.scalars(select(Conversation.contact_id))) == {old}
        event = db.scalars(select(AuditEvent).where(AuditEvent.action == "contact.merged")).one()
        assert (event.subject_id, event.detail["merged"]) == (old, str(new))
        assert audit.verify(db) is None


@given(on_old=st.integers(1, 6), on_new=st.integers(1, 6), newer_talks=st.booleans())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_two_halves_make_one_registration_that_goes_on_where_it_stopped(
    desk: Desk, on_old: int, on_new: int, newer_talks: bool
) -> None:
    serial = next(_serial)
    old = on_sms(desk, *WAY[:on_old], number=serial)
    new = on_telegram(desk, *WAY[:on_new], number=serial)
    before = {**_given(desk, old), **_given(desk, new)}
    pair = (new, old) if newer_talks else (old, new)
    stays = merge(desk, *pair)
    assert _given(desk, stays) == before
    assert _given(desk, new) == {}
    spoken_on = "telegram" if newer_talks else "sms"
    for word in WAY[max(on_old, on_new) :]:
        desk.hear(word, serial, kind=spoken_on)
    assert set(_given(desk, stays)) >= {"language", "consent", "country", "purposes", "place"}
    assert _statuses(desk, stays) == ["complete"]


_serial = itertools.count(100)


def _given(desk: Desk, contact_id: UUID) -> dict[str, Any]:
    with transaction(desk.engine, desk.organisation_id) as db:
        rows = db.scalars(select(Answer).where(Answer.contact_id == contact_id)).all()
    found = {row.question: row.value for row in rows}
    assert len(found) == len(rows), "a question is answered twice"
    return found


def _statuses(desk: Desk, contact_id: UUID) -> list[str]:
    return [
        row[0]
        for row in desk.ask(
            "select status from flow_sessions where contact_id = :who", who=contact_id
        )
    ]


# --- what each kind of row becomes ---


def test_everything_sealed_opens_with_the_key_of_who_stays(desk: Desk) -> None:
    old, new = on_sms(desk, *WAY[:3]), on_telegram(desk, *WAY[:4])
    stays = merge(desk, new, old)
    opened: list[str] = []
    with transaction(desk.engine, desk.organisation_id) as db:
        contact = db.get_one(Contact, (desk.organisation_id, stays))
        key = desk.homeline.keyring.unwrap(contact.wrapped_key, desk.organisation_id, stays)
        found = [
            *((row.id, row.sealed, "addresses") for row in db.scalars(select(Address))),
            *((row.id, row.sealed, "messages") for row in db.scalars(select(Message))),
        ]
    for row_id, sealed, table in found:
        if sealed is not None:
            plain = open_sealed(
                key,
                sealed,
                table=table,
                column="sealed",
                organisation_id=desk.organisation_id,
                row_id=row_id,
            )
            opened.append(plain.decode())
    assert {"sms:+447700900007", "telegram:7", "hello", "Kenya"} <= set(opened)


def test_a_message_still_waiting_reaches_its_own_address(desk: Desk) -> None:
    old, new = on_telegram(desk, "hello"), on_sms(desk, "PRIVACY")
    merge(desk, new, old)
    desk.deliver()
    assert desk.statuses()[0] == ("canceled", "merged")
    assert desk.statuses()[1][0] in ("sent", "delivered")


def test_what_either_withdrew_is_withdrawn_and_the_history_is_whole(desk: Desk) -> None:
    old, new = on_sms(desk, *WAY), on_telegram(desk, *WAY)
    _withdraw(desk, old, "polls")
    before = desk.scalar("select count(*) from consent_events")
    stays = merge(desk, new, old)
    with transaction(desk.engine, desk.organisation_id) as db:
        history = consents.list_events(db, stays)
        assert consents.current(db, stays) == {"registration", "alerts"}
        profile = db.get_one(Profile, (desk.organisation_id, stays))
        assert profile.consents == ["alerts", "registration"]
    assert len(history) == before + 1
    last = history[-1]
    assert (last.purpose, last.action, last.question) == ("polls", "withdrawn", "linked")


def test_who_stopped_by_sms_has_stopped(desk: Desk) -> None:
    old, new = on_sms(desk, *WAY[:3], "STOP"), on_telegram(desk, *WAY[:3])
    stays = merge(desk, new, old)
    assert desk.ask("select status from contacts where id = :who", who=stays) == [("stopped",)]
    desk.deliver()
    queued = desk.ask("select 1 from messages where status = 'queued'")
    assert queued == []


def test_the_newest_answer_to_each_question_counts(desk: Desk) -> None:
    old = on_sms(desk, *WAY[:3], "Kenya", "1")
    new = on_telegram(desk, *WAY[:3], "Ireland")
    stays = merge(desk, new, old)
    given = _given(desk, stays)
    assert (given["country"], given["purposes"]) == ("IE", ["alerts"])
    assert desk.ask("select country from profiles") == [("IE",)]


def test_a_finished_registration_stays_finished(desk: Desk) -> None:
    old, new = on_sms(desk, *WAY), on_telegram(desk, *WAY[:3], "Ireland")
    stays = merge(desk, new, old)
    assert _statuses(desk, stays) == ["complete"]
    assert desk.ask("select session_id, state from conversations") == [(None, None)]
    assert _given(desk, stays)["country"] == "IE"
    assert desk.scalar("select registered_at from profiles") is not None


def test_two_open_cases_become_one_with_all_that_was_written(desk: Desk) -> None:
    old = on_sms(desk, *WAY, "PERSON", "my passport is lost")
    new = on_telegram(desk, *WAY, "PERSON", "nobody has answered me")
    stays = merge(desk, new, old)
    found = desk.ask("select id, contact_id, status, unread from cases")
    assert [row[1:3] for row in found] == [(stays, "open")]
    case = str(found[0][0])
    assert desk.scalar("select count(distinct content->>'case') from messages") == 1
    assert desk.scalar("select case_id from conversations") == found[0][0]
    assert desk.scalar("select count(*) from messages where content->>'case' = :c", c=case) == 4


def test_one_reminder_at_most_is_left(desk: Desk) -> None:
    old, new = on_sms(desk, *WAY[:4]), on_telegram(desk, *WAY[:4])
    stays = merge(desk, new, old)
    assert desk.ask(
        "select d.contact_id, d.session_id = s.id from due d, flow_sessions s"
        " where d.kind = 'reminder'"
    ) == [(stays, True)]
    assert desk.ask("select kind, count(*) from due group by kind having count(*) > 1") == []


def test_the_seal_of_a_typed_answer_follows_it(desk: Desk) -> None:
    """A typed answer moves to another passage and another key, and still opens."""
    old, new = on_sms(desk, *WAY[:3]), on_telegram(desk, *WAY[:2])
    session = desk.scalar("select id from flow_sessions where contact_id = :who", who=old)
    newer = desk.scalar("select id from flow_sessions where contact_id = :who", who=new)
    _type(desk, new, newer, "my sister lives in Quillota")
    assert session != newer
    stays = merge(desk, old, new)
    with transaction(desk.engine, desk.organisation_id) as db:
        row = db.scalars(select(Answer).where(Answer.question == "note")).one()
        contact = db.get_one(Contact, (desk.organisation_id, stays))
        key = desk.homeline.keyring.unwrap(contact.wrapped_key, desk.organisation_id, stays)
        assert row.sealed is not None
        place = {"table": "answers", "column": "sealed", "row_id": f"{row.session_id}:note"}
        plain = open_sealed(key, row.sealed, organisation_id=desk.organisation_id, **place)
    assert plain == b"my sister lives in Quillota"


def test_erasing_who_stays_erases_who_went(desk: Desk) -> None:
    stays = merge(desk, on_telegram(desk, *WAY), on_sms(desk, *WAY))
    with transaction(desk.engine, desk.organisation_id) as db:
        rights.erase(db, stays, now=desk.clock.now())
    for table in ("contacts", "addresses", "messages", "answers", "consent_events", "profiles"):
        assert desk.scalar(f"select count(*) from {table}") == 0


# --- crashes and races ---


class Crash(Exception):
    """What no code of ours raises."""


@pytest.mark.parametrize("at", ["join_profiles", "join_cases", "join_consents", "_close"])
def test_a_crash_in_the_middle_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    old, new = on_sms(desk, *WAY[:4]), on_telegram(desk, *WAY[:3])

    def crash(*args: Any, **more: Any) -> None:
        raise Crash

    before = _everything(desk)
    with monkeypatch.context() as broken:
        broken.setattr(merging, at, crash)
        with pytest.raises(Crash):
            merge(desk, new, old)
    assert _everything(desk) == before
    merge(desk, new, old)
    assert _statuses(desk, old) == ["waiting"]


def test_two_processes_that_merge_the_same_two_merge_them_once(desk: Desk) -> None:
    old, new = on_sms(desk, *WAY[:4]), on_telegram(desk, *WAY[:3])

    def one(pair: tuple[UUID, UUID]) -> bool:
        try:
            merge(desk, *pair)
        except LookupError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, [(old, new), (new, old)])) == [False, True]
    assert desk.scalar("select count(*) from audit_events where action = 'contact.merged'") == 1
    assert desk.scalar("select count(*) from contacts where merged_into = :who", who=old) == 1


def test_three_that_become_one_point_to_the_last_one_left(desk: Desk) -> None:
    first, second = on_sms(desk, *WAY[:3]), on_telegram(desk, *WAY[:4])
    third = on_telegram(desk, *WAY[:2], number=8)
    merge(desk, third, second)
    merge(desk, second, first)
    assert desk.ask("select distinct merged_into from contacts where status = 'merged'") == [
        (first,)
    ]
    assert set(_given(desk, first)) == {"language", "consent", "country"}


def test_an_answer_on_its_way_while_two_merge_is_taken_once(desk: Desk) -> None:
    """The answer comes to the contact that goes, read before the merger and written after it."""
    for number in range(30, 36):
        old = on_sms(desk, *WAY[:3], number=number)
        new = on_telegram(desk, *WAY[:3], number=number)
        arrival = desk.arrival("Kenya", number)
        with ThreadPoolExecutor(2) as pool:
            merged = pool.submit(merge, desk, new, old)
            taken = pool.submit(desk.intake.take, desk.views["telegram"], arrival)
            stays, repeated = merged.result(20), taken.result(20).repeated
        assert not repeated
        assert _given(desk, stays)["country"] == "KE"


def _everything(desk: Desk) -> list[Any]:
    tables = ("contacts", "addresses", "profiles", "conversations", "flow_sessions", "answers")
    more = ("messages", "consent_events", "due", "cases", "audit_events")
    return [
        sorted(map(str, desk.ask(f"select cast(t.* as text) from {table} t")))
        for table in (*tables, *more)
    ]


def _withdraw(desk: Desk, contact_id: UUID, purpose: str) -> None:
    wording = consents.Wording(language="en", channel_kind="sms")
    with transaction(desk.engine, desk.organisation_id) as db:
        event = consents.withdraw(db, contact_id, purpose, wording, now=desk.clock.now())
        assert event.action is ConsentAction.WITHDRAWN


def _type(desk: Desk, contact_id: UUID, session_id: UUID, typed: str) -> None:
    """Let somebody have answered an open question."""
    with transaction(desk.engine, desk.organisation_id) as db:
        make = Factory(db, desk.homeline.keyring, desk.clock.now())
        session = db.scalars(select(FlowSession).where(FlowSession.id == session_id)).one()
        make.answer(session, "note", typed=typed)


def test_who_was_asked_twice_was_asked_once(desk: Desk) -> None:
    old, new = on_sms(desk, *WAY), on_telegram(desk, *WAY)
    with transaction(desk.engine, desk.organisation_id) as db:
        make = Factory(db, desk.homeline.keyring, desk.clock.now())
        sending = broadcast(make, ask(make))
        other = broadcast(make, ask(make, code="other", version=make.flow_version(2)))
        for contact in db.scalars(select(Contact).where(Contact.id.in_((old, new)))):
            recipient(make, sending, contact)
        recipient(make, other, db.scalars(select(Contact).where(Contact.id == new)).one())
    stays = merge(desk, new, old)
    assert desk.ask("select contact_id, count(*) from recipients group by contact_id") == [
        (stays, 2)
    ]
