"""A sending goes on while its workers are killed: nobody is lost, nobody is written to twice.

The full size of it is `python -m benchmarks.outbox --kill 3 --stop` and `benchmarks.opening`.
"""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from models import Channel, ChannelKind, Organisation
from models.broadcast import BroadcastKind
from models.db import transaction
from models.walls import system_scope
from services.asks import asks
from services.asks.asks import NewAsk
from services.broadcasts import broadcasts
from services.broadcasts.broadcasts import NewBroadcast
from tests.chaos.house import NUMBER, Asked, House
from tests.factories import Factory
from tests.fakes.twilio import FakeTwilio

PEOPLE, RATE = 240, 80.0
LONGEST = 90.0
FLOW: dict[str, Any] = {
    "flow": "passport-hours",
    "kind": "poll",
    "purpose": {"why": "plan opening hours", "owner": "consul", "decision": "hours from May"},
    "about": {"en": "opening hours"},
    "languages": ["en"],
    "questions": [
        {
            "id": "when_open",
            "type": "choice",
            "text": {"en": "When should we be open?"},
            "options": [
                {"value": "mornings", "label": {"en": "Mornings"}},
                {"value": "saturday", "label": {"en": "Saturday"}},
            ],
        },
    ],
}


def test_killed_workers_lose_and_double_nobody_of_a_sending(tmp_path: Path) -> None:
    with FakeTwilio() as twilio:
        twilio.sender(NUMBER)
        asked = Asked(webs=0, workers=2, twilio_api=twilio.url, rate=RATE)
        with House(tmp_path / "house", asked) as house:
            numbers = settle(house)
            begin(house)
            for part, reached in ((0, PEOPLE // 4), (1, PEOPLE // 2)):
                wait(lambda reached=reached: len(twilio.texts) >= reached)
                house.kill(house.workers[part])
            wait(lambda: house.ask("select 1 from broadcasts where status = 'finished'") != [])
            got = Counter(text.to for text in twilio.texts.values())
            assert [number for number, times in got.items() if times > 1] == []
            told = dict(
                house.ask(
                    "select c.origin->>'number', m.status from messages m join contacts c"
                    " on c.organisation_id = m.organisation_id and c.id = m.contact_id"
                    " where m.lane = 2"
                )
            )
            assert told.keys() == numbers, "each of them has one message"
            nothing = {told[number] for number in numbers - got.keys()}
            assert nothing <= {"unknown"}
            assert set(told.values()) <= {"sent", "unknown"}
            # In doubt is at most what was between first byte and answer as a worker died.
            assert Counter(told.values())["unknown"] <= PEOPLE // 4
            assert house.events("broadcasts.failed") == []


def settle(house: House) -> set[str]:
    """People who agreed to polls and live where it is noon."""
    now = datetime.now(UTC)
    zone = f"Etc/GMT{now.hour - 13:+d}" if now.hour != 13 else "UTC"
    numbers = {f"+1555{number:07d}" for number in range(PEOPLE)}
    with transaction(house.homeline.engine, organisation(house)) as db:
        make = Factory(db, house.homeline.keyring, now)
        sms = db.scalars(select(Channel).where(Channel.kind == ChannelKind.SMS)).one()
        for number in sorted(numbers):
            contact = make.contact(
                consented=("registration", "polls"),
                address=f"sms:{number}",
                channel=sms,
                time_zone=zone,
            )
            contact.origin = {"number": number}
    return numbers


def begin(house: House) -> UUID:
    """A poll, opened and sent to everybody at once."""
    now = house.homeline.clock.now()
    with transaction(house.homeline.engine, organisation(house)) as db:
        made = asks.create(db, NewAsk(definition=FLOW), now=now)
        asks.open_ask(db, made.id, allow_missing_languages=True, now=now)
        new = NewBroadcast(undo=timedelta())
        ask = asks.get(db, made.id)
        return broadcasts.begin(db, ask, BroadcastKind.INVITATION, new, now=now).id


def organisation(house: House) -> UUID:
    with system_scope(house.homeline.engine) as db:
        return db.scalars(select(Organisation.id)).one()


def wait(seen: Any) -> None:
    """Until it is seen; AssertionError after a long while."""
    until = time.monotonic() + LONGEST
    while not seen():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)
