"""Asks in time: opened and closed at their hour, and what came of them is told by itself."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select

from models import Ask, AskMode, AskStatus, AuditEvent, Broadcast, Organisation
from models.ballot_keys import BallotKeys
from models.db import transaction
from models.walls import DoorKind, find_door
from services.asks import asks, closing, pushing
from services.asks.asks import NewAsk
from services.asks.ballots import NoBallotKeys
from services.catalogue import read_inside
from tests.api.test_flows import POLL
from tests.conftest import MadeUp
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]
HALF = POLL | {"questions": [POLL["questions"][0] | {"text": {"en": "When?"}}]}
HOUR = timedelta(hours=1)


@pytest.fixture
def keys(tmp_path: Path) -> BallotKeys:
    return BallotKeys(tmp_path / "ballots")


def made(make: Factory, **changed: Any) -> Ask:
    return asks.create(make.db, NewAsk(**{"definition": POLL} | changed), now=make.now)


def state(engine: Engine, organisation: MadeUp, ask_id: UUID) -> Ask:
    with transaction(engine, organisation.id) as db:
        return db.scalars(select(Ask).where(Ask.id == ask_id)).one()


def test_a_code_leads_to_the_ask_and_into_the_catalogue(make: Factory) -> None:
    before = make.db.scalars(select(Organisation.catalogue_version)).one()
    ask = made(make)
    door = find_door(make.db, DoorKind.ASK, ask.code)
    assert door is not None
    assert door.target_id == ask.id
    entry = read_inside(make.db).entry(ask.code.upper())
    assert entry is not None
    assert entry.ask_id == ask.id
    make.db.expire_all()
    assert make.db.scalars(select(Organisation.catalogue_version)).one() > before
    assert not ask.code.isalpha()
    assert not ask.code.isdecimal()


def test_a_word_opens_what_takes_answers_whatever_was_drafted_since(make: Factory) -> None:
    words = {"en": ["Passport"]}
    first = made(make, definition=POLL | {"flow": "a-first", "entry": words})
    made(make, definition=POLL | {"flow": "b-later", "entry": words})
    asks.open_ask(make.db, first.id, now=make.now)
    catalogue = read_inside(make.db)
    opened = catalogue.opened_by("passport")
    assert opened is not None
    assert opened.flow.id == "a-first"
    second = made(make, definition=POLL | {"flow": "a-first", "entry": words})
    asks.cancel(make.db, second.id, now=make.now)
    closing.close(
        make.db,
        first.id,
        report_back={"en": "We do."},
        allow_missing_languages=True,
        now=make.now,
    )
    meant = read_inside(make.db).newest_ask("a-first")
    assert meant is not None
    assert meant.id == first.id, "what came of it is told, not that another one was withdrawn"


def test_a_draft_opens_at_its_hour_and_closes_at_its_end(
    making: Making, engine: Engine, organisation: MadeUp, keys: BallotKeys
) -> None:
    with making() as make:
        now = make.now
        for _ in range(10):
            make.contact(consented=True)
        ask = made(make, opens_at=now + HOUR, closes_at=now + 2 * HOUR, audience={"all": []})
    assert pushing.follow(engine, keys, now=now) == 0
    pushing.follow(engine, keys, now=now + HOUR)
    opened = state(engine, organisation, ask.id)
    assert (opened.status, opened.opened_at) == (AskStatus.OPEN, now + HOUR)
    with transaction(engine, organisation.id) as db:
        assert [one.kind for one in db.scalars(select(Broadcast))] == ["invitation"]
    assert pushing.follow(engine, keys, now=now + HOUR) == 0
    pushing.follow(engine, keys, now=now + 2 * HOUR)
    ended = state(engine, organisation, ask.id)
    assert (ended.status, ended.later_by) == (AskStatus.CLOSED, ask.report_back_on)
    assert not closing.is_overdue(ended, now + timedelta(days=20))
    assert closing.is_overdue(ended, now + timedelta(days=40))
    with transaction(engine, organisation.id) as db:
        assert [one.status for one in db.scalars(select(Broadcast))] == ["canceled"]


def test_what_cannot_open_stays_a_draft_and_says_so(
    making: Making, engine: Engine, organisation: MadeUp, keys: BallotKeys
) -> None:
    with making() as make:
        now = make.now
        ask = made(make, definition=HALF, opens_at=now + HOUR)
    assert pushing.follow(engine, keys, now=now + HOUR) == 1
    assert pushing.follow(engine, keys, now=now + HOUR) == 0
    left = state(engine, organisation, ask.id)
    assert (left.status, left.not_opened) == (AskStatus.DRAFT, "not_translated")
    with transaction(engine, organisation.id) as db:
        assert "ask.not_opened" in list(db.scalars(select(AuditEvent.action)))


def test_what_will_be_done_is_told_once_by_itself(
    making: Making, engine: Engine, organisation: MadeUp, keys: BallotKeys
) -> None:
    with making() as make:
        now = make.now
        ask = made(make)
        pushing.open_and_push(make.db, ask.id, ballot_keys=keys, now=now)
        words = {"en": "We open on Saturdays.", "fr": "Le samedi."}
        pushing.close(make.db, ask.id, report_back=words, now=now)
    assert pushing.follow(engine, keys, now=now) == 1
    assert pushing.follow(engine, keys, now=now) == 0
    with transaction(engine, organisation.id) as db:
        (sending,) = db.scalars(select(Broadcast)).all()
    assert sending.kind == "report_back"


def test_a_secret_ask_marks_its_question_and_needs_keys(make: Factory, keys: BallotKeys) -> None:
    ask = made(make, mode=AskMode.SECRET)
    assert asks.flow_of(make.db, ask).secret
    with pytest.raises(NoBallotKeys):
        asks.open_ask(make.db, ask.id, now=make.now)
    pushing.open_and_push(make.db, ask.id, ballot_keys=keys, now=make.now)
    assert ask.status is AskStatus.OPEN


def test_a_named_ask_of_a_secret_flow_is_not_secret(make: Factory) -> None:
    secret = made(make, mode=AskMode.SECRET)
    named = made(make, definition=None, flow=secret.flow)
    assert not asks.flow_of(make.db, named).secret
    assert asks.flow_of(make.db, secret).secret
