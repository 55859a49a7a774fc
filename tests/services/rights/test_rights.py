"""DELETE leaves nothing of a person that a search of every byte could find."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select, text

from models import (
    Address,
    AuditEvent,
    Base,
    Case,
    CaseReason,
    Contact,
    ContactStatus,
    DoorKind,
    MemberLink,
    Message,
    MessageStatus,
    Tombstone,
)
from models.base import new_id
from models.db import transaction
from models.link_code import LinkCode, LinkTry
from models.sealed import Keyring, keyed_hash
from models.walls import FREE, find_door, open_door
from models.webhook import WebhookDelivery
from services import audit, retention
from services.audit import Actor
from services.errors import NotFound
from services.people import contacts
from services.rights import rights
from services.webhooks import webhooks
from tests.asks import part_in_everything
from tests.conftest import MadeUp, MovedByHand, another_organisation
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]
NUMBER = "+447700900123"
TYPED = "my sister lives in Quillota"
CODED = "zz-marked-value"


@pytest.fixture
def everything(superuser: Engine) -> Callable[[], bytes]:
    """Every byte of every row of every live table, as a superuser dumps them."""

    def dump() -> bytes:
        found = []
        with superuser.connect() as connection:
            for table in Base.metadata.tables:
                rows = connection.scalars(text(f"SELECT CAST(t.* AS text) FROM {table} t"))
                found += [f"{table} {row}" for row in rows]
        return "\n".join(found).encode()

    return dump


def a_full_life(make: Factory) -> UUID:
    """Somebody with a row in every table that can hold one."""
    channel = make.channel()
    contact = make.contact(
        consented=("registration", "polls"), address=f"sms:{NUMBER}", country="ZA", place=CODED
    )
    make.address(contact, f"whatsapp:{NUMBER}")
    session = make.flow_session(contact)
    make.answer(session, "when_open", CODED)
    make.answer(session, "why", typed=TYPED)
    make.recording(session, TYPED.encode())
    make.message(contact, typed=TYPED)
    make.message(contact, status=MessageStatus.QUEUED)
    make.message(contact, status=MessageStatus.SENT, provider_id="SM-marked")
    make.due(contact, session_id=session.id)
    make.quarantined(channel, f"sms:{NUMBER}", TYPED)
    open_door(make.db, DoorKind.MEMBER_LINK, "a-link", make.organisation_id, contact.id)
    rows_of_rights(make, contact.id)
    part_in_everything(make, contact, session)
    merged = make.contact(consented=True, address="telegram:70070070")
    merged.status, merged.merged_into = ContactStatus.MERGED, contact.id
    make.db.flush()
    return contact.id


def rows_of_rights(make: Factory, contact_id: UUID) -> None:
    """A case, links to data and to other addresses, and something told to a program."""
    owner = {"organisation_id": make.organisation_id, "contact_id": contact_id}
    until = {"expires_at": make.now + timedelta(days=1)}
    moments = {"opened_at": make.now, "last_message_at": make.now}
    make.db.add(Case(**owner, **moments, id=new_id(make.now), reason=CaseReason.PERSON))
    hashes = {"token_hash": b"token", "code_hash": b"code"}
    link = {"language": "en", "created_at": make.now, **hashes, **until}
    make.db.add(MemberLink(**owner, **link, id=new_id(make.now)))
    code = {"code_hash": b"code", "created_at": make.now, **until}
    make.db.add(LinkCode(**owner, **code, id=new_id(make.now)))
    make.db.add(LinkTry(**owner, **until, id=new_id(make.now), tried_at=make.now))
    endpoint = webhooks.add(
        make.db, make.keys, "https://a.example/", ("case.opened",), now=make.now
    )
    make.db.add(
        WebhookDelivery(
            **owner,
            **until,
            id=new_id(make.now),
            endpoint_id=endpoint.endpoint.id,
            event=new_id(make.now),
            kind="case.opened",
            payload={"contact_id": str(contact_id)},
            status="waiting",
            created_at=make.now,
        )
    )
    make.db.flush()


def traces(make: Factory, contact_id: UUID) -> list[bytes]:
    """Whatever of the person the tables hold, as it would stand in a dump."""
    person = [contact_id, *make.db.scalars(select(Contact.id).filter_by(merged_into=contact_id))]
    found = [str(i).encode() for i in person]
    found += [NUMBER.encode(), NUMBER[1:].encode(), TYPED.encode(), CODED.encode(), b"70070070"]
    for row in make.db.scalars(select(Contact).where(Contact.id.in_(person))):
        found.append(row.wrapped_key.hex().encode())
    for address in make.db.scalars(select(Address).where(Address.contact_id.in_(person))):
        found += [address.sealed.hex().encode(), address.address_hash.hex().encode()]
        found += [address.number_hash.hex().encode()] if address.number_hash else []
    return found


def test_a_byte_search_of_all_live_tables_finds_nothing(
    making: Making, everything: Callable[[], bytes], organisation: MadeUp
) -> None:
    """C-07: no table holds them, the key is gone, one tombstone an address remains."""
    with making() as make:
        contact_id = a_full_life(make)
        marks = traces(make, contact_id)
        hashes = make.db.scalars(select(Address.address_hash)).all()
        bystander = make.contact(consented=True).id
    before = everything()
    present = [mark for mark in marks if mark in before]
    assert {str(contact_id).encode(), CODED.encode()} <= set(present), "the search can find"
    with making() as make:
        erased = rights.erase(make.db, contact_id, now=make.now)
    assert erased == rights.Erased(contact_id, addresses=3)

    after = everything()
    buried = {h.hex().encode() for h in hashes}
    lines = after.splitlines()
    for mark in marks:
        holding = [line for line in lines if mark in line]
        allowed = {b"tombstones"} if mark in buried else {b"audit_events"}
        assert {line.split(b" ")[0] for line in holding} <= allowed, (mark, holding)
    assert sum(line.startswith(b"tombstones ") for line in lines) == 3
    assert str(bystander).encode() in after


def test_many_are_erased_as_wholly_as_one(
    making: Making,
    everything: Callable[[], bytes],
    organisation: MadeUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In batches of two: a full life, somebody merged into it, others, and who is gone already."""
    monkeypatch.setattr(rights, "AT_ONCE", 2)
    with making() as make:
        whole = a_full_life(make)
        marks = traces(make, whole)
        merged = make.db.scalars(select(Contact.id).filter_by(merged_into=whole)).one()
        others = [make.contact(consented=True, address=f"telegram:{n}").id for n in range(5)]
        for one in others:
            marks += traces(make, one)[:1]
        stays = make.contact(consented=True).id
        made = make.db.scalar(select(func.count()).select_from(Address))
    with making() as make:
        wanted = [merged, *others, whole, whole, new_id(make.now)]
        erased = rights.erase_all(
            make.db, wanted, actor=audit.SYSTEM, reason="restored", now=make.now
        )
    told = {one.contact_id: one.addresses for one in erased}
    assert told == {whole: 3} | dict.fromkeys(others, 1)
    assert len(erased) == 6, "each once"
    lines = everything().splitlines()
    for mark in marks:
        held = {line.split(b" ")[0] for line in lines if mark in line}
        assert held <= {b"tombstones", b"audit_events"}, mark
    assert sum(line.startswith(b"tombstones ") for line in lines) == 8
    assert str(stays).encode() in b"\n".join(lines)
    assert made == 9
    with making() as make:
        links = make.db.scalars(select(AuditEvent).filter_by(action="contact.erased")).all()
        assert {link.subject_id: link.detail["addresses"] for link in links} == told
        assert {link.actor_kind for link in links} == {"system"}
        assert audit.verify(make.db) is None


