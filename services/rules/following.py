"""What a rule starts for one person, at its time: nobody is interrupted, woken or asked too much.

Everything is looked at once more: whether the rule still acts, whether they still allow it, the
hour where they live, and whether they are in the middle of something.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from flows import engine
from flows.events import Asked as AskedQuestion
from flows.events import Event, Said, as_part
from flows.flow import Flow
from flows.state import State
from models.address import Address
from models.base import new_id
from models.case import CaseReason
from models.contact import Contact, Conversation
from models.due import Due
from models.flow_session import FlowSession, SessionStatus, giving_way
from models.message import Lane, MessageKind
from models.rule import Firing, FiringStatus, Rule, RuleStatus
from services import retention
from services.asks.polling import origin_of
from services.audiences.asked_before import BY_RULE
from services.audiences.eligibility import LeftOut
from services.audiences.interruptions import find_passages, is_interrupted
from services.broadcasts.hours import Place, day_of, send_time
from services.catalogue import Asked, Catalogue, Published
from services.conversation.props import base36, marks_of
from services.conversation.sessions import seed_of
from services.messages import outgoing
from services.people import cases, contacts, profiles
from services.rules import rule_people, rules
from services.rules.rule_texts import Step

LOOK_AGAIN = timedelta(hours=1)
GIVEN_UP = timedelta(days=14)

Outcome = str | datetime | None
"""Why nothing came of it, when to look again, or None: it is done."""


def follow(db: Session, due: Due, catalogue: Catalogue, *, now: datetime) -> datetime | None:
    """Do what a firing is for; the instant to look again, None when it is settled."""
    firing = db.scalars(
        select(Firing)
        .where(Firing.contact_id == due.contact_id, Firing.id == UUID(due.payload["firing"]))
        .with_for_update(key_share=True)
    ).one_or_none()
    if firing is None or firing.status is not FiringStatus.WAITING:
        return None
    rule = db.get_one(Rule, (firing.organisation_id, firing.rule_id))
    text = rules.text_of(rule)
    talk = _talk(db, due.contact_id)
    outcome: Outcome
    if text.step is Step.CASE:
        outcome = _obstacle(db, rule, due.contact_id, None, now) or _case(db, due.contact_id, now)
    else:
        outcome = _start_if_possible(db, rule, firing, talk, catalogue, now)
    if isinstance(outcome, datetime):
        return outcome
    firing.status = FiringStatus.SKIPPED if outcome else FiringStatus.DONE
    firing.reason, firing.done_at = outcome, now
    return None


def _start_if_possible(
    db: Session, rule: Rule, firing: Firing, talk: Conversation, catalogue: Catalogue, now: datetime
) -> Outcome:
    contact_id = talk.contact_id
    text = rules.text_of(rule)
    ask, published = started(catalogue, text.flow or "", now)
    reason = not_open(db, ask, published, contact_id)
    if reason is None and published is not None:
        reason = _obstacle(db, rule, contact_id, published.flow.kind, now)
    if reason is not None or published is None:
        return reason
    place = profiles.place_of(db, contact_id)
    morning = send_time(place, now)
    if morning > now:
        return morning
    if is_interrupted(talk, None, find_passages(db, [talk]), now):
        return now + LOOK_AGAIN if now - firing.fired_at <= GIVEN_UP else LeftOut.BUSY
    origin = {BY_RULE: str(rule.id), **(origin_of(ask) if ask else {})}
    asker = catalogue.short_name
    return _start(db, talk, published, origin, asker=asker, place=place, now=now)


def started(
    catalogue: Catalogue, flow: str, now: datetime
) -> tuple[Asked | None, Published | None]:
    """Return what a rule starts: the open ask on a flow with its wording, else the flow itself."""
    ask = catalogue.newest_ask(flow)
    if ask is not None and ask.is_open(now):
        return ask, catalogue.version(ask.version_id)
    return None, catalogue.newest.get(flow)


def not_open(
    db: Session, ask: Asked | None, published: Published | None, contact_id: UUID
) -> str | None:
    """Return why a flow cannot be started for somebody, or None if it can."""
    if published is None or published.flow.secret:
        return "not_open"
    if ask is None:
        return None
    mine = (FlowSession.ask_id == ask.id, FlowSession.contact_id == contact_id)
    return LeftOut.ALREADY_ASKED if db.scalar(select(exists().where(*mine))) else None


def _obstacle(
    db: Session, rule: Rule, contact_id: UUID, flow_kind: str | None, now: datetime
) -> str | None:
    if rule.status is not RuleStatus.ACTIVE:
        return f"rule_{rule.status}"
    standing = rule_people.standings(db, [contact_id]).get(contact_id)
    return rule_people.obstacle(standing, flow_kind, now)


def _talk(db: Session, contact_id: UUID) -> Conversation:
    return db.scalars(
        select(Conversation)
        .where(Conversation.contact_id == contact_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def _start(
    db: Session,
    talk: Conversation,
    published: Published,
    origin: dict[str, str],
    *,
    asker: str,
    place: Place,
    now: datetime,
) -> str | None:
    """Begin the flow and queue its first question; why not, if there is nowhere to send it."""
    contact = contacts.get(db, talk.contact_id)
    address = contacts.find_last_address(db, contact.id)
    if address is None:
        return LeftOut.UNREACHABLE
    session_id, flow = new_id(now), published.flow
    if talk.session_id is not None:
        db.execute(giving_way(talk.organisation_id, [talk.session_id]))
    talk.tags += 1
    state, events = engine.start(
        flow, tag=base36(talk.tags), language=contact.language, now=now, seed=seed_of(session_id)
    )
    _begin(db, contact, address, session_id, published, origin, now)
    version = str(published.version_id)
    passage = {"session": state.to_json(), "version": version, "origin": origin}
    _move(talk, session_id, passage, now)
    content = _content(flow, state, events, asker) | {"day": day_of(place)}
    outgoing.queue(
        db,
        contact,
        address,
        content,
        seq=talk.seq,
        now=now,
        kind=MessageKind.BROADCAST,
        lane=Lane.BROADCASTS,
        flow_version_id=published.version_id,
        question=state.asked,
        session_id=session_id,
    )
    return None


def _move(talk: Conversation, session_id: UUID, passage: dict[str, Any], now: datetime) -> None:
    talk.session_id, talk.seq, talk.updated_at = session_id, talk.seq + 1, now
    talk.expires_at = retention.expires_at("unfinished", now)
    talk.state = marks_of(talk.state) | passage


def _content(flow: Flow, state: State, events: Iterable[Event], asker: str) -> dict[str, Any]:
    """Who asks, then the question; outside WhatsApp's window the template says what about."""
    said = Said("asks_you", {"asker": asker})
    parts = [as_part(one) for one in (said, *events) if isinstance(one, AskedQuestion | Said)]
    parts[-1] |= {"later": True, "leave": True}
    subject = flow.about.get(state.language) or flow.purpose.get("why", "")
    template = {"name": "invitation", "params": {"subject": subject}}
    return {"parts": parts, "tag": state.tag, "template": template}


def _begin(
    db: Session,
    contact: Contact,
    address: Address,
    session_id: UUID,
    published: Published,
    origin: dict[str, str],
    now: datetime,
) -> None:
    session = FlowSession(
        organisation_id=contact.organisation_id,
        id=session_id,
        contact_id=contact.id,
        flow_version_id=published.version_id,
        flow=published.flow.id,
        kind=published.flow.kind,
        status=SessionStatus.WAITING,
        language=contact.language,
        channel_kind=address.scheme,
        origin=origin,
        started_at=now,
        updated_at=now,
        expires_at=retention.expires_at("unfinished", now),
    )
    db.add(session)
    db.flush()


def _case(db: Session, contact_id: UUID, now: datetime) -> str | None:
    """Let an officer look at this person; why not, if one does already."""
    begun = cases.begin(db, contact_id, CaseReason.FOLLOW_UP, now=now)
    return None if begun else "case_open"
