"""Seven people who did everything: no route tells a key without rows a number under ten.

Every route of the API that reads is asked, and the public result in all its shapes. A number that
counts no people gets a line in HARMLESS, which says so to whoever reviews it.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Engine, select
from werkzeug.routing import Rule

from api.scopes import AUDIENCES_COUNT, MEANINGS
from models import AskStatus, Flag, FlowSession, MessageStatus
from models.broadcast import Broadcast
from models.db import transaction
from models.relay import FlagKind
from models.walls import DoorKind, open_door
from services import api_keys, audit
from services.asks import asks
from services.audiences import audiences
from services.catalogue import read_inside
from services.relays import relays
from services.relays.relays import NewRelay
from services.rules import rules
from services.rules.rules import NewRule
from tests.answered import NEEDS, answer, send, split, version
from tests.architecture.test_routes import ROUTES
from tests.asks import ask
from tests.conftest import MadeUp, MovedByHand, Urls
from tests.factories import Factory
from tests.web import served

ROWS = {"people:read", "people:addresses", "people:erase", "people:export", AUDIENCES_COUNT}
HARMLESS = {
    "version": "of a flow or audience",
    "versions": "of a flow",
    "newest_version": "of an audience",
    "number": "of a publication",
    "status": "of HTTP",
    "en": "parts of an SMS to one person, in this language; so are the next two",
    "fr": "",
    "ar": "",
}
READING = ("/audiences/preview", "/dry-run", "/rehearse")
"""Operations that read by POST."""
SATURDAY: Mapping[str, Any] = {"opening-hours.when_open": "saturday"}


def everything_done(make: Factory) -> dict[str, str]:
    """Seven are asked and answer by a relay, five say Saturday, four look suspicious."""
    asked = ask(make, version=version(make, NEEDS), audience={"all": []}, breakdowns=[["country"]])
    open_door(make.db, DoorKind.ASK, asked.code, make.organisation_id, asked.id)
    relay = relays.create(make.db, NewRelay(asked.id), now=make.now)
    given = [
        {**one, "needs": ["papers"], "relay": relay.id} for one in split(saturday=5, mornings=2)
    ]
    people = answer(make, asked, given, country="ZA", consents=["registration", "polls"])
    send(make, asked, people, status=MessageStatus.READ)
    for session in make.db.scalars(select(FlowSession).limit(4)):
        marked = {"kind": FlagKind.VELOCITY, "relay_id": relay.id, "flagged_at": make.now}
        make.db.add(Flag(organisation_id=make.organisation_id, session_id=session.id, **marked))
    catalogue = read_inside(make.db)
    by: dict[str, Any] = {"actor": audit.SYSTEM, "now": make.now}
    saved = audiences.create(make.db, "Saturdays", SATURDAY, catalogue, **by)
    follows = {"when": {"when_open": "saturday"}, "case": "true"}
    rule = rules.create(make.db, NewRule("made up", follows, None, asked.id), catalogue, **by)
    return {
        "poll_id": str(asked.id),
        "relay_id": str(relay.id),
        "broadcast_id": str(make.db.scalars(select(Broadcast.id)).one()),
        "audience_id": str(saved.audience.id),
        "rule_id": str(rule.id),
        "flow_id": asked.flow,
        "name": asked.code,
    }


@pytest.fixture
def ids(making: Any) -> dict[str, str]:
    with making() as make:
        return everything_done(make)


@pytest.fixture
def app(urls: Urls, clock: MovedByHand, tmp_path: Path, ids: dict[str, str]) -> Iterator[Flask]:
    with served(urls, tmp_path, clock) as app:
        yield app


def numbers(told: Any, name: str = "") -> Iterator[tuple[str, int]]:
    """Every number of an answer under the name of its field."""
    if isinstance(told, Mapping):
        for key, value in told.items():
            yield from numbers(value, str(key))
    elif isinstance(told, list):
        for value in told:
            yield from numbers(value, name)
    elif isinstance(told, int) and not isinstance(told, bool):
        yield name, told


def path_of(app: Flask, rule: Rule, ids: Mapping[str, str]) -> str | None:
    if not rule.arguments <= ids.keys():
        return None
    with app.test_request_context():
        built = rule.build({name: ids[name] for name in rule.arguments}, append_unknown=False)
    assert built is not None
    return built[1]


def asked_of(app: Flask, ids: Mapping[str, str], secret: str) -> Iterator[tuple[str, Any]]:
    """Each route that reads, with what it answers to this key."""
    client, headers = app.test_client(), {"Authorization": f"Bearer {secret}"}
    for rule in app.url_map.iter_rules():
        path = path_of(app, rule, ids) if ROUTES[rule.rule].who == "key" else None
        if path is None:
            continue
        if "GET" in (rule.methods or ()):
            yield rule.rule, client.get(path, headers=headers)
        if rule.rule.endswith(READING):
            body = {"condition": dict(SATURDAY)} if rule.rule.endswith("preview") else {}
            yield rule.rule, client.post(path, json=body, headers=headers)


def test_no_route_tells_a_number_under_ten(
    app: Flask, ids: dict[str, str], engine: Engine, organisation: MadeUp, clock: MovedByHand
) -> None:
    with transaction(engine, organisation.id) as db:
        scopes = sorted(MEANINGS.keys() - ROWS)
        secret = api_keys.create(db, "analyst", scopes=scopes, now=clock.now()).secret
    told, answered = {}, set()
    for status in (AskStatus.OPEN, AskStatus.CLOSED):
        with transaction(engine, organisation.id) as db:
            asks.get(db, UUID(ids["poll_id"])).status = status
        for route, heard in asked_of(app, ids, secret):
            assert heard.status_code in {200, 403, 409, 422}, (route, heard.text)
            answered |= {route} if heard.status_code == 200 else set()
            small = {one for one in numbers(heard.get_json(force=True)) if one[1] < 10}
            told[route] = {one for one in small if one[0] not in HARMLESS}
    assert {route: small for route, small in told.items() if small} == {}
    assert len(answered) > 15, answered


@pytest.mark.parametrize("shape", [".json", ".ureport.json", ".csv"])
def test_the_public_result_tells_no_number_under_ten(
    app: Flask, ids: dict[str, str], shape: str
) -> None:
    heard = app.test_client().get(f"/r/{ids['name']}{shape}")
    assert heard.status_code == 200
    if shape == ".csv":
        lines = list(csv.DictReader(io.StringIO(heard.text)))
        assert {line[name] for line in lines for name in ("count", "share", "n")} == {""}
    else:
        assert {one for one in numbers(heard.get_json()) if one[1] < 10} == set()
