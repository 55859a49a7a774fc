"""Two contacts become one: nothing is lost, nothing is doubled, and nobody is asked twice."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
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
    Case,
    CaseReason,
    ConsentEvent,
    Contact,
    Conversation,
    Message,
    Profile,
)
from models.base import new_id
from models.db import transaction
from models.sealed import open_sealed
from services import audit, consents, merging, rights
from services.catalogue import read_catalogue
from tests.bot.conftest import Desk

WAY = ("hello", "1", "1", "Kenya", "1,2", "Nairobi")
"""The express registration from its first word to its last answer."""


def person(desk: Desk, address: str) -> UUID:
    """Whose address this is."""
    from models.sealed import keyed_hash

    keys = desk.homeline.keys.open(desk.organisation_id)
    with transaction(desk.engine, desk.organisation_id) as db:
        found = db.scalars(
            select(Address.contact_id).where(
                Address.address_hash == keyed_hash(keys.index, "address", address)
            )
        ).one()
    return found


def on_sms(desk: Desk, *said: str, number: int = 7) -> UUID:
    for each in said:
        desk.clock.advance(MINUTE)
        desk.hear(each, number, kind="sms")
    return person(desk, f"sms:+4477009{number:05}")


def on_telegram(desk: Desk, *said: str, number: int = 7) -> UUID:
    for each in said:
        desk.clock.advance(MINUTE)
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


def answers(desk: Desk) -> dict[str, Any]:
    """Every answer there is; two to one question would be an error."""
    with transaction(desk.engine, desk.organisation_id) as db:
        rows = db.scalars(select(Answer)).all()
    found = {row.question: row.value for row in rows}
    assert len(found) == len(rows), "a question is answered twice"
    return found


from datetime import timedelta  # noqa: E402

MINUTE = timedelta(minutes=1)


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
        assert (event.subject_id, event.detail) == (old, {"merged": str(new)})
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
    say = (
        (lambda word: desk.hear(word, serial))
        if newer_talks
        else (lambda word: desk.hear(word, serial, kind="sms"))
    )
    for word in WAY[max(on_old, on_new) :]:
        say(word)
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
