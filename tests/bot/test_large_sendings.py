"""The first of very many people are written to before the last stand on the list.

The full size of it is `python -m benchmarks.opening`.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import event, select

from models import Broadcast, BroadcastKind, Channel, ChannelKind
from models.db import read_in_ranges, transaction
from services.asks import asks
from services.asks.asks import NewAsk
from services.audiences.chunks import find_chunk
from services.audiences.eligibility import eligible
from services.broadcasts import broadcasts
from services.broadcasts.broadcasts import NewBroadcast
from services.broadcasts.casting import Caster
from services.broadcasts.expanding import FIRST, sending_of
from tests.bot.conftest import Desk
from tests.bot.test_broadcasts import FLOW
from tests.factories import Factory

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
MORE = 30


def opened(desk: Desk) -> None:
    """A poll that begins to be sent to some more than the first chunk holds."""
    desk.clock.advance(NOON - desk.clock.now())
    now = desk.clock.now()
    with transaction(desk.engine, desk.organisation_id) as db:
        make = Factory(db, desk.homeline.keyring, now)
        sms = db.scalars(select(Channel).where(Channel.kind == ChannelKind.SMS)).one()
        for number in range(FIRST + MORE):
            address = f"sms:+1555{number:07d}"
            make.contact(consented=("registration", "polls"), address=address, channel=sms)
        made = asks.create(db, NewAsk(definition=FLOW), now=now)
        ask = asks.open_ask(db, made.id, allow_missing_languages=True, now=now)
        new = NewBroadcast(undo=timedelta())
        broadcasts.begin(db, ask, BroadcastKind.INVITATION, new, now=now)


def test_the_first_are_queued_before_the_others_stand(desk: Desk) -> None:
    opened(desk)
    caster = Caster(desk.engine)
    counts = "select count(*), count(message_id), count(distinct contact_id) from recipients"
    caster.turn(desk.clock.now())
    assert desk.ask(counts) == [(FIRST, FIRST, FIRST)]
    while caster.turn(desk.clock.now()):
        pass
    everybody = FIRST + MORE
    assert desk.ask(counts) == [(everybody, everybody, everybody)]
    assert desk.scalar("select count(distinct contact_id) from messages where lane = 2") == (
        everybody
    )


def test_a_chunk_is_read_as_ranges_before_anybody_has_counted_a_table(desk: Desk) -> None:
    opened(desk)
    with transaction(desk.engine, desk.organisation_id) as db:
        read_in_ranges(db)
        sending = sending_of(db, db.scalars(select(Broadcast)).one())
        chunk = find_chunk(db, UUID(int=0), FIRST)
        assert chunk
        wanted = eligible(db, sending, now=desk.clock.now(), chunk=chunk)
        connection = db.connection()

        def explain(*given: Any) -> tuple[str, Any]:
            return f"explain {given[2]}", given[3]

        event.listen(connection, "before_cursor_execute", explain, retval=True)
        rows = connection.execute(wanted).cursor.fetchall()
        event.remove(connection, "before_cursor_execute", explain)
    plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan" not in plan, plan
    assert "Nested Loop" not in plan, plan
    for table in (
        "profiles",
        "contacts",
        "addresses",
        "conversations",
        "recipients",
        "flow_sessions",
    ):
        reads = re.findall(rf"Index Scan using .* on {table}.*\n *(.*)", plan)
        assert reads
        assert all(re.search(r"Index Cond: .*id > .*id <= ", read) for read in reads), (table, plan)
