"""The demo's leaders: two communities, and codes by which a poll is passed on."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.ask import Ask
from models.profile import Profile
from models.relay import Relay
from models.sealed import OrganisationKeys
from services import audit
from services.relays import leaders, relays
from services.relays.relays import NewRelay

COMMUNITIES = ("Examplia Students (made up)", "Sunday Market Friends (made up)")
HOUR = timedelta(hours=1)


def lead(
    db: Session, keys: OrganisationKeys, ask: Ask, at: datetime, dice: random.Random
) -> Sequence[tuple[Relay, float]]:
    """Return the codes of an ask, each with the share of people who come by it.

    Two members lead a community, one has a helper; the organisation has a poster of its own.
    """
    made = [relays.create(db, NewRelay(ask.id), now=at)]
    people = db.scalars(
        select(Profile.contact_id)
        .where(Profile.consents.contains(["polls"]), Profile.joined_at < at)
        .order_by(Profile.contact_id)
    ).all()
    for name, contact_id in zip(COMMUNITIES, dice.sample(people, 2), strict=True):
        community = leaders.create_community(db, name, actor=audit.SYSTEM, now=at)
        invited = leaders.invite(
            db, keys, community_id=community.id, actor=audit.SYSTEM, now=at - HOUR
        )
        leader = leaders.accept(db, keys, invited.code, contact_id, now=at)
        assert leader is not None
        made.append(relays.of_leader(db, leader, ask.id, now=at + HOUR))
        if len(made) == 2:
            made.append(relays.for_helper(db, leader, ask.id, now=at + 2 * HOUR))
    return list(zip(made, (0.06, 0.2, 0.08, 0.12), strict=True))
