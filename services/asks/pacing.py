"""How often an open ask is counted anew: the more have answered, the more rarely."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.ask import Ask

PEOPLE_A_SECOND: Final = 8_000
"""So many answers are worth a second's wait: counting them takes a tenth of a core at most."""


def may_count(db: Session, ask: Ask, people: int, *, now: datetime) -> bool:
    """Return whether it is time to count an ask that so many people have answered.

    If so it is noted, and nobody else counts until the transaction ends. An ask of few people is
    counted at every look.
    """
    pace = timedelta(seconds=people // PEOPLE_A_SECOND)
    if not pace:
        return True
    wanted = (
        select(Ask.id)
        .where(
            Ask.organisation_id == ask.organisation_id,
            Ask.id == ask.id,
            or_(Ask.counted_at.is_(None), Ask.counted_at <= now - pace),
        )
        .with_for_update(key_share=True, skip_locked=True)
    )
    if db.scalar(wanted) is None:
        return False
    ask.counted_at = now
    db.flush()
    return True
