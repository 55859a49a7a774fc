"""Which publications of asks make a rule about figures hold; it sees nothing but what left.

Figures come from the ledger of releases (services/asks/publications.py): whatever the gate hides is
unknown here too, and an unknown figure makes no rule hold. Only fewer than ten answers are known to
be fewer than any quota asks for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from insights.disclosure import RULE
from models.ask import Ask, AskMode
from models.publication import Publication
from models.rule import Rule
from services.rules.rule_texts import Figures, Jump, Near, RuleText, Share, UnderQuota

Released = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A publication with which a rule holds, and the figures that made it so."""

    at: datetime
    cause: str
    ask_id: UUID
    figures: Mapping[str, Any]


def moments(
    db: Session, rule: Rule, text: RuleText, *, since: datetime, until: datetime
) -> Iterator[Held]:
    """Yield where the rule holds: its delay after a publication, in the time after `since`.

    A quota is looked at once, that long after the opening, with the figures told by then.
    """
    wanted, after = text.figures, text.after
    assert wanted is not None
    since, until = since - after, until - after
    for ask in asks_of(db, rule):
        if isinstance(wanted, UnderQuota):
            if ask.opened_at is not None and since < ask.opened_at <= until:
                yield from _quota(db, ask, wanted, ask.opened_at + after)
            continue
        for publication in _publications(db, ask.id, since, until):
            figures = _held(db, ask, publication, wanted)
            if figures is not None:
                told = {"publication": publication.number, **figures}
                cause = f"{ask.id}:{publication.number}"
                yield Held(publication.published_at + after, cause, ask.id, told)


def asks_of(db: Session, rule: Rule) -> Sequence[Ask]:
    """Return the asks whose figures a rule listens to; never a secret one."""
    wanted = select(Ask).where(
        Ask.organisation_id == rule.organisation_id, Ask.mode != AskMode.SECRET
    )
    wanted = wanted.where(Ask.id == rule.ask_id if rule.ask_id else Ask.flow == rule.flow)
    return db.scalars(wanted.order_by(Ask.id)).all()


def _publications(
    db: Session, ask_id: UUID, since: datetime | None, until: datetime
) -> Sequence[Publication]:
    wanted = select(Publication).where(
        Publication.ask_id == ask_id, Publication.published_at <= until
    )
    if since is not None:
        wanted = wanted.where(Publication.published_at > since)
    return db.scalars(wanted.order_by(Publication.number)).all()


def _last(db: Session, ask_id: UUID, until: datetime) -> Released | None:
    found = _publications(db, ask_id, None, until)
    return found[-1].released if found else None


def _held(
    db: Session, ask: Ask, publication: Publication, wanted: Figures
) -> Mapping[str, Any] | None:
    released = publication.released
    match wanted:
        case Share(question, option, at_least):
            share = share_of(released, question, option)
            if share is None or share < at_least:
                return None
            return {"share": share, "at_least": at_least}
        case Near(question, options, within):
            first, second = (share_of(released, question, each) for each in options)
            if first is None or second is None or abs(first - second) > within:
                return None
            return {"shares": [first, second], "within": within}
        case Jump():
            return _jumped(db, ask, publication, wanted)
    return None


def _jumped(
    db: Session, ask: Ask, publication: Publication, wanted: Jump
) -> Mapping[str, Any] | None:
    if ask.previous_id is None:
        return None
    before = _last(db, ask.previous_id, publication.published_at)
    if before is None:
        return None
    counts = [answers_of(one, wanted.question) for one in (before, publication.released)]
    was = share_of(before, wanted.question, wanted.option)
    now = share_of(publication.released, wanted.question, wanted.option)
    if was is None or now is None or min(counts) < wanted.answers:
        return None
    if abs(now - was) < wanted.points:
        return None
    return {"was": was, "share": now, "jump": wanted.points, "answers": counts}


def _quota(db: Session, ask: Ask, wanted: UnderQuota, at: datetime) -> Iterator[Held]:
    if ask.quota is None:
        return
    released = _last(db, ask.id, at)
    answered = released["completed"] if released else None
    most = RULE.fewest - 1 if answered is None else answered
    if 100 * most < wanted.percent * ask.quota:
        told = {"answered": answered, "quota": ask.quota, "under_quota": wanted.percent}
        yield Held(at, f"{ask.id}:quota", ask.id, told)


def share_of(released: Released, question: str, option: str) -> int | None:
    """Return the share of an option in whole percent, if it was told."""
    for asked in released["questions"]:
        if asked["id"] == question:
            for each in asked["options"]:
                if each["value"] == option:
                    share: int | None = each["share"]
                    return share
    return None


def answers_of(released: Released, question: str) -> int:
    """Return how many answered a question, as was told; 0 where it was not."""
    return next((one["n"] or 0 for one in released["questions"] if one["id"] == question), 0)
