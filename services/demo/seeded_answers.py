"""What the demo's members did with its polls: rows as answers by phone leave them, many at once."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from flows.flow import Flow
from models.ask import Ask, AskMode
from models.base import new_id
from models.broadcast import Broadcast, Recipient
from models.contact import Contact, Conversation
from models.flow_session import Answer, FlowSession
from models.message import Message, MessageStatus
from models.profile import Profile
from models.relay import Relay
from models.sealed import Keyring, seal
from services import retention
from services.asks import asks

Row = dict[str, Any]
BECOMES = {MessageStatus.READ: 46, MessageStatus.DELIVERED: 40, MessageStatus.SENT: 8,
           MessageStatus.FAILED: 6}  # fmt: skip
WORDS = {
    "en": ("I work all week.", "My children have school.", "Two hours by bus, so one free day."),
    "fr": ("Je travaille la semaine.", "Je garde les enfants en semaine."),
    "es": ("Trabajo toda la semana.",),
    "pt": ("Trabalho a semana toda.",),
    "ar": ("أعمل طوال الأسبوع.",),
}
"""What some write; made up."""


@dataclass(frozen=True, slots=True)
class Answering:
    """What writing answers needs: whose keys seal words, and chance that is always the same."""

    keyring: Keyring
    dice: random.Random


@dataclass(frozen=True, slots=True)
class _Passage:
    """One person's way through a poll."""

    id: UUID
    contact_id: UUID
    language: str
    channel_kind: str
    at: datetime


def deliver(db: Session, sending: Broadcast, dice: random.Random, at: datetime) -> None:
    """Let the messages of a sending have arrived, as far as messages do."""
    rows = db.execute(
        select(Message.id, Message.due_at)
        .join(Recipient, Recipient.message_id == Message.id)
        .where(Recipient.broadcast_id == sending.id)
        .order_by(Recipient.contact_id)
    ).all()
    statuses = dice.choices(list(BECOMES), weights=list(BECOMES.values()), k=len(rows))
    changes = [
        {
            "key": row.id,
            "status": status,
            "sent_at": row.due_at,
            "error_code": "30003" if status is MessageStatus.FAILED else None,
        }
        for row, status in zip(rows, statuses, strict=True)
    ]
    names = ("status", "sent_at", "error_code")
    _change(db, Message, Message.id, changes, names)


def answer(
    db: Session,
    answering: Answering,
    ask: Ask,
    *,
    share: float,
    shares: Sequence[int],
    start: datetime,
    over: timedelta,
) -> list[UUID]:
    """Let a share of those who were asked have answered, and return who; earlier is likelier.

    `shares` are the weights of the first question's options; without them (a secret vote) only the
    passages end.
    """
    dice = answering.dice
    waiting = db.execute(
        select(FlowSession.id, FlowSession.contact_id, FlowSession.language,
               FlowSession.channel_kind, FlowSession.started_at)
        .where(FlowSession.ask_id == ask.id)
        .order_by(FlowSession.contact_id)
    ).all()  # fmt: skip
    passages = []
    for row in waiting:
        if dice.random() >= share:
            continue
        at = max(row.started_at, start) + over * dice.random() ** 2
        passages.append(_Passage(*row[:4], at=min(at, start + over)))
    _end(db, passages)
    if ask.mode is AskMode.NAMED:
        _write_answers(db, answering, asks.flow_of(db, ask), ask, passages, shares)
    return [one.contact_id for one in passages]


def guests(
    db: Session,
    answering: Answering,
    ask: Ask,
    relay: Relay,
    *,
    share: float,
    shares: Sequence[int],
    start: datetime,
) -> None:
    """Let a share of members have come by a relay's code and answered; each comes once."""
    dice = answering.dice
    came = select(FlowSession.contact_id).where(FlowSession.ask_id == ask.id)
    people = db.execute(
        select(Profile.contact_id, Contact.language, Profile.channel)
        .join(Contact, Contact.id == Profile.contact_id)
        .where(Profile.joined_at < start, Profile.contact_id.not_in(came))
        .order_by(Profile.contact_id)
    ).all()
    origin = {"ask": ask.id, "code": relay.code, "relay": relay.id, "parent": relay.parent_id}
    told = {name: str(value) for name, value in origin.items() if value is not None}
    passages = [
        _Passage(new_id(at), row[0], row[1], row[2] or "telegram", at)
        for row in people
        if dice.random() < share
        for at in [relay.created_at + timedelta(days=5) * dice.random()]
    ]
    version = asks.flow_of(db, ask)
    rows = [_session(ask, version.kind, one, told) for one in passages]
    if rows:
        db.execute(insert(FlowSession), rows)
    _write_answers(db, answering, version, ask, passages, shares)


