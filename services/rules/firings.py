"""Rules in action: what holds now is written down once, with the figures that made it hold.

A firing about a person waits as a due row (following.py does it), one about figures drafts a poll.
Where a rule wants approval, it first waits for somebody's yes.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

import logs
from models.ask import AskStatus
from models.base import new_id
from models.db import transaction
from models.due import Due
from models.rule import Firing, FiringStatus, Rule, RuleStatus
from models.sealed import OrganisationKeys
from models.walls import organisation_of, system_scope
from services import audit, retention
from services.asks import asks, publications
from services.asks.asks import NewAsk
from services.audit import Actor
from services.errors import AppError, Conflict, NotFound
from services.rules import rule_figures, rules
from services.rules.rule_moments import Moment, look
from services.rules.rule_texts import RuleText

KIND = "follow_up"
LAPSES = timedelta(days=14)
"""How long a firing waits for a yes."""
LATE = timedelta(minutes=5)
"""What is written with a moment of the past comes no later than this."""
_SHOWN = (AskStatus.OPEN, AskStatus.CLOSED)

KeysOf = Callable[[UUID], OrganisationKeys]


@dataclass(slots=True)
class Caps:
    """How often a rule has fired, for each person and overall; None is nobody in particular."""

    text: RuleText
    times: dict[UUID | None, int] = field(default_factory=dict)
    last: dict[UUID | None, datetime] = field(default_factory=dict)
    overall: int = 0

    def let(self, moments: Iterable[Moment]) -> list[Moment]:
        """Return those moments at which the rule may fire; these count from now on."""
        return [one for one in moments if self._lets(one)]

    def _lets(self, moment: Moment) -> bool:
        who, last = moment.contact_id, self.last.get(moment.contact_id)
        full = self.text.overall is not None and self.overall >= self.text.overall
        again = who is not None and self.times.get(who, 0) >= self.text.per_person
        if full or again or (last is not None and moment.at - last < self.text.cooldown):
            return False
        self.overall += 1
        self.times[who] = self.times.get(who, 0) + 1
        self.last[who] = moment.at
        return True


def caps_of(
    db: Session, rule: Rule, text: RuleText, people: Collection[UUID], *, until: datetime | None
) -> Caps:
    """Return how often a rule fired before, up to a moment (None: ever), for these people.

    A firing counts whatever came of it.
    """
    fired = [
        Firing.organisation_id == rule.organisation_id,
        Firing.rule_id == rule.id,
    ]
    if until is not None:
        fired.append(Firing.fired_at <= until)
    count, last = func.count(), func.max(Firing.fired_at)
    overall = db.scalar(select(count).where(*fired)) or 0
    wanted = Firing.contact_id.in_(people) | Firing.contact_id.is_(None)
    rows = db.execute(
        select(Firing.contact_id, count, last).where(*fired, wanted).group_by(Firing.contact_id)
    ).all()
    times, latest = {row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows}
    return Caps(text, times, latest, overall)


def not_fired(
    db: Session, rule: Rule, moments: Sequence[Moment], *, until: datetime | None = None
) -> list[Moment]:
    """Return the moments whose cause did not fire the rule before (up to `until`; None: ever)."""
    wanted = select(Firing.cause).where(
        Firing.rule_id == rule.id, Firing.cause.in_([one.cause for one in moments])
    )
    if until is not None:
        wanted = wanted.where(Firing.fired_at <= until)
    before = set(db.scalars(wanted))
    return [one for one in moments if one.cause not in before]


def fire_all(engine: Engine, keys_of: KeysOf, *, now: datetime) -> int:
    """Let every active rule act on what fell due; return how often one fired."""
    with system_scope(engine) as db:
        active = db.execute(
            select(Rule.organisation_id, Rule.id)
            .where(Rule.status == RuleStatus.ACTIVE)
            .order_by(Rule.looked_until)
        ).all()
    fired = 0
    for organisation_id, rule_id in active:
        try:
            with transaction(engine, organisation_id) as db:
                fired += fire(db, rule_id, lambda: keys_of(organisation_id), now=now)  # noqa: B023
        except Exception as error:  # noqa: BLE001 - one rule must not hold up all that follow
            logs.event("rule.failed", level="error", rule_id=rule_id, error=type(error).__name__)
    return fired


def fire(db: Session, rule_id: UUID, keys: Callable[[], OrganisationKeys], *, now: datetime) -> int:
    """Let one rule act on what fell due; 0 while another worker looks at it."""
    rule = db.scalars(
        select(Rule)
        .where(
            Rule.organisation_id == organisation_of(db),
            Rule.id == rule_id,
            Rule.status == RuleStatus.ACTIVE,
        )
        .with_for_update(key_share=True, skip_locked=True)
    ).one_or_none()
    if rule is None:
        return 0
    text = rules.text_of(rule)
    _let_lapse(db, rule, now)
    if text.figures is not None:
        _release(db, rule, keys(), now)
    looked = look(db, rule, text, since=rule.looked_until, until=now)
    moments = not_fired(db, rule, looked.moments)
    people = {one.contact_id for one in moments if one.contact_id}
    held = caps_of(db, rule, text, people, until=None).let(moments)
    for moment in held:
        _write(db, rule, text, moment, now)
    reached = looked.until if looked.until < now else now - LATE
    rule.looked_until = max(rule.looked_until, reached)
    return len(held)


def _let_lapse(db: Session, rule: Rule, now: datetime) -> None:
    db.execute(
        update(Firing)
        .where(
            Firing.organisation_id == rule.organisation_id,
            Firing.rule_id == rule.id,
            Firing.status == FiringStatus.FOR_APPROVAL,
            Firing.fired_at < now - LAPSES,
        )
        .values(status=FiringStatus.SKIPPED, reason="lapsed", done_at=now)
    )


def _release(db: Session, rule: Rule, keys: OrganisationKeys, now: datetime) -> None:
    """Let the figures move that may, as if somebody had asked for them now."""
    for ask in rule_figures.asks_of(db, rule):
        if ask.status in _SHOWN:
            publications.results_of(db, keys, ask, now=now)


def _write(db: Session, rule: Rule, text: RuleText, moment: Moment, now: datetime) -> None:
    firing = Firing(
        organisation_id=rule.organisation_id,
        id=new_id(now),
        rule_id=rule.id,
        contact_id=moment.contact_id,
        cause=moment.cause,
        status=FiringStatus.FOR_APPROVAL if text.approval else FiringStatus.WAITING,
        figures=dict(moment.figures),
        fired_at=moment.at,
        expires_at=retention.expires_at("firings", now) if moment.contact_id else None,
    )
    db.add(firing)
    db.flush()
    if not text.approval:
        _go_on(db, rule, text, firing, now)


def _go_on(db: Session, rule: Rule, text: RuleText, firing: Firing, now: datetime) -> None:
    if firing.contact_id is None:
        _draft(db, text, firing, now)
        return
    due = Due(
        organisation_id=rule.organisation_id,
        id=new_id(now),
        contact_id=firing.contact_id,
        kind=KIND,
        payload={"firing": str(firing.id)},
        due_at=max(firing.fired_at, now),
        expires_at=retention.expires_at("due", now),
    )
    db.add(due)
    db.flush()


def _draft(db: Session, text: RuleText, firing: Firing, now: datetime) -> None:
    """Make the draft poll; it is asked of nobody before somebody opens it."""
    try:
        ask = asks.create(db, NewAsk(flow=text.flow, audience=text.audience), now=now)
    except AppError as error:
        firing.status, firing.reason = FiringStatus.SKIPPED, error.code
    else:
        firing.status = FiringStatus.DONE
        firing.figures = {**firing.figures, "draft": str(ask.id)}
    firing.done_at = now
    db.flush()


def list_firings(
    db: Session, rule_id: UUID, *, after: UUID | None = None, most: int = 50
) -> Sequence[Firing]:
    """Return the firings of a rule in the order they were written, those after a given one."""
    wanted = select(Firing).where(
        Firing.organisation_id == organisation_of(db), Firing.rule_id == rule_id
    )
    if after is not None:
        wanted = wanted.where(Firing.id > after)
    return db.scalars(wanted.order_by(Firing.id).limit(most)).all()


def approve(db: Session, rule_id: UUID, firing_id: UUID, *, actor: Actor, now: datetime) -> Firing:
    """Let a firing that waits for a yes go on; Conflict when it does not wait, or too long."""
    rule, firing = rules.get(db, rule_id), _waiting(db, rule_id, firing_id)
    if firing.fired_at < now - LAPSES:
        raise Conflict("This waited for more than 14 days: it has lapsed.")
    firing.status = FiringStatus.WAITING
    _go_on(db, rule, rules.text_of(rule), firing, now)
    audit.record(db, actor, "firing.approved", ("firing", firing.id), now=now)
    return firing


def refuse(db: Session, rule_id: UUID, firing_id: UUID, *, actor: Actor, now: datetime) -> Firing:
    """Let nothing follow from a firing that waits for a yes; Conflict when it does not wait."""
    firing = _waiting(db, rule_id, firing_id)
    firing.status, firing.done_at = FiringStatus.REFUSED, now
    db.flush()
    audit.record(db, actor, "firing.refused", ("firing", firing.id), now=now)
    return firing


def _waiting(db: Session, rule_id: UUID, firing_id: UUID) -> Firing:
    firing = db.scalars(
        select(Firing)
        .where(
            Firing.organisation_id == organisation_of(db),
            Firing.id == firing_id,
            Firing.rule_id == rule_id,
        )
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if firing is None:
        raise NotFound("There is no such firing.")
    if firing.status is not FiringStatus.FOR_APPROVAL:
        raise Conflict("This does not wait for approval.")
    return firing