def test_the_audit_says_that_it_happened_with_ids_only(
    making: Making, engine: Engine, organisation: MadeUp
) -> None:
    with making() as make:
        contact_id = a_full_life(make)
        rights.erase(make.db, contact_id, now=make.now)
    with transaction(engine, organisation.id) as db:
        link = db.scalars(select(AuditEvent).order_by(AuditEvent.number.desc()).limit(1)).one()
        assert (link.action, link.subject_id) == ("contact.erased", contact_id)
        assert (link.actor_kind, link.actor_id) == ("contact", contact_id)
        assert link.detail == {"addresses": 3, "reason": "asked"}
        assert audit.verify(db) is None


def test_an_officer_who_erases_on_request_is_named(make: Factory) -> None:
    officer = new_id()
    contact = make.contact()
    rights.erase(make.db, contact.id, actor=Actor("officer", officer), now=make.now)
    link = make.db.scalars(select(AuditEvent).order_by(AuditEvent.number.desc()).limit(1)).one()
    assert link.actor_id == officer


def test_nothing_waits_to_be_sent_any_more(make: Factory) -> None:
    contact = make.contact(consented=True)
    make.message(contact)
    make.message(contact, status=MessageStatus.SENDING)
    other = make.message(make.contact(consented=True))
    rights.erase(make.db, contact.id, now=make.now)
    assert make.db.scalars(select(Message.id)).all() == [other.id]


