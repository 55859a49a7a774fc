"""What is kept of somebody who was invited to pass polls on."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from sqlalchemy import Engine, select

from models import Leader
from models.walls import system_scope
from services import audit, retention
from services.relays import leaders
from services.relays.leaders import INVITED_FOR
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]


def test_the_number_of_who_never_wrote_is_forgotten_with_the_invitation(
    making: Making, engine: Engine
) -> None:
    with making() as make:
        number = "+27821234567"
        leaders.invite(make.db, make.keys, number, actor=audit.SYSTEM, now=make.now)
        ends = make.now + INVITED_FOR
    for now, known in ((ends - timedelta(seconds=1), True), (ends, False)):
        with system_scope(engine) as db:
            retention.run(db, now=now)
        with making() as make:
            leader = make.db.scalars(select(Leader)).one()
            assert (leader.number_hash is not None) is known
