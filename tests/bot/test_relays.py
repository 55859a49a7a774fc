"""A leader passes a poll on: invited, handed words to forward, told of reach in bands."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from flows.flow import build
from models import Ask, AskMode, FlowSession, FlowVersion, Leader, LeaderStatus, Message
from models.db import transaction
from models.flow_session import SessionStatus
from models.message import Direction
from models.sealed import keyed_hash, open_sealed
from models.walls import DoorKind, open_door
from services import audit, flows, organisations
from services.audit import Actor
from services.catalogue import read_catalogue
from services.messages.rendering import body_for, read_told, render, with_link
from services.people.registrations import person_keys
from services.relays import leaders, relays
from tests.api.test_flows import POLL
from tests.asks import ask
from tests.bot.conftest import Desk
from tests.bot.voters import whose
from tests.factories import Factory

KINDS = ["telegram", "sms", "whatsapp"]


@pytest.fixture
def poll(desk: Desk) -> UUID:
    """An open poll that people enter by a code."""
    with transaction(desk.engine, desk.organisation_id) as db:
        make = Factory(db, desk.homeline.keyring, desk.clock.now())
        flows.publish(db, build(POLL), now=make.now)
        version = db.scalars(select(FlowVersion).filter_by(flow=POLL["flow"])).one()
        asked = ask(make, mode=AskMode.NAMED, version=version)
        open_door(db, DoorKind.ASK, asked.code, asked.organisation_id, asked.id)
        organisations.renew_catalogue(db)
        return asked.id


def invite(desk: Desk) -> str:
    """The code of an invitation."""
    keys = desk.homeline.keys.open(desk.organisation_id)
    with transaction(desk.engine, desk.organisation_id) as db:
        return leaders.invite(db, keys, actor=audit.SYSTEM, now=desk.clock.now()).code


def lead(desk: Desk, person: int = 1, kind: str = "telegram") -> None:
    """Somebody who registered and took an invitation."""
    desk.register(person, kind)
    desk.hear(f"RELAY {invite(desk)}", person, kind=kind)


def heard(desk: Desk, person: int = 1, kind: str = "telegram", last: int = 1) -> list[str]:
    """The last texts to somebody, as they read them."""
    contact_id = whose(desk, person, kind)
    catalogue = read_catalogue(desk.engine, desk.organisation_id)
    with transaction(desk.engine, desk.organisation_id) as db:
        wanted = (Message.contact_id == contact_id, Message.direction == Direction.OUT)
        rows = db.scalars(select(Message).where(*wanted).order_by(Message.id)).all()[-last:]
        key = person_keys(db, desk.homeline.keyring, {contact_id})[contact_id]
    return [_text(row, key, catalogue, kind) for row in rows]


def _text(row: Message, key: bytes, catalogue: Any, kind: str) -> str:
    told: dict[str, str] = {}
    if row.sealed is not None:
        place = {"organisation_id": row.organisation_id, "row_id": row.id}
        plain = open_sealed(key, row.sealed, table="messages", column="sealed", **place)
        told = with_link(read_told(plain), "https://line.example")
    published = catalogue.version(row.flow_version_id) if row.flow_version_id else None
    prompt = render(
        row.content or {},
        flow=published.flow if published else None,
        language=row.language,
        names=catalogue.names(None),
        told=told,
    )
    lines = "" if kind == "sms" else "".join(f"\n[{one.label}]" for one in prompt.choices)
    return body_for(kind, prompt) + lines


@pytest.mark.parametrize("kind", KINDS)
def test_a_leader_gets_words_to_forward_on_every_channel(desk: Desk, poll: UUID, kind: str) -> None:
    desk.register(1, kind)
    desk.hear(f"RELAY {invite(desk)}", 1, kind=kind)
    [first] = heard(desk, kind=kind)
    assert first.startswith("Welcome! You can now pass polls on.")
    assert "When should we be open?" in first
    desk.hear("1", 1, kind=kind)
    ready, forward = heard(desk, kind=kind, last=2)
    [code] = [row[0] for row in desk.ask("select code from relays")]
    assert ready.startswith("Ready: forward our next message to your group.\n")
    assert "What else?" in ready
    assert (f"Poster: https://line.example/j/{code}/poster.pdf" in ready) is (kind != "sms")
    assert f"https://line.example/j/{code}" in forward
    assert f"SMS: {code.upper()} > +447700900999" in forward
    assert (f"https://wa.me/447700900999?text=JOIN%20{code.upper()}" in forward) is (kind != "sms")


def test_who_was_invited_by_number_needs_no_code(desk: Desk, poll: UUID) -> None:
    invite(desk)
    desk.register(1, "sms")
    keys = desk.homeline.keys.open(desk.organisation_id)
    hashed = keyed_hash(keys.index, "number", str(desk.arrival("", 1, kind="sms").number))
    desk.change("update leaders set number_hash = :hashed", hashed=hashed)
    desk.hear("relay", 1, kind="sms")
    with transaction(desk.engine, desk.organisation_id) as db:
        [leader] = db.scalars(select(Leader)).all()
    assert (leader.status, leader.number_hash) == (LeaderStatus.ACTIVE, None)
    assert leader.contact_id == whose(desk, 1, "sms")


def test_an_invitation_serves_once_and_a_revoked_leader_no_more(desk: Desk, poll: UUID) -> None:
    code = invite(desk)
    for person in (1, 2):
        desk.register(person)
        desk.hear(f"relay {code.upper()}", person)
    assert heard(desk, 1)[0].startswith("Welcome!")
    assert heard(desk, 2)[0].startswith("This invitation is not known")
    with transaction(desk.engine, desk.organisation_id) as db:
        [leader] = db.scalars(select(Leader)).all()
        leaders.revoke(db, leader.id, actor=Actor("system"), now=desk.clock.now())
    desk.hear("RELAY")
    assert heard(desk)[0].startswith("Passing polls on is for invited leaders.")


def test_strangers_and_members_are_told_how_to_become_one(desk: Desk, poll: UUID) -> None:
    desk.hear("RELAY", 1)
    assert heard(desk)[0].startswith("Passing polls on is for members: please register first")
    for said in ("1", "1", "Kenya", "1,2", "Nairobi"):
        desk.hear(said, 1)
    assert heard(desk)[0].endswith("To become one, send PERSON.")
    desk.register(2)
    desk.hear("/relay", 2)
    assert heard(desk, 2) == [
        "Passing polls on is for invited leaders. To become one, send PERSON."
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_who_registers_first_goes_on_with_the_invitation(desk: Desk, poll: UUID, kind: str) -> None:
    code = invite(desk)
    for said in ("hello", f"RELAY {code}", "1", "1", "Kenya", "1,2"):
        desk.hear(said, kind=kind)
    assert desk.scalar("select count(*) from leaders where status = 'active'") == 0
    desk.hear("Nairobi", kind=kind)
    [told] = heard(desk, kind=kind)
    assert "you are registered" in told
    assert "Welcome! You can now pass polls on." in told
    assert "When should we be open?" in told
    assert desk.scalar("select count(*) from leaders where status = 'active'") == 1
    came = desk.ask("select origin::text from contacts")
    came += desk.ask("select origin::text from flow_sessions")
    assert code not in str(came).lower()


def test_the_codes_of_a_revoked_leader_open_nothing_and_keep_their_counts(
    desk: Desk, poll: UUID
) -> None:
    lead(desk)
    desk.hear("1")
    desk.hear("For a helper")
    codes = [row[0] for row in desk.ask("select code from relays order by id")]
    desk.register(2)
    desk.hear(codes[0].upper(), 2)
    desk.hear("1", 2)
    with transaction(desk.engine, desk.organisation_id) as db:
        [leader] = db.scalars(select(Leader)).all()
        leaders.revoke(db, leader.id, actor=Actor("system"), now=desk.clock.now())
    desk.register(3)
    for said in (codes[0], f"JOIN {codes[1].upper()}"):
        desk.hear(said, 3)
        assert heard(desk, 3) == ["This code is closed. Send START to begin without it."]
    desk.hear(f"join {codes[1]}", 4)
    assert heard(desk, 4) == ["This code is closed. Send START to begin without it."]
    with transaction(desk.engine, desk.organisation_id) as db:
        rows = relays.list_relays(db)
    came = "select relay from flow_sessions where relay is not null and completed_at is not null"
    assert desk.ask(came) == [(str(rows[0].id),)]


def test_an_answer_carries_the_relay_and_the_one_above(desk: Desk, poll: UUID) -> None:
    lead(desk)
    desk.hear("1")
    desk.hear("For a helper")
    (own, none), (helper, parent) = desk.ask("select id, parent_id from relays order by id")
    assert (none, parent) == (None, own)
    codes = [row[0] for row in desk.ask("select code from relays order by id")]
    for person, code in zip((2, 3), codes, strict=True):
        desk.register(person)
        desk.hear(code.upper(), person)
        desk.hear("1", person)
    with transaction(desk.engine, desk.organisation_id) as db:
        came = db.scalars(select(FlowSession).where(FlowSession.kind == "poll")).all()
    origins = {one.origin["relay"]: one.origin.get("parent") for one in came}
    assert origins == {str(own): None, str(helper): str(own)}
    assert {one.ask_id for one in came} == {poll}


def test_reach_is_a_band_and_the_other_languages_have_their_own_words(
    desk: Desk, poll: UUID
) -> None:
    lead(desk)
    desk.hear("1")
    desk.hear("Français")
    _, forward = heard(desk, last=2)
    assert "Quand ouvrir" in forward
    desk.hear("My reach")
    assert heard(desk)[0].startswith("Through you and your helpers:\n")
    assert heard(desk)[0].endswith(": no figure yet")
    relay = desk.scalar("select id from relays")
    with transaction(desk.engine, desk.organisation_id) as db:
        make = Factory(db, desk.homeline.keyring, desk.clock.now())
        version_id = db.scalars(select(Ask.flow_version_id)).one()
        version = db.get_one(FlowVersion, (desk.organisation_id, version_id))
        for _ in range(23):
            session = make.flow_session(make.contact(), version, SessionStatus.COMPLETE)
            session.origin = {"ask": str(poll), "relay": str(relay)}
            session.completed_at = make.now
            make.answer(session, "when_open", "saturday")
    desk.hear("RELAY")
    desk.hear("My reach")
    assert heard(desk)[0].endswith(": about 20")
    assert desk.scalar("select count(*) from relays") == 1


def test_nothing_open_is_told_kindly(desk: Desk) -> None:
    lead(desk)
    assert "No poll is open to pass on now." in heard(desk)[0]
