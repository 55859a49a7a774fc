"""The follow-ups that a flow file names, as rules: they come and go with its publications."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.flow import Flow
from models.base import new_id
from models.rule import Rule, RuleStatus
from models.walls import organisation_of


def follow(db: Session, flow: Flow, version_id: UUID, *, now: datetime) -> None:
    """Let the rules that came with a flow be those of its newest version.

    One that stands there word by word as before stays as it is, paused too; others end.
    """
    named: list[Mapping[str, Any]] = list(flow.definition.get("follow_ups") or ())
    owner = organisation_of(db)
    before = db.scalars(
        select(Rule).where(
            Rule.organisation_id == owner,
            Rule.flow == flow.id,
            Rule.origin.is_not(None),
            Rule.status != RuleStatus.ENDED,
        )
    ).all()
    for rule in before:
        if rule.definition in named:
            named.remove(rule.definition)
        else:
            rule.status = RuleStatus.ENDED
    for definition in named:
        rule = Rule(
            organisation_id=owner,
            id=new_id(now),
            flow=flow.id,
            origin=version_id,
            name=f"{flow.id}: {definition['start']}",
            status=RuleStatus.ACTIVE,
            definition=dict(definition),
            created_at=now,
            looked_until=now,
        )
        db.add(rule)
    db.flush()
