"""Figures of open asks released while people answer, so that these can be shown them."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, select

from models.ask import Ask, AskMode, AskStatus
from models.db import transaction
from models.flow_session import FlowSession
from models.walls import system_scope
from services.asks import asks
from services.asks.publications import MOST_AT_ONCE, results_of
from services.organisations import OrganisationKeyring

LATELY: Final = timedelta(minutes=2)


def release_moving(engine: Engine, keys: OrganisationKeyring, *, now: datetime) -> int:
    """Release what may be told by now of named asks that were answered lately; return how many.

    So who has answered can be shown what others said, though no officer looks at the results.
    """
    with system_scope(engine) as db:
        answered = (
            select(FlowSession.organisation_id, FlowSession.ask_id)
            .where(FlowSession.completed_at > now - LATELY, FlowSession.ask_id.is_not(None))
            .distinct()
            .subquery()
        )
        moving = db.execute(
            select(Ask.organisation_id, Ask.id)
            .join(
                answered,
                (answered.c.organisation_id == Ask.organisation_id) & (answered.c.ask_id == Ask.id),
            )
            .where(Ask.status == AskStatus.OPEN, Ask.mode == AskMode.NAMED)
            .limit(MOST_AT_ONCE)
        ).all()
    for organisation_id, ask_id in moving:
        with transaction(engine, organisation_id) as db:
            results_of(db, keys.open(organisation_id), asks.get(db, ask_id), now=now)
    return len(moving)
