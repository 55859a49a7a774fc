"""When rules hold: the same look at what was answered and published, for the sweep and rehearsal.

A rule about a person holds at the moment its delay after the end of a passage is over, if its
condition holds on the answers as they are then. A rule about figures holds the same while after a
publication. So nothing has to be taken back when somebody changes an answer in between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from flows.conditions import Lookup, evaluate, fields
from flows.state import SEALED, Value
from models.ask import Ask, AskMode
from models.conditions import FIELDS, facts_of, lookup
from models.flow_session import Answer, FlowSession, SessionStatus
from models.person_fields import Facts
from models.rule import Rule
from services.conversation.props import TEST
from services.rules import rule_figures
from services.rules.rule_texts import RuleText

AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment at which a rule holds: for one person after a passage, or for an ask's figures.

    `cause` names it once for all; `figures` are what made it hold.
    """

    at: datetime
    cause: str
    figures: Mapping[str, Any]
    contact_id: UUID | None = None
    ask_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """The moments found, and how far was looked: to the end, unless there was very much."""

    moments: Sequence[Moment]
    until: datetime


def look(db: Session, rule: Rule, text: RuleText, *, since: datetime, until: datetime) -> Looked:
    """Return the moments after `since` up to `until` at which the rule holds, in their order.

    `until` may lie ahead: then as if nobody answered anything more.
    """
    if text.figures is not None:
        told = [
            Moment(one.at, one.cause, one.figures, ask_id=one.ask_id)
            for one in rule_figures.moments(db, rule, text, since=since, until=until)
        ]
        return Looked(sorted(told, key=lambda one: (one.at, one.cause)), until)
    passages = _passages(db, rule, since - text.after, until - text.after)
    reached = until
    if len(passages) >= AT_ONCE and passages[-1].completed_at is not None:
        reached = passages[-1].completed_at + text.after
    return Looked(_people(db, text, passages), reached)


def _passages(db: Session, rule: Rule, since: datetime, until: datetime) -> Sequence[FlowSession]:
    """Return passages completed in that time; all of one instant, so that none is overlooked."""
    secret = exists().where(
        Ask.organisation_id == rule.organisation_id,
        Ask.id == FlowSession.ask_id,
        Ask.mode == AskMode.SECRET,
    )
    if rule.ask_id is not None:
        listened = FlowSession.ask_id == rule.ask_id
    else:
        listened = FlowSession.flow == rule.flow
    return db.scalars(
        select(FlowSession)
        .where(
            FlowSession.organisation_id == rule.organisation_id,
            FlowSession.status == SessionStatus.COMPLETE,
            FlowSession.completed_at > since,
            FlowSession.completed_at <= until,
            listened,
            ~secret,
            ~FlowSession.origin.has_key(TEST),
        )
        .order_by(FlowSession.completed_at, FlowSession.id)
        .fetch(AT_ONCE, with_ties=True)
        .execution_options(populate_existing=True)
    ).all()


def _people(db: Session, text: RuleText, passages: Sequence[FlowSession]) -> list[Moment]:
    answers = _answers(db, passages)
    facts = facts_of(db, {one.contact_id for one in passages})
    found = []
    for passage in passages:
        known, given = facts.get(passage.contact_id), answers.get(passage.id, {})
        assert passage.completed_at is not None
        at = passage.completed_at + text.after
        if known is None:
            continue
        if text.when is None or evaluate(text.when, _values(given, known), at):
            names = fields(text.when) if text.when else frozenset()
            told = {name: given[name] for name in sorted(names & given.keys())}
            figures = {"session": str(passage.id), "answers": told}
            found.append(Moment(at, str(passage.id), figures, contact_id=passage.contact_id))
    return found


def _answers(
    db: Session, passages: Sequence[FlowSession]
) -> Mapping[UUID, Mapping[str, Value | None]]:
    found: dict[UUID, dict[str, Value | None]] = {}
    rows = db.execute(
        select(
            Answer.session_id, Answer.question, Answer.value, Answer.skipped, Answer.sealed
        ).where(
            Answer.contact_id.in_({one.contact_id for one in passages}),
            Answer.session_id.in_([one.id for one in passages]),
        )
    )
    for session_id, question, value, skipped, sealed in rows:
        kept = SEALED if sealed is not None else value
        found.setdefault(session_id, {})[question] = None if skipped else kept
    return found


def _values(given: Mapping[str, Value | None], facts: Facts) -> Lookup:
    """What is known of somebody: first what they answered in this passage."""
    known = lookup(facts)

    def look_up(name: str) -> Value | None:
        if name in given:
            return given[name]
        return known(name) if name in FIELDS or "." in name else None

    return look_up
