"""Rules fire for exactly the right people: held to their condition in memory, crashes and rivals.

`rehearse` is held to what then happens on the demo's three hundred made-up people.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from flows.conditions import Names, evaluate, parse
from flows.loader import library, load
from flows.state import Value
from models import (
    Ask,
    AskStatus,
    ChannelKind,
    Contact,
    ContactStatus,
    Firing,
    FlowSession,
    Profile,
    Rule,
    walls,
)
from models import SessionStatus as Status
from models.db import transaction
from services import audit, flows
from services.catalogue import read_inside
from services.conversation import dues
from services.demo.seeded_people import insert_people
from services.rights import rights
from services.rules import firings, rules
from services.rules.rehearsing import Rehearsed, rehearse
from services.rules.rules import NewRule
from tests.answered import NEEDS, OPTIONS, answer, version
from tests.asks import ask
from tests.factories import Factory
from tests.services.phones import House

DAY = timedelta(days=1)
PEOPLE = 80
VALUES: Mapping[str, tuple[str, ...]] = {
    "when_open": OPTIONS,
    "country": ("ZA", "IE", "DE"),
    "gender": ("woman", "man"),
    "opening-hours.when_open": OPTIONS,
}


def by_chance(chance: Random, depth: int = 0) -> dict[str, Any]:
    """A condition over what people answered and who they are."""
    kind = chance.choice(["value", "several", "not", "known", "has", *["all", "any", "no"] * 2])
    if depth < 2 and kind in ("all", "any"):
        return {kind: [by_chance(chance, depth + 1) for _ in range(chance.randint(1, 3))]}
    if depth < 2 and kind == "no":
        return {"not": by_chance(chance, depth + 1)}
    if kind == "has":
        return {"needs": {"has": chance.choice(["papers", "work"])}}
    name = chance.choice(list(VALUES))
    value = chance.choice(VALUES[name])
    shapes: dict[str, Any] = {
        "several": [value, chance.choice(VALUES[name])],
        "not": {"not": value},
        "known": {"known": chance.random() < 0.5},
    }
    return {name: shapes.get(kind, value)}


def somebody(chance: Random) -> tuple[dict[str, Value | None], dict[str, str]]:
    """What a made-up person answers (None: skipped), and what is known of them."""
    given: dict[str, Value | None] = {}
    if chance.random() < 0.9:
        given["when_open"] = chance.choice((*OPTIONS, None))
    if chance.random() < 0.7:
        given["needs"] = [one for one in ("papers", "work") if chance.random() < 0.5]
    known = {
        name: chance.choice(VALUES[name]) for name in ("country", "gender") if chance.random() < 0.8
    }
    return given, known


@pytest.mark.parametrize("seed", range(4))
def test_who_is_followed_up_is_whoever_the_condition_holds_for(make: Factory, seed: int) -> None:
    chance = Random(seed)
    asked = ask(make, version=version(make, NEEDS))
    conditions = [by_chance(chance) for _ in range(25)]
    made = [rule_on(make, asked, {"when": one, "case": "true"}) for one in conditions]
    right: dict[UUID, set[UUID]] = {rule.id: set() for rule in made}
    names = Names(frozenset({"when_open", "needs"}))
    for _ in range(PEOPLE):
        given, known = somebody(chance)
        status = chance.choice([Status.COMPLETE, Status.COMPLETE, Status.PARTIAL])
        [contact_id] = answer(make, asked, [given], status=status, **known)
        seen = {**known, "opening-hours.when_open": given.get("when_open"), **given}
        profile = make.db.get_one(Profile, (make.organisation_id, contact_id))
        if given.get("when_open"):
            profile.rest = {"opening-hours.when_open": given["when_open"]}
        for rule, condition in zip(made, conditions, strict=True):
            holds = evaluate(parse(condition, names), seen.get, make.now)
            if holds and status is Status.COMPLETE:
                right[rule.id].add(contact_id)
    assert sum(0 < len(some) < PEOPLE / 2 for some in right.values()) > 5, "they say something"
    for rule, condition in zip(made, conditions, strict=True):
        for _ in range(2):
            firings.fire(make.db, rule.id, lambda: make.keys, now=make.now)
            fired = list(make.db.scalars(select(Firing.contact_id).filter_by(rule_id=rule.id)))
            assert len(fired) == len(set(fired)), "nobody twice"
            assert set(fired) == right[rule.id], condition


def rule_on(make: Factory, asked: Ask, definition: Mapping[str, Any]) -> Rule:
    new = NewRule("made up", definition, ask_id=asked.id)
    now = make.now - timedelta(minutes=1)
    return rules.create(make.db, new, read_inside(make.db), actor=audit.SYSTEM, now=now)


def seeded(house: House, making: Any) -> list[UUID]:
    """The demo's people; two in three answer the poll on passport hours, all in one hour."""
    chance = Random(7)
    with making() as make:
        for name in ("passport-hours", "saturday-opening", "remote-appointments"):
            flows.publish(make.db, load(library()[name]), now=make.now)
        registration = flows.find_newest(make.db, "registration-express")
        polled = flows.find_newest(make.db, "passport-hours")
        assert registration is not None
        assert polled is not None
        kinds = {kind.value: make.channel(kind).id for kind in ChannelKind if kind != "simulator"}
        insert_people(make.db, make.keyring, kinds, registration.id, 1, count=300, now=make.now)
        people = sorted(make.db.scalars(select(Contact.id)))
        asked = ask(make, version=polled, closes_at=make.now + DAY)
        options = ["mornings", "evenings", "saturday", "saturday", "cannot_come"]
        answer(
            make,
            asked,
            [{"when_open": chance.choice(options), "contact": one} for one in people[:200]],
        )
        house.clock.advance(make.now - house.clock.now())
    return people


