"""The demo's polls: one in each state, coherent with each other, and made once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from commands.flows import shipped
from composition import Homeline
from flows import loader
from models import Ask, Broadcast
from models.ask import AskMode
from models.db import transaction
from services.asks import publications
from services.asks.closing import is_overdue
from services.asks.poll_texts import list_texts
from services.broadcasts.progress import progress
from services.demo import seeding
from services.relays import relays
from services.relays.reach import own_reach
from services.rules import rules
from services.rules.firings import list_firings
from tests.conftest import MovedByHand, Urls
from tests.web import settings_for


@pytest.fixture
def line(urls: Urls, clock: MovedByHand, tmp_path: Path) -> Iterator[Homeline]:
    folder = tmp_path / "ballots"
    folder.mkdir(mode=0o700)
    line = Homeline(settings_for(urls, tmp_path, ballot_keys=folder))
    line.clock = clock
    yield line
    line.close()


def seeded(line: Homeline) -> seeding.Seeded:
    library = [loader.load(file) for file in shipped()]
    now = line.clock.now()
    return seeding.seed(line.engine, line.keyring, library, ballot_keys=line.ballots, now=now)


def test_the_demo_has_a_poll_in_each_state_and_is_made_once(engine: object, line: Homeline) -> None:
    first, again = seeded(line), seeded(line)
    assert (first.people, first.polls) == (seeding.PEOPLE, 8)
    assert (again.organisation_id, again.people, again.polls) == (first.organisation_id, 0, 0)
    keys, now = line.keys.open(first.organisation_id), line.clock.now()
    with transaction(line.engine, first.organisation_id) as db:
        polls = {row.flow: row for row in db.scalars(select(Ask))}
        states = Counter(poll.status.value for poll in polls.values())
        assert states == {"draft": 2, "open": 3, "closed": 3}
        assert polls["newsletter"].opens_at is not None
        assert is_overdue(polls["national-day"], now)
        assert polls["fees"].reported_at is not None
        assert polls["council"].mode is AskMode.SECRET
        assert sum((polls["council"].tally or {}).values()) > 50
        (held,) = db.scalars(select(Broadcast).where(Broadcast.ask_id == polls["warnings"].id))
        assert held.status == "paused"
        assert progress(db, held).waiting > 20
        for flow in ("fees", "national-day", "council", "passport-hours"):
            told = publications.results_of(db, keys, polls[flow], now=now)
            counts = [one["count"] for one in told["questions"][0]["options"]]
            assert None not in counts, flow
            assert told["sent"] >= told["completed"] > 0, flow
        fired = [list_firings(db, rule.id, most=200) for rule in rules.list_rules(db)]
        assert any(len(each) > 10 for each in fired)
        came = relays.list_relays(db, ask_id=polls["classes"].id)
        assert sum(own_reach(db, came).values()) > 60
        assert len(list_texts(db, line.keyring, polls["passport-hours"])) > 10
    assert line.ballots.kept() == []
    assert seeding.pages(line.engine, first.organisation_id).keys() == {"result", "live", "join"}
