"""Cases: what a person should look at, and the officer's answer in their own words.

Cases are opened in the message path, with the message that called for one. Whoever moves a case
that is not closed also moves the conversation's number, so that no message in flight misses it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import case as when
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import new_id
from models.case import Case, CaseReason, CaseStatus
from models.contact import Contact, ContactStatus, Conversation
from models.message import Direction, Lane, Message, MessageKind, MessageStatus
from models.sealed import Keyring, open_sealed, seal
from models.staff import Staff
from models.walls import organisation_of
from services import audit, retention
from services.audit import Actor
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.messages import outgoing
from services.messages.rendering import read_told
from services.people import contacts

LONGEST_ANSWER = 1000
URGENCY = {reason: place for place, reason in enumerate(CaseReason)}


@dataclass(frozen=True, slots=True)
class CaseMessage:
    """One message of a case; `text` in the person's or the officer's own words."""

    id: UUID
    direction: Direction
    status: MessageStatus
    text: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case with what was said in it, oldest first."""

    case: Case
    messages: Sequence[CaseMessage]


def list_cases(
    db: Session,
    *,
    status: CaseStatus | None = None,
    reason: CaseReason | None = None,
    staff_id: UUID | None = None,
    follow_ups: bool = True,
    after: UUID | None = None,
    most: int = 50,
) -> Sequence[Case]:
    """Return cases in the order they were opened, those after a given one; no text of anybody.

    Without `follow_ups` those are left out that an answer opened: they would count who gave it.
    """
    query = select(Case).where(Case.organisation_id == organisation_of(db))
    if not follow_ups:
        query = query.where(Case.reason != CaseReason.FOLLOW_UP)
    for column, value in ((Case.status, status), (Case.reason, reason), (Case.staff_id, staff_id)):
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        query = query.where(Case.id > after)
    return db.scalars(query.order_by(Case.id).limit(most)).all()


def list_waiting(db: Session, *, most: int = 50) -> Sequence[Case]:
    """Return the open cases, the most urgent first, then those that wait longest."""
    urgency = when(URGENCY, value=Case.reason)
    query = select(Case).where(
        Case.organisation_id == organisation_of(db), Case.status == CaseStatus.OPEN
    )
    return db.scalars(query.order_by(urgency, Case.last_message_at).limit(most)).all()


def get(db: Session, case_id: UUID) -> Case:
    """Return a case; NotFound when there is none."""
    found = db.get(Case, (organisation_of(db), case_id))
    if found is None:
        raise NotFound("There is no such case.")
    return found


def read(
    db: Session,
    keyring: Keyring,
    case_id: UUID,
    *,
    actor: Actor,
    reason: str = "case",
    now: datetime,
) -> OpenCase:
    """Return a case with its messages opened; the person sees in MYDATA that this happened."""
    found = get(db, case_id)
    contact = contacts.get(db, found.contact_id)
    rows = db.scalars(
        select(Message)
        .where(
            Message.contact_id == contact.id,
            Message.content["case"].astext == str(case_id),
            Message.sealed.is_not(None),
        )
        .order_by(Message.id)
    ).all()
    key = keyring.unwrap(contact.wrapped_key, contact.organisation_id, contact.id)
    found.unread = 0
    db.flush()
    _record(db, actor, "case.viewed", found, now, reason=reason)
    return OpenCase(found, [_said(key, row) for row in rows])


def answer(
    db: Session, keyring: Keyring, case_id: UUID, text: str, *, actor: Actor, now: datetime
) -> Message:
    """Queue an officer's words to the person and return the message; they are stored sealed.

    Invalid for an empty or too long text, Conflict for a closed case or somebody who cannot be
    reached, NotAllowed for a person who has stopped and did not ask for an answer.
    """
    text = text.strip()
    if not 0 < len(text) <= LONGEST_ANSWER:
        raise Invalid(f"Write between 1 and {LONGEST_ANSWER} characters.", place="text")
    found = get(db, case_id)
    if found.status is CaseStatus.CLOSED:
        raise Conflict("This case is closed.")
    contact = contacts.get(db, found.contact_id)
    stopped = contact.status is ContactStatus.STOPPED
    if stopped and found.reason is CaseReason.STOPPED_MESSAGE:
        raise NotAllowed("This person has stopped our messages; only START brings them back.")
    talk = _lock(db, contact.id)
    talk.seq += 1
    talk.state = {k: v for k, v in (talk.state or {}).items() if k != "noted"} or None
    key = keyring.unwrap(contact.wrapped_key, contact.organisation_id, contact.id)
    message = _queue(db, key, contact, found, text, seq=talk.seq, now=now)
    found.status, found.answered_at, found.unread = CaseStatus.ANSWERED, now, 0
    db.flush()
    _record(db, actor, "case.answered", found, now)
    return message


