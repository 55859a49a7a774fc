"""A poll sent to one person to be looked at: it can be answered to its end, and nothing is kept.

It is an ordinary passage whose origin says `test`: services/apply.py stores no answer of it, it
belongs to no ask, and no sending, cap or rule sees it.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows import engine
from flows.events import Asked, Said, as_part
from flows.flow import Flow
from flows.state import State
from models.address import Address
from models.ask import Ask, AskMode, AskStatus
from models.base import new_id
from models.channel import Channel
from models.contact import Contact, ContactStatus, Conversation
from models.flow_session import FlowSession, SessionStatus, giving_way
from models.message import Message
from models.profile import Profile
from services import audit, organisations, retention
from services.asks import asks
from services.asks.polling import TOLD_MODE
from services.audit import Actor
from services.conversation.props import TEST, marks_of
from services.conversation.scene import base36
from services.conversation.sessions import seed_of
from services.errors import Conflict, Invalid
from services.messages import outgoing
from services.messages.outside import is_closed
from services.people import contacts

TESTED: Final = (AskStatus.DRAFT, AskStatus.OPEN)


def send_test(
    db: Session,
    ask_id: UUID,
    contact: Contact,
    *,
    language: str | None = None,
    actor: Actor,
    now: datetime,
) -> Message:
    """Queue a poll for one person as a test, in their language or another of the poll's.

    It can be repeated: the test before it ends. Conflict says why it cannot be sent: the poll is
    over, or the person has stopped, never agreed, is in the middle of something or out of reach.
    """
    ask = asks.get(db, ask_id)
    if ask.status not in TESTED:
        raise Conflict("It is over, so there is nothing to try any more.")
    flow = asks.flow_of(db, ask)
    if language is not None and language not in flow.languages:
        raise Invalid("The poll does not speak this language.", place="language")
    talk, address = _talk(db, contact), _address(db, contact, now)
    spoken = flow.language_for(language or contact.language)
    session_id = new_id(now)
    talk.tags += 1
    started = engine.start(
        flow, tag=base36(talk.tags), language=spoken, now=now, seed=seed_of(session_id)
    )
    _begin(db, talk, address, ask, session_id, started[0], now)
    message = outgoing.queue(
        db,
        contact,
        address,
        _content(db, ask, flow, started),
        seq=talk.seq,
        now=now,
        flow_version_id=ask.flow_version_id,
        question=started[0].asked,
        session_id=session_id,
    )
    message.language = spoken
    told = {"ask": str(ask.id)}
    audit.record(db, actor, "ask.tested", ("contact", contact.id), detail=told, now=now)
    return message


def _talk(db: Session, contact: Contact) -> Conversation:
    """Lock the conversation of somebody who may be written to and is in nothing else."""
    if contact.status is ContactStatus.STOPPED:
        raise Conflict("This person has stopped our messages; only START brings them back.")
    agreed = db.scalar(select(Profile.consents).where(Profile.contact_id == contact.id))
    if not agreed:
        raise Conflict("This person has not agreed to anything yet: let them register first.")
    talk = db.scalars(
        select(Conversation)
        .where(Conversation.contact_id == contact.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    state = talk.state or {}
    busy = state.keys() & {"paused", "aside"} or ("session" in state and not _is_test(state))
    if busy or talk.case_id is not None:
        told = "This person is in the middle of something: finish it in the chat, then try again."
        raise Conflict(told)
    return talk


def _is_test(state: dict[str, Any]) -> bool:
    return TEST in (state.get("origin") or {})


def _address(db: Session, contact: Contact, now: datetime) -> Address:
    address = contacts.find_last_address(db, contact.id)
    if address is None:
        raise Conflict("There is no address at which this person can be written to.")
    channel = db.get_one(Channel, (address.organisation_id, address.channel_id))
    if is_closed(channel.kind.value, address.window_until, now):
        told = "WhatsApp's 24 hours are over: write anything to us there, then try again."
        raise Conflict(told)
    return address


def _begin(
    db: Session,
    talk: Conversation,
    address: Address,
    ask: Ask,
    session_id: UUID,
    state: State,
    now: datetime,
) -> None:
    """Put a new passage in the place of an earlier test."""
    if talk.session_id is not None:
        db.execute(giving_way(talk.organisation_id, [talk.session_id]))
    origin = {TEST: str(ask.id)}
    expires_at = retention.expires_at("unfinished", now)
    session = FlowSession(
        organisation_id=talk.organisation_id,
        id=session_id,
        contact_id=talk.contact_id,
        flow_version_id=ask.flow_version_id,
        flow=ask.flow,
        kind=ask.kind.value,
        status=SessionStatus.WAITING,
        language=state.language,
        channel_kind=address.scheme,
        origin=origin,
        started_at=now,
        updated_at=now,
        expires_at=expires_at,
    )
    db.add(session)
    db.flush()
    talk.session_id, talk.seq, talk.expires_at = session_id, talk.seq + 1, expires_at
    version = str(ask.flow_version_id)
    passage = {"session": state.to_json(), "version": version, "origin": origin}
    talk.state = marks_of(talk.state) | passage


def _content(db: Session, ask: Ask, flow: Flow, started: engine.Step) -> dict[str, Any]:
    state, events = started
    asker = organisations.get(db).short_name
    mode = Said(TOLD_MODE[AskMode.SECRET if flow.secret else AskMode.NAMED])
    spoken = (Said("poll_test"), Said("asks_you", {"asker": asker}), mode, *events)
    parts = [as_part(one) for one in spoken if isinstance(one, Asked | Said)]
    parts[-1]["leave"] = True
    found: dict[str, Any] = {"parts": parts, "tag": state.tag}
    return found | ({"office": str(ask.office_id)} if ask.office_id else {})