def _session(ask: Ask, kind: str, passage: _Passage, origin: Mapping[str, str]) -> Row:
    return {
        "organisation_id": ask.organisation_id,
        "id": passage.id,
        "contact_id": passage.contact_id,
        "flow_version_id": ask.flow_version_id,
        "flow": ask.flow,
        "kind": kind,
        "status": "complete",
        "language": passage.language,
        "channel_kind": passage.channel_kind,
        "origin": dict(origin),
        "started_at": passage.at - timedelta(minutes=1),
        "updated_at": passage.at,
        "completed_at": passage.at,
    }


def _end(db: Session, passages: Sequence[_Passage]) -> None:
    """The passages are complete, and the conversations wait for nothing."""
    done = [
        {"key": one.id, "status": "complete", "updated_at": one.at, "completed_at": one.at,
         "expires_at": None}
        for one in passages
    ]  # fmt: skip
    names = ("status", "updated_at", "completed_at", "expires_at")
    _change(db, FlowSession, FlowSession.id, done, names)
    free = [
        {"key": one.contact_id, "state": None, "session_id": None, "updated_at": one.at,
         "expires_at": None}
        for one in passages
    ]  # fmt: skip
    talk = ("state", "session_id", "updated_at", "expires_at")
    _change(db, Conversation, Conversation.contact_id, free, talk)


def _write_answers(
    db: Session,
    answering: Answering,
    flow: Flow,
    ask: Ask,
    passages: Sequence[_Passage],
    shares: Sequence[int],
) -> None:
    first = flow.questions[0]
    values = list(first.values())
    rows, wrote = [], []
    for one in passages:
        value = answering.dice.choices(values, weights=shares)[0]
        rows.append(_answer(ask, one, first.id, value=value, sealed=None))
        if value == "saturday" and flow.question("why") and answering.dice.random() < 0.7:
            wrote.append(one)
    if rows:
        db.execute(insert(Answer), rows)
    keys = {row[0]: row[1] for row in db.execute(select(Contact.id, Contact.wrapped_key))}
    for one in wrote:
        owner = ask.organisation_id
        words = answering.dice.choice(WORDS.get(one.language, WORDS["en"]))
        sealed = seal(
            answering.keyring.unwrap(keys[one.contact_id], owner, one.contact_id),
            words.encode(),
            table="answers",
            column="sealed",
            organisation_id=owner,
            row_id=f"{one.id}:why",
        )
        db.execute(insert(Answer), [_answer(ask, one, "why", value=None, sealed=sealed)])


def _answer(
    ask: Ask, passage: _Passage, question: str, *, value: str | None, sealed: bytes | None
) -> Row:
    return {
        "organisation_id": ask.organisation_id,
        "session_id": passage.id,
        "question": question,
        "contact_id": passage.contact_id,
        "flow_version_id": ask.flow_version_id,
        "flow": ask.flow,
        "value": value,
        "sealed": sealed,
        "skipped": False,
        "language": passage.language,
        "channel_kind": passage.channel_kind,
        "answered_at": passage.at,
        "expires_at": retention.expires_at("answers", passage.at),
    }


def _change(db: Session, table: Any, key: Any, rows: Sequence[Row], names: Sequence[str]) -> None:
    """Change many rows of one table, each by its key."""
    if rows:
        changed = update(table.__table__).where(key == bindparam("key"))
        statement = changed.values({name: bindparam(f"new_{name}") for name in names})
        named = [{"key": row["key"], **{f"new_{n}": row[n] for n in names}} for row in rows]
        db.connection().execute(statement, named)