def begin(
    db: Session,
    contact_id: UUID,
    reason: CaseReason,
    *,
    passage: tuple[UUID, str] | None = None,
    now: datetime,
) -> Case | None:
    """Let an officer look at somebody; None when one does already.

    `passage` is the session and the question it is about.
    """
    talk = _lock(db, contact_id)
    if talk.case_id is not None:
        return None
    session_id, question = passage or (None, None)
    made = Case(
        organisation_id=talk.organisation_id,
        id=new_id(now),
        contact_id=contact_id,
        session_id=session_id,
        question=question,
        reason=reason,
        opened_at=now,
        last_message_at=now,
        expires_at=retention.expires_at("cases", now),
    )
    db.add(made)
    db.flush()
    talk.case_id, talk.seq = made.id, talk.seq + 1
    return made


def assign(
    db: Session, case_id: UUID, staff_id: UUID | None, *, actor: Actor, now: datetime
) -> Case:
    """Give a case to an officer, or to nobody; NotFound when there is no such officer."""
    found = get(db, case_id)
    staff = db.get(Staff, (organisation_of(db), staff_id)) if staff_id else None
    if staff_id and (staff is None or staff.disabled_at is not None):
        raise NotFound("There is no such officer.")
    found.staff_id = staff_id
    db.flush()
    _record(db, actor, "case.assigned", found, now)
    return found


def close(db: Session, case_id: UUID, *, actor: Actor, now: datetime) -> Case:
    """Close a case; what the person writes from now on opens a new one when it calls for one."""
    found = get(db, case_id)
    if found.status is CaseStatus.CLOSED:
        return found
    talk = _lock(db, found.contact_id)
    talk.seq += 1
    talk.case_id = None
    found.status, found.closed_at, found.unread = CaseStatus.CLOSED, now, 0
    db.flush()
    _record(db, actor, "case.closed", found, now)
    return found


def _lock(db: Session, contact_id: UUID) -> Conversation:
    return db.scalars(
        select(Conversation)
        .where(
            Conversation.organisation_id == organisation_of(db),
            Conversation.contact_id == contact_id,
        )
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def _queue(
    db: Session, key: bytes, contact: Contact, found: Case, text: str, *, seq: int, now: datetime
) -> Message:
    address = contacts.find_last_address(db, contact.id)
    if address is None:
        raise Conflict("There is no address where this person can be reached.")
    message_id = new_id(now)
    stopped = contact.status is ContactStatus.STOPPED
    sealed = seal(
        key,
        json.dumps({"typed": text}).encode(),
        table="messages",
        column="sealed",
        organisation_id=contact.organisation_id,
        row_id=message_id,
    )
    return outgoing.queue(
        db,
        contact,
        address,
        {"parts": [{"say": "officer", "sealed": True}], "case": str(found.id)},
        seq=seq,
        now=now,
        kind=MessageKind.RIGHTS if stopped else MessageKind.NOTICE,
        lane=Lane.RIGHTS if stopped else Lane.REPLIES,
        id=message_id,
        sealed=sealed,
    )


def _said(key: bytes, message: Message) -> CaseMessage:
    assert message.sealed is not None
    plain = open_sealed(
        key,
        message.sealed,
        table="messages",
        column="sealed",
        organisation_id=message.organisation_id,
        row_id=message.id,
    )
    if message.direction is Direction.OUT:
        text = read_told(plain).get("typed", "")
    else:
        text = plain.decode("utf-8", "replace")
    return CaseMessage(message.id, message.direction, message.status, text, message.created_at)


def _record(
    db: Session, actor: Actor, action: str, found: Case, now: datetime, *, reason: str | None = None
) -> None:
    """The chain names the person, so that MYDATA finds who looked."""
    detail: dict[str, audit.Detail] = {"case": str(found.id)}
    if reason:
        detail["reason"] = reason
    audit.record(db, actor, action, ("contact", found.contact_id), detail=detail, now=now)