def test_their_one_use_link_leads_nowhere(make: Factory) -> None:
    contact = make.contact()
    open_door(make.db, DoorKind.MEMBER_LINK, "a-link", make.organisation_id, contact.id)
    rights.erase(make.db, contact.id, now=make.now)
    assert find_door(make.db, DoorKind.MEMBER_LINK, "a-link") is None


def test_asking_from_a_merged_contact_erases_the_whole_person(make: Factory) -> None:
    older, newer = make.contact(), make.contact()
    newer.status, newer.merged_into = ContactStatus.MERGED, older.id
    make.db.flush()
    assert rights.erase(make.db, newer.id, now=make.now).contact_id == older.id
    assert make.db.scalar(select(func.count()).select_from(Contact)) == 0


def test_twice_is_not_found(make: Factory) -> None:
    contact = make.contact()
    contact_id = contact.id
    rights.erase(make.db, contact_id, now=make.now)
    with pytest.raises(NotFound):
        rights.erase(make.db, contact_id, now=make.now)


def test_a_neighbour_cannot_erase(
    making: Making, engine: Engine, keyring: Keyring, now: datetime
) -> None:
    with making() as make:
        contact_id = make.contact().id
    neighbour = another_organisation(engine, keyring, now, "The neighbour")
    with transaction(engine, neighbour.id) as db, pytest.raises(NotFound):
        rights.erase(db, contact_id, now=now)
    with making() as make:
        assert contacts.get(make.db, contact_id).id == contact_id


def test_somebody_erased_may_come_back_as_a_stranger(make: Factory) -> None:
    first = make.contact(address="telegram:5005", consented=True)
    first_id = first.id
    rights.erase(make.db, first_id, now=make.now)
    assert contacts.find_by_address(make.db, make.keys, "telegram:5005") is None
    again = make.contact(address="telegram:5005")
    found = contacts.find_by_address(make.db, make.keys, "telegram:5005")
    assert found is not None
    assert found.id == again.id != first_id


class TestRestore:
    """A backup brings people back; their tombstones take them away again."""

    def test_the_erased_are_erased_again(self, make: Factory, clock: MovedByHand) -> None:
        stays = make.contact(address="telegram:1", consented=True)
        comes_back = make.contact(address="telegram:2", consented=True)
        self._bury(make, "telegram:2", clock.advance(timedelta(days=1)))
        assert rights.replay(make.db, now=clock.advance(timedelta(days=1))) == 1
        left = make.db.scalars(select(Contact.id)).all()
        assert left == [stays.id]
        assert comes_back.id not in left

    def test_who_came_anew_after_their_erasure_stays(
        self, make: Factory, clock: MovedByHand
    ) -> None:
        self._bury(make, "telegram:2", make.now)
        later = Factory(make.db, make.keyring, clock.advance(timedelta(days=1)))
        later.contact(address="telegram:2")
        assert rights.replay(make.db, now=clock.now()) == 0

    def _bury(self, make: Factory, address: str, at: datetime) -> None:
        make.db.add(
            Tombstone(
                organisation_id=make.organisation_id,
                address_hash=keyed_hash(make.keys.index, "address", address),
                reason="asked",
                erased_at=at,
                expires_at=retention.expires_at("tombstones", at),
            )
        )
        make.db.flush()


def test_every_table_of_people_was_in_the_search(
    making: Making, everything: Callable[[], bytes]
) -> None:
    """The full life touches each table with people in it, so a new one must be added there."""
    with making() as make:
        a_full_life(make)
    filled = {line.split(b" ")[0].decode() for line in everything().splitlines()}
    expected = {
        table.name
        for table in Base.metadata.tables.values()
        if table.name not in FREE and {"contact_id", "address_hash"} & set(table.columns.keys())
    }
    assert expected - filled <= {"tombstones"}
