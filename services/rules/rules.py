"""Follow-up rules: saved, paused and ended; rule_moments.py finds when they hold.

The follow-ups of a published flow are rules too: they become so with its publication.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.conditions import Names
from flows.errors import FlowInvalid
from flows.flow import Flow
from models.ask import Ask, AskMode
from models.base import new_id
from models.rule import Rule, RuleStatus
from models.walls import organisation_of
from services import audit
from services.audiences import audience_checks
from services.audit import Actor
from services.catalogue import Catalogue
from services.errors import Conflict, Invalid, NotFound
from services.rules import rule_texts
from services.rules.rule_texts import PLACE, Figures, RuleText, UnderQuota

LONGEST_NAME = 80
_SECRET = "Nothing may follow from a secret vote."  # noqa: S105 - a sentence, no password


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule as somebody writes it, on a flow or on one ask."""

    name: str
    definition: Mapping[str, Any]
    flow: str | None = None
    ask_id: UUID | None = None


def create(db: Session, new: NewRule, catalogue: Catalogue, *, actor: Actor, now: datetime) -> Rule:
    """Save a rule; it acts on whatever falls due from now on. Invalid with the places of faults."""
    flow = check(db, new, catalogue)
    rule = Rule(
        organisation_id=organisation_of(db),
        id=new_id(now),
        ask_id=new.ask_id,
        flow=flow.id,
        name=new.name.strip(),
        status=RuleStatus.ACTIVE,
        definition=dict(new.definition),
        created_at=now,
        looked_until=now,
    )
    db.add(rule)
    db.flush()
    audit.record(db, actor, "rule.created", ("rule", rule.id), now=now)
    return rule


def check(db: Session, new: NewRule, catalogue: Catalogue) -> Flow:
    """Return the flow that a rule listens to; Invalid when the rule could never act as written."""
    if not 0 < len(new.name.strip()) <= LONGEST_NAME:
        raise Invalid(f"Give it a name of 1 to {LONGEST_NAME} letters.", place="name")
    flow, ask = _listens_to(db, new, catalogue)
    try:
        text = rule_texts.read(new.definition, Names(frozenset(flow.by_id)))
    except FlowInvalid as fault:
        raise Invalid("The rule cannot be used.", faults=[(fault.place, fault.problem)]) from None
    if new.definition.get("when") is not None:
        audience_checks.read(new.definition["when"], catalogue, f"{PLACE}.when", flow=flow)
    if text.audience is not None:
        audience_checks.read(text.audience, catalogue, f"{PLACE}.audience")
    if text.figures is not None:
        _check_figures(text.figures, flow, ask)
    _check_started(text, catalogue)
    return flow


def _listens_to(db: Session, new: NewRule, catalogue: Catalogue) -> tuple[Flow, Ask | None]:
    if (new.flow is None) == (new.ask_id is None):
        raise Invalid("Say what it listens to: a flow, or one poll.", place="flow")
    ask = db.get(Ask, (organisation_of(db), new.ask_id)) if new.ask_id else None
    if new.ask_id and ask is None:
        raise Invalid("There is no such poll.", place="poll_id")
    if ask is not None:
        published = catalogue.version(ask.flow_version_id)
    else:
        published = catalogue.newest.get(new.flow or "")
    if published is None:
        raise Invalid("This flow was never published.", place="flow")
    if published.flow.secret or (ask is not None and ask.mode is AskMode.SECRET):
        raise Invalid(_SECRET, place="poll_id" if ask else "flow")
    return published.flow, ask


def _check_figures(figures: Figures, flow: Flow, ask: Ask | None) -> None:
    place = f"{PLACE}.figures"
    if isinstance(figures, UnderQuota):
        if ask is not None and ask.quota is None:
            raise Invalid("This poll has no quota.", place=f"{place}.under_quota")
        return
    question = flow.question(figures.question)
    if question is None or not question.values() or question.sealed:
        raise Invalid("is no question with options here", place=f"{place}.question")
    several = hasattr(figures, "options")
    for option in figures.options if hasattr(figures, "options") else (figures.option,):
        if option not in question.values():
            named = "options" if several else "option"
            raise Invalid("The question has no such answer.", place=f"{place}.{named}")


def _check_started(text: RuleText, catalogue: Catalogue) -> None:
    if text.flow is None:
        return
    place = f"{PLACE}.{text.step}"
    published = catalogue.newest.get(text.flow)
    if published is None:
        raise Invalid("This flow was never published.", place=place)
    if published.flow.secret:
        raise Invalid("A secret poll cannot follow by itself.", place=place)


def get(db: Session, rule_id: UUID, *, for_change: bool = False) -> Rule:
    """Return a rule, locked if it is to change; NotFound when there is none."""
    wanted = select(Rule).where(Rule.organisation_id == organisation_of(db), Rule.id == rule_id)
    if for_change:
        wanted = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    rule = db.scalars(wanted).one_or_none()
    if rule is None:
        raise NotFound("There is no such rule.")
    return rule


def list_rules(db: Session, *, after: UUID | None = None, most: int = 50) -> Sequence[Rule]:
    """Return rules in the order they were made, those after a given one."""
    wanted = select(Rule).where(Rule.organisation_id == organisation_of(db))
    if after is not None:
        wanted = wanted.where(Rule.id > after)
    return db.scalars(wanted.order_by(Rule.id).limit(most)).all()


def pause(db: Session, rule_id: UUID, *, actor: Actor, now: datetime) -> Rule:
    """Let nothing follow for now; what falls due meanwhile never happens."""
    return _move(db, rule_id, RuleStatus.PAUSED, "rule.paused", actor, now)


def resume(db: Session, rule_id: UUID, *, actor: Actor, now: datetime) -> Rule:
    """Let it act again on whatever falls due from now on."""
    return _move(db, rule_id, RuleStatus.ACTIVE, "rule.resumed", actor, now)


def end(db: Session, rule_id: UUID, *, actor: Actor, now: datetime) -> Rule:
    """End it for good; its firings stay to be read."""
    return _move(db, rule_id, RuleStatus.ENDED, "rule.ended", actor, now)


def _move(
    db: Session, rule_id: UUID, status: RuleStatus, action: str, actor: Actor, now: datetime
) -> Rule:
    rule = get(db, rule_id, for_change=True)
    if rule.status is RuleStatus.ENDED:
        raise Conflict("This rule has ended: write it anew.")
    if rule.status is status:
        return rule
    rule.status = status
    if status is RuleStatus.ACTIVE:
        rule.looked_until = now
    db.flush()
    audit.record(db, actor, action, ("rule", rule.id), now=now)
    return rule


def text_of(rule: Rule) -> RuleText:
    """Return what a saved rule means."""
    return rule_texts.read(rule.definition)
