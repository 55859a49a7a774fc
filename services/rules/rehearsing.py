"""What a rule would have done, or will do: the very functions of the sweep, and nothing written."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from models.rule import FiringStatus, Rule
from services.catalogue import Catalogue
from services.errors import Invalid
from services.rules import rule_people, rules
from services.rules.firings import caps_of, not_fired
from services.rules.following import not_open, started
from services.rules.rule_moments import Moment, look
from services.rules.rule_people import Standing
from services.rules.rule_texts import RuleText, Step

MOST: Final = 100_000


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One firing as it would be; `reason` says why nothing would come of it."""

    at: datetime
    cause: str
    contact_id: UUID | None
    ask_id: UUID | None
    status: FiringStatus
    reason: str | None
    figures: Mapping[str, Any]


def rehearse(
    db: Session, rule: Rule, catalogue: Catalogue, *, since: datetime, until: datetime
) -> list[Rehearsed]:
    """Return what a rule would do for moments after `since` up to `until`, in their order.

    It counts what the rule did before `since`, and takes people as they stand now: what they have
    allowed and answered. Whether the rule is paused makes no difference. `until` may lie ahead.
    Invalid when that is more than 100,000 firings.
    """
    if until < since:
        raise Invalid("That ends before it begins: choose a later until.", place="until")
    text = rules.text_of(rule)
    found: list[Rehearsed] = []
    caps = caps_of(db, rule, text, (), until=since)
    while True:
        looked = look(db, rule, text, since=since, until=until)
        moments = not_fired(db, rule, looked.moments, until=since)
        people = {one.contact_id for one in moments if one.contact_id} - caps.times.keys()
        before = caps_of(db, rule, text, people, until=since)
        caps.times, caps.last = before.times | caps.times, before.last | caps.last
        found += _told(db, rule, text, catalogue, caps.let(moments))
        if len(found) > MOST:
            raise Invalid("That is very much: choose a shorter time.", place="since")
        if looked.until >= until:
            return found
        since = looked.until


def _told(
    db: Session, rule: Rule, text: RuleText, catalogue: Catalogue, moments: list[Moment]
) -> list[Rehearsed]:
    standings = rule_people.standings(db, {one.contact_id for one in moments if one.contact_id})
    found = []
    for one in moments:
        reason = None
        if one.contact_id is not None and not text.approval:
            reason = _reason(db, text, catalogue, one, standings.get(one.contact_id))
        status = FiringStatus.SKIPPED if reason else FiringStatus.DONE
        found.append(
            Rehearsed(
                one.at,
                one.cause,
                one.contact_id,
                one.ask_id,
                FiringStatus.FOR_APPROVAL if text.approval else status,
                reason,
                one.figures,
            )
        )
    return found


def _reason(
    db: Session,
    text: RuleText,
    catalogue: Catalogue,
    moment: Moment,
    standing: Standing | None,
) -> str | None:
    """Why nothing comes of a firing; whoever is asked is counted as asked in that month."""
    assert moment.contact_id is not None
    if text.step is Step.CASE:
        return rule_people.obstacle(standing, None, moment.at)
    ask, published = started(catalogue, text.flow or "", moment.at)
    reason = not_open(db, ask, published, moment.contact_id)
    if reason is not None or published is None:
        return reason
    reason = rule_people.obstacle(standing, published.flow.kind, moment.at)
    if reason is None and standing is not None and rule_people.is_capped(published.flow.kind):
        standing.asked[rule_people.month_of(moment.at)] += 1
    return reason