def rehearsed(house: House, rule_id: UUID, since: datetime, until: datetime) -> list[Rehearsed]:
    with transaction(house.line.engine, house.organisation.id) as db:
        rule = rules.get(db, rule_id)
        return rehearse(db, rule, read_inside(db), since=since, until=until)


def fired(house: House, rule_id: UUID) -> list[tuple[datetime, UUID | None, str, str | None]]:
    with transaction(house.line.engine, house.organisation.id) as db:
        rows = db.scalars(
            select(Firing).filter_by(rule_id=rule_id).order_by(Firing.fired_at, Firing.cause)
        )
        return [(one.fired_at, one.contact_id, one.status.value, one.reason) for one in rows]


def of_flow(house: House) -> UUID:
    """The rule that came with the flow file: Saturday, three days, three questions."""
    with transaction(house.line.engine, house.organisation.id) as db:
        found = {rule.definition["start"]: rule for rule in rules.list_rules(db)}
        return found["saturday-opening"].id


def act(house: House, engine: Engine | None = None) -> None:
    """One turn of a worker: rules fire, and what is due is done."""
    now, engine = house.clock.now(), engine or house.line.engine
    firings.fire_all(engine, house.line.keys.open, now=now)
    dues.run(engine, house.line.directory.read_catalogue, now=now)


def test_a_rehearsal_on_the_demos_people_tells_what_then_happens(house: House, making: Any) -> None:
    seeded(house, making)
    rule_id, since = of_flow(house), house.clock.now()
    told = rehearsed(house, rule_id, since, since + 4 * DAY)
    for _ in range(16):
        house.clock.advance(timedelta(hours=6))
        act(house)
    happened = fired(house, rule_id)
    assert [(one.at, one.contact_id, one.status.value, one.reason) for one in told] == happened
    assert {one[2:] for one in happened} == {("done", None), ("skipped", "no_consent")}
    assert len(happened) > 50


def begun(house: House, rule_id: UUID) -> list[UUID]:
    with transaction(house.line.engine, house.organisation.id) as db:
        begun = select(FlowSession.contact_id).where(
            FlowSession.origin["rule"].astext == str(rule_id)
        )
        return sorted(db.scalars(begun))


def test_rivals_and_restarts_ask_nobody_twice(house: House, making: Any) -> None:
    seeded(house, making)
    rule_id = of_flow(house)
    house.clock.advance(3 * DAY)
    keys = house.line.keys.open(house.organisation.id)
    with Session(house.line.engine) as db:  # a worker that dies before it commits
        walls.enter(db, house.organisation.id)
        assert firings.fire(db, rule_id, lambda: keys, now=house.clock.now())
    assert fired(house, rule_id) == []
    with ThreadPoolExecutor(4) as workers:
        for _ in workers.map(lambda _: act(house), range(8)):
            pass
    once = fired(house, rule_id)
    assert len({one[1] for one in once}) == len(once) > 20
    with transaction(house.line.engine, house.organisation.id) as db:
        db.get_one(Rule, (house.organisation.id, rule_id)).looked_until -= 3 * DAY
    for _ in range(6):
        house.clock.advance(timedelta(hours=6))
        act(house)
    assert [one[:2] for one in fired(house, rule_id)] == [one[:2] for one in once]
    people = begun(house, rule_id)
    assert len(people) == len(set(people)) > 10
    assert set(people) <= {one[1] for one in once}


def test_who_stopped_was_erased_or_took_it_back_hears_nothing(house: House, making: Any) -> None:
    seeded(house, making)
    rule_id, since = of_flow(house), house.clock.now()
    told = rehearsed(house, rule_id, since, since + 4 * DAY)
    right = [one.contact_id for one in told if one.status.value == "done"]
    stopped, erased, withdrawn, *others = [one for one in right if one is not None]
    house.clock.advance(2 * DAY)
    act(house)
    now = house.clock.now()
    with transaction(house.line.engine, house.organisation.id) as db:
        quiet = db.get_one(Contact, (house.organisation.id, stopped))
        quiet.status, quiet.stopped_at = ContactStatus.STOPPED, now
        rights.erase(db, erased, now=now)
        profile = db.get_one(Profile, (house.organisation.id, withdrawn))
        profile.consents = [one for one in profile.consents if one != "polls"]
    for _ in range(8):
        house.clock.advance(timedelta(hours=6))
        act(house)
    assert set(begun(house, rule_id)) == set(others)
    assert not {stopped, erased, withdrawn} & set(begun(house, rule_id))
    reasons = {one[1]: one[3] for one in fired(house, rule_id)}
    assert (reasons[stopped], reasons[withdrawn]) == ("stopped", "no_consent")
    assert erased not in reasons


def test_a_closed_poll_keeps_its_promises(house: House, making: Any) -> None:
    seeded(house, making)
    rule_id, since = of_flow(house), house.clock.now()
    told = rehearsed(house, rule_id, since, since + 4 * DAY)
    with transaction(house.line.engine, house.organisation.id) as db:
        db.scalars(select(Ask)).one().status = AskStatus.CLOSED
    for _ in range(16):
        house.clock.advance(timedelta(hours=6))
        act(house)
    assert len(fired(house, rule_id)) == len(told) > 50
