"""Queries against the attacker: twins that differ by a few people answer every question alike.

So no sequence of previews, dry runs, rehearsals and lists narrows what those few can be, whatever
else is known: what it tells depends on nobody. Releases of asks do depend on people; these are
tests/insights/test_disclosure_attack.py's.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from api.scopes import AUDIENCES_COUNT, MEANINGS
from flows.loader import library, load
from insights.disclosure import Figure
from services import flows
from services.audiences import audiences
from services.people import cases
from services.webhooks.webhooks import EVENTS
from tests.answered import version
from tests.api.stage import Api, Caller
from tests.api.test_flows import POLL
from tests.api.twins import QUESTIONED, condition, heard, settle, twins
from tests.conftest import another_organisation
from tests.factories import Factory

ROWS = {"people:read", "people:addresses", "people:erase", "people:export", AUDIENCES_COUNT}
AT_ONCE, QUERIES = 10, 10
Making = Callable[..., AbstractContextManager[Factory]]
Query = Callable[[Caller, UUID], str]


class Pair:
    """The same key and the same things saved in two organisations."""

    def __init__(self, api: Api, making: Making, keyring: Any) -> None:
        self.api, self.making = api, making
        other = another_organisation(api.engine, keyring, api.clock.now(), "Another")
        self.owners = (api.organisation, other)
        scopes = sorted(MEANINGS.keys() - ROWS)
        lasts = timedelta(days=300)
        analysts = (api.caller(*scopes, organisation=one, lasts=lasts) for one in self.owners)
        self.analysts = list(analysts)
        self.bosses = [api.caller(organisation=one, lasts=lasts) for one in self.owners]
        for one in self.owners:
            with making(one.id) as make:
                version(make, *QUESTIONED[1:])
                flows.publish(make.db, load(library()["registration"]), now=make.now)
        webhook = {"url": "https://example.org/hook", "events": list(EVENTS)}
        self.webhooks = [done(boss, "/webhooks", webhook) for boss in self.bosses]

    def settle(self, chance: random.Random) -> None:
        found = twins(chance, self.api.clock.now())
        for owner, people in zip(self.owners, (found.one, found.other), strict=True):
            with self.making(owner.id) as make:
                settle(make, people)

    def differs(self, query: Query) -> bool:
        """Ask both the same; say whether the answers tell them apart."""
        pairs = zip(self.analysts, self.webhooks, strict=True)
        one, other = (heard(query(analyst, webhook)) for analyst, webhook in pairs)
        return one != other

    def poll(self, mapping: dict[str, Any]) -> Query:
        """A draft for an audience that somebody who may count has saved, and its dry run."""
        name = f"made up {self.api.clock.now()}"
        for boss in self.bosses:
            done(boss, "/audiences", {"name": name, "condition": mapping})
        return partial(dry_run, mapping=mapping)


def done(caller: Caller, path: str, body: dict[str, Any]) -> UUID:
    answer = caller.post(path, body)
    assert answer.status_code == 201 or answer.status_code == 200, answer.text
    return UUID(answer.get_json()["id"])


def preview(caller: Caller, _: UUID, mapping: dict[str, Any]) -> str:
    answer = caller.post("/audiences/preview", {"condition": mapping})
    assert answer.status_code == 200, answer.text
    return answer.text


def saved(caller: Caller, _: UUID, name: str, mappings: list[dict[str, Any]]) -> str:
    made = done(caller, "/audiences", {"name": name, "condition": mappings[0]})
    changed = caller.patch(f"/audiences/{made}", {"condition": mappings[1]})
    assert changed.status_code == 200, changed.text
    return changed.text + caller.get(f"/audiences/{made}?version=1").text


def dry_run(caller: Caller, _: UUID, mapping: dict[str, Any]) -> str:
    poll = done(caller, "/polls", {"flow": POLL, "audience": mapping})
    answer = caller.post(f"/polls/{poll}/dry-run", {})
    assert answer.status_code == 200, answer.text
    return answer.text


def rehearsal(caller: Caller, _: UUID, mapping: dict[str, Any]) -> str:
    follows = {"when": mapping, "case": "true"}
    rule = {"name": "made up", "flow": "opening-hours", "definition": follows, "paused": True}
    return caller.post(f"/rules/{done(caller, '/rules', rule)}/rehearse", {}).text


def lists(caller: Caller, webhook: UUID) -> str:
    events = [
        caller.post("/webhooks", {"url": "https://example.org/x", "events": [one]}).status_code
        for one in EVENTS
    ]
    paths = ("/cases", f"/webhooks/{webhook}/deliveries", "/audiences", "/broadcasts", "/contacts")
    return f"{events} " + " ".join(caller.get(path).text for path in paths)


def queries(pair: Pair, chance: random.Random) -> Iterator[Query]:
    """Questions by chance, with time passing in between."""
    for _ in range(QUERIES):
        pair.api.clock.advance(timedelta(seconds=chance.randint(1, 40_000)))
        mapping = condition(chance)
        name = f"asked {pair.api.clock.now()}"
        kinds: list[Query] = [
            partial(preview, mapping=mapping),
            partial(preview, mapping={"all": [mapping, condition(chance)]}),
            partial(saved, name=name, mappings=[mapping, condition(chance)]),
            partial(rehearsal, mapping=mapping),
            lists,
            pair.poll(mapping),
        ]
        yield chance.choice(kinds)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Twins by tens; `--populations 1000` asks more of them than the ordinary suite."""
    if "first" in metafunc.fixturenames:
        populations = metafunc.config.getoption("populations")
        metafunc.parametrize("first", range(0, populations, AT_ONCE))


def test_no_query_tells_twins_apart(api: Api, making: Making, keyring: Any, first: int) -> None:
    pair = Pair(api, making, keyring)
    for seed in range(first, first + AT_ONCE):
        chance = random.Random(seed)
        pair.settle(chance)
        for number, query in enumerate(queries(pair, chance)):
            assert not pair.differs(query), (seed, number, query)


def test_the_twins_find_the_fault_of_rounded_previews(
    api: Api, making: Making, keyring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_tens(db: Any, mapping: Any, *, now: Any, **_: Any) -> Figure:
        return Figure(audiences.count(db, mapping, now=now) // 10 * 10)

    monkeypatch.setattr(audiences, "size", in_tens)
    assert found_by(Pair(api, making, keyring), preview)


def test_the_twins_find_who_counts_the_cases_of_an_answer(
    api: Api, making: Making, keyring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = cases.list_cases

    def all_of_them(db: Any, **how: Any) -> Any:
        return told(db, **how | {"follow_ups": True})

    monkeypatch.setattr(cases, "list_cases", all_of_them)
    pair = Pair(api, making, keyring)
    assert found_by(pair, lambda caller, webhook, mapping: lists(caller, webhook))


def found_by(pair: Pair, query: Callable[..., str]) -> bool:
    for seed in range(30):
        chance = random.Random(seed)
        pair.settle(chance)
        for _ in range(QUERIES):
            pair.api.clock.advance(timedelta(seconds=chance.randint(1, 40_000)))
            if pair.differs(partial(query, mapping=condition(chance))):
                return True
    return False
