"""How many answered by each relay, as far as that may be told; bands are made of it."""

from collections.abc import Collection, Iterator
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from insights.disclosure import RULE
from insights.invited import has_ended
from insights.reach import told_rows
from models.flow_session import FlowSession
from models.relay import Relay
from models.walls import organisation_of


def own_reach(db: Session, rows: Collection[Relay]) -> dict[UUID, int]:
    """Return how many answered through each relay of these asks; those untold are left out."""
    return {
        relay_id: people
        for ask_id in {row.ask_id for row in rows}
        for relay_id, people in _told(db, ask_id)
    }


def reach(db: Session, rows: Collection[Relay], own: dict[UUID, int]) -> dict[UUID, int]:
    """Return the same with those right below each, from what `own_reach` gave."""
    found = {row.id: own.get(row.id, 0) for row in rows}
    below = select(Relay.id, Relay.parent_id).where(
        Relay.organisation_id == organisation_of(db), Relay.parent_id.in_(found)
    )
    for relay_id, parent_id in db.execute(below):
        if parent_id is not None:
            found[parent_id] += own.get(relay_id, 0)
    return found


def _told(db: Session, ask_id: UUID) -> Iterator[tuple[UUID, int]]:
    answered = _answered(db, ask_id)
    counted = (
        select(FlowSession.relay, func.count(FlowSession.contact_id.distinct()))
        .where(*answered, FlowSession.relay.is_not(None))
        .group_by(FlowSession.relay)
    )
    came = {str(relay): people for relay, people in db.execute(counted)}
    some = select(FlowSession.id).where(*answered, FlowSession.relay.is_(None)).limit(RULE.fewest)
    by_none = db.execute(select(func.count()).select_from(some.subquery())).scalar_one()
    for relay in told_rows(came, by_none):
        yield UUID(relay), came[relay]


def _answered(db: Session, ask_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        FlowSession.organisation_id == organisation_of(db),
        FlowSession.ask_id == ask_id,
        has_ended(FlowSession.__table__),
    )
