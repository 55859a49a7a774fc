"""A secret poll at a desk: who votes, and what of it can be seen."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from flows import engine
from flows.flow import build
from models import Address, Ask, AskMode, AskStatus, Contact, Conversation, FlowSession, FlowVersion
from models.base import new_id
from models.db import transaction
from models.sealed import keyed_hash
from services import flows
from services.asks import ballots
from tests.asks import ask
from tests.bot.conftest import Desk
from tests.factories import Factory

POLL: dict[str, Any] = {
    "flow": "who-speaks-for-us",
    "kind": "poll",
    "languages": ["en", "fr"],
    "questions": [
        {
            "id": "speaker",
            "type": "choice",
            "secret": "yes",
            "text": {"en": "Who should speak for us?", "fr": "Qui doit parler pour nous ?"},
            "options": [
                {"value": "canary_amara", "label": {"en": "Amara", "fr": "Amara"}},
                {"value": "canary_bilal", "label": {"en": "Bilal", "fr": "Bilal"}},
                {"value": "canary_chidi", "label": {"en": "Chidi", "fr": "Chidi"}},
            ],
        }
    ],
}


def open_poll(desk: Desk) -> UUID:
    """An open secret poll with its keys made."""
    with transaction(desk.engine, desk.organisation_id) as db:
        make = Factory(db, desk.homeline.keyring, desk.clock.now())
        flows.publish(db, build(POLL), now=make.now)
        version = db.scalars(select(FlowVersion).filter_by(flow=POLL["flow"])).one()
        asked = ask(make, mode=AskMode.SECRET, version=version)
        ballots.prepare(db, desk.homeline.ballots, asked)
        return asked.id


def invite(desk: Desk, ask_id: UUID, person: int, kind: str = "telegram") -> UUID:
    """Let the poll's question wait for somebody's answer; returns their contact."""
    desk.register(person, kind)
    contact_id = whose(desk, person, kind)
    now = desk.clock.now()
    with transaction(desk.engine, desk.organisation_id) as db:
        asked = db.scalars(select(Ask).where(Ask.id == ask_id)).one()
        flow = build(POLL)
        talk = db.scalars(select(Conversation).where(Conversation.contact_id == contact_id)).one()
        state, _ = engine.start(flow, tag="v1", language="en", now=now)
        session = FlowSession(
            organisation_id=asked.organisation_id,
            id=new_id(now),
            contact_id=contact_id,
            flow_version_id=asked.flow_version_id,
            flow=flow.id,
            kind="poll",
            status="waiting",
            language="en",
            channel_kind=kind,
            origin={"ask": str(ask_id)},
            started_at=now,
            updated_at=now,
        )
        db.add(session)
        talk.session_id = session.id
        talk.seq += 1
        talk.state = {
            "session": state.to_json(),
            "version": str(asked.flow_version_id),
            "origin": {"ask": str(ask_id)},
        }
    return contact_id


def whose(desk: Desk, person: int, kind: str = "telegram") -> UUID:
    """The contact behind an address."""
    address = desk.arrival("", person, kind=kind).address
    keys = desk.homeline.keys.open(desk.organisation_id)
    with transaction(desk.engine, desk.organisation_id) as db:
        found = keyed_hash(keys.index, "address", address)
        return db.scalars(
            select(Contact.id).join(Address).where(Address.address_hash == found)
        ).one()


def close(desk: Desk, ask_id: UUID) -> None:
    """Take no more votes."""
    with transaction(desk.engine, desk.organisation_id) as db:
        db.scalars(select(Ask).where(Ask.id == ask_id)).one().status = AskStatus.CLOSING
