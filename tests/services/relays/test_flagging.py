"""Marks on what came by relays: made once, counted beside the results, and told to nobody."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, func, select, update

from models import Ask, AskMode, AskStatus, FlowSession, Leader, LeaderStatus, Message
from models.base import new_id
from models.relay import Flag, FlagKind, Relay
from models.sealed import Keyring
from services import audit
from services.asks import publications
from services.relays import flagging, leaders, relays
from services.relays.relays import NewRelay
from tests.answered import answer, split, version
from tests.asks import ask
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]
SLOWLY = timedelta(seconds=20)


def through(make: Factory, relay: Relay, many: int, apart: timedelta = SLOWLY) -> None:
    """Let people answer by a relay, one after the other; `make.now` moves on."""
    asked = make.db.get_one(Ask, (relay.organisation_id, relay.ask_id))
    ids = answer(make, asked, split(mornings=many - many // 2, saturday=many // 2))
    for contact_id in ids:
        make.now += apart
        make.db.execute(
            update(FlowSession)
            .where(FlowSession.contact_id == contact_id)
            .values(
                origin=FlowSession.origin.op("||")(func.jsonb_build_object("relay", str(relay.id))),
                completed_at=make.now,
            )
        )


def marks(make: Factory) -> dict[FlagKind, int]:
    rows = make.db.execute(select(Flag.kind, func.count()).group_by(Flag.kind)).all()
    return {row[0]: row[1] for row in rows}


def test_a_burst_is_marked_once_by_the_sweep(
    making: Making, engine: Engine, keyring: Keyring
) -> None:
    with making() as make:
        asked = ask(make, version=version(make))
        relay = relays.create(make.db, NewRelay(asked.id), now=make.now)
        through(make, relay, 8)
        make.now += timedelta(minutes=5)
        through(make, relay, 40, timedelta(milliseconds=50))
        now = make.now
    assert flagging.flag_recent(engine, keyring, now=now) == 40
    assert flagging.flag_recent(engine, keyring, now=now) == 0
    with making() as make:
        assert marks(make) == {FlagKind.VELOCITY: 40}
        assert make.db.scalar(select(func.count()).select_from(Message)) == 0


def test_what_comes_by_two_relays_at_once_is_no_burst_of_either(make: Factory) -> None:
    asked = ask(make, version=version(make))
    began = make.now
    for _ in range(2):
        make.now = began
        relay = relays.create(make.db, NewRelay(asked.id), now=make.now)
        through(make, relay, 20, timedelta(0))
    assert flagging.flag_ask(make.db, asked.id, now=make.now).marks == 0


def lead(make: Factory, **changed: Any) -> Leader:
    contact = make.contact(consented=True, address="telegram:1001")
    made = Leader(
        organisation_id=make.organisation_id,
        id=new_id(make.now),
        contact_id=contact.id,
        code_hash=b"made up",
        status=LeaderStatus.ACTIVE,
        invited_at=make.now,
        **changed,
    )
    make.db.add(made)
    make.db.flush()
    return made


def test_beyond_a_quota_answers_are_marked_and_the_leader_is_thanked_once(
    making: Making, engine: Engine, keyring: Keyring
) -> None:
    with making() as make:
        asked, leader = ask(make, version=version(make)), lead(make)
        relay = relays.create(make.db, NewRelay(asked.id, leader.id, quota=15), now=make.now)
        helper = relays.create(make.db, NewRelay(asked.id, leader.id, relay.id), now=make.now)
        through(make, relay, 10)
        through(make, helper, 5)
        now = make.now
    assert flagging.flag_recent(engine, keyring, now=now) == 0
    with making() as make:
        make.now = now + timedelta(hours=14)
        helper, relay = (make.db.merge(one) for one in (helper, relay))
        through(make, helper, 3)
        through(make, relay, 2)
        now = make.now
    for _ in range(2):
        flagging.flag_recent(engine, keyring, now=now)
    with making() as make:
        assert marks(make) == {FlagKind.OVER_QUOTA: 5}
        told = relays.count_flags(make.db, [relay.id, helper.id])
        assert [told[one.id][FlagKind.OVER_QUOTA] for one in (helper, relay)] == [3, 2]
        [message] = make.db.scalars(select(Message)).all()
        assert message.content is not None
        assert [part["say"] for part in message.content["parts"]] == ["relay_full"]
        assert message.contact_id == leader.contact_id
        assert message.due_at is not None
        assert message.due_at > now
        assert message.due_at.hour == 8, "nobody is woken for it"


def test_who_only_skipped_counts_for_no_goal(make: Factory) -> None:
    asked, leader = ask(make, version=version(make)), lead(make)
    relay = relays.create(make.db, NewRelay(asked.id, leader.id, quota=15), now=make.now)
    answer(make, asked, [{"when_open": None, "relay": relay.id}] * 20)
    assert flagging.flag_ask(make.db, asked.id, now=make.now).full == ()
    answer(make, asked, [{"when_open": "saturday", "relay": relay.id}] * 16)
    assert flagging.flag_ask(make.db, asked.id, now=make.now).full == (relay,)


def test_a_revoked_leader_is_told_nothing(making: Making, engine: Engine, keyring: Keyring) -> None:
    with making() as make:
        asked, leader = ask(make, version=version(make)), lead(make)
        relay = relays.create(make.db, NewRelay(asked.id, leader.id, quota=10), now=make.now)
        through(make, relay, 12)
        leaders.revoke(make.db, leader.id, actor=audit.SYSTEM, now=make.now)
        now = make.now
    assert flagging.flag_recent(engine, keyring, now=now) == 2
    with making() as make:
        assert make.db.scalar(select(func.count()).select_from(Message)) == 0


def results(make: Factory, asked: Ask) -> dict[str, Any]:
    return publications.results_of(make.db, make.keys, asked, now=make.now)


def close(make: Factory, asked: Ask) -> dict[str, Any]:
    asked.status, asked.closed_at = AskStatus.CLOSED, make.now
    make.db.flush()
    return results(make, asked)


def test_the_end_tells_how_many_are_marked_beside_everybody(make: Factory) -> None:
    asked = ask(make, version=version(make))
    relay = relays.create(make.db, NewRelay(asked.id), now=make.now)
    through(make, relay, 30, timedelta(milliseconds=1))
    answer(make, asked, split(mornings=20, saturday=20, evenings=20))
    live = results(make, asked)
    assert {"figure": "flagged", "reason": "told_at_close"} in live["suppressed"]
    told = close(make, asked)
    assert (told["completed"], told["flagged"]) == (90, 30)


def test_few_marked_or_few_others_are_not_told(make: Factory) -> None:
    few = {"figure": "flagged", "reason": "fewer_than_10_here_or_beside"}
    asked = ask(make, version=version(make))
    relay = relays.create(make.db, NewRelay(asked.id), now=make.now)
    through(make, relay, 30, timedelta(milliseconds=1))
    answer(make, asked, split(mornings=9))
    told = close(make, asked)
    assert (told["completed"], told["flagged"]) == (40, None)
    assert few in told["suppressed"]


def test_a_quota_marks_votes_of_a_secret_poll_without_their_words(make: Factory) -> None:
    asked = ask(make, version=version(make), mode=AskMode.SECRET)
    relay = relays.create(make.db, NewRelay(asked.id, quota=10), now=make.now)
    through(make, relay, 12)
    assert flagging.flag_ask(make.db, asked.id, now=make.now).marks == 2
