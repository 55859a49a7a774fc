"""Every route x who asks x whose data: an unlisted route fails, and no route leaks over a wall.

A new route gets one line in ROUTES. What `key` routes answer is then tested without further ado:
401 without a key, 403 without the scope, and nothing of another organisation with all scopes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from werkzeug.routing import Rule

from models.channel import ChannelKind
from models.db import transaction
from models.walls import system_scope
from services import api_keys, audit
from services.audiences import audiences
from services.catalogue import read_inside
from services.relays import leaders, relays
from services.relays.relays import NewRelay
from services.webhooks import webhooks
from tests import asks
from tests.conftest import MadeUp, MovedByHand, Urls, another_organisation
from tests.factories import Factory
from tests.web import served

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Access:
    """Who may ask: "anybody", "provider" (proves itself), "key" (by method: the scope needed)."""

    who: str
    scopes: Mapping[str, str] = field(default_factory=dict)
    development_only: bool = False


def key(**scopes: str) -> Access:
    """A route that needs an API key: `key(GET="people:read")`."""
    return Access("key", scopes)


ANYBODY = Access("anybody")
PROVIDER = Access("provider")
SIMULATOR = Access("anybody", development_only=True)
ROUTES: dict[str, Access] = {
    "/healthz": ANYBODY,
    "/readyz": ANYBODY,
    "/metrics": ANYBODY,  # this machine or a token: tests/house/test_health.py
    "/webhooks/<any(telegram, twilio, simulator):provider>/<channel_key>": PROVIDER,
    "/webhooks/twilio/<channel_key>/status": PROVIDER,
    "/sim": SIMULATOR,
    "/sim/act": SIMULATOR,
    "/sim/clock": SIMULATOR,
    "/sim/person": SIMULATOR,
    "/sim/screens": SIMULATOR,
    "/sim/static/<path:filename>": SIMULATOR,
    "/j/<name>": ANYBODY,  # tests/public/test_join.py
    "/j/<code>/poster": ANYBODY,
    "/j/<code>/poster.pdf": ANYBODY,
    "/m/<token>": ANYBODY,  # a link and its code: tests/public/test_member.py
    "/r/<name>": ANYBODY,  # gated figures: tests/public/test_results.py
    "/public/<path:filename>": ANYBODY,
    "/api/docs": ANYBODY,
    "/api/static/<path:filename>": ANYBODY,
    "/api/v1/openapi.json": ANYBODY,
    "/api/v1/audiences": key(GET="audiences:read", POST="audiences:write"),
    "/api/v1/audiences/<uuid:audience_id>": key(
        GET="audiences:read", PATCH="audiences:write", DELETE="audiences:write"
    ),
    "/api/v1/audiences/preview": key(POST="audiences:read"),
    "/api/v1/audit": key(GET="audit:read"),
    "/api/v1/cases": key(GET="cases:read"),
    "/api/v1/cases/<uuid:case_id>": key(GET="cases:read"),
    "/api/v1/cases/<uuid:case_id>/answer": key(POST="cases:write"),
    "/api/v1/cases/<uuid:case_id>/assign": key(POST="cases:write"),
    "/api/v1/cases/<uuid:case_id>/close": key(POST="cases:write"),
    "/api/v1/channels": key(GET="channels:read", POST="channels:write"),
    "/api/v1/communities": key(GET="relays:read", POST="relays:write"),
    "/api/v1/consents": key(GET="people:read"),
    "/api/v1/contacts": key(GET="people:read"),
    "/api/v1/contacts/<uuid:contact_id>": key(GET="people:read", DELETE="people:erase"),
    "/api/v1/contacts/<uuid:contact_id>/consents": key(GET="people:read"),
    "/api/v1/exports": key(POST="people:export"),
    "/api/v1/flows": key(GET="flows:read", POST="flows:write"),
    "/api/v1/flows/<flow_id>": key(GET="flows:read"),
    "/api/v1/flows/<flow_id>/entry-codes": key(POST="flows:write"),
    "/api/v1/insights/registrations/funnel": key(GET="insights:read"),
    "/api/v1/leaders": key(GET="relays:read", POST="relays:write"),
    "/api/v1/leaders/<uuid:leader_id>/revoke": key(POST="relays:write"),
    "/api/v1/messages": key(GET="people:read"),
    "/api/v1/organisation": key(GET="organisation:read", PATCH="organisation:write"),
    "/api/v1/organisation/prices": key(GET="organisation:read", PUT="organisation:write"),
    "/api/v1/broadcasts": key(GET="polls:read", POST="polls:write"),
    "/api/v1/broadcasts/<uuid:broadcast_id>": key(GET="polls:read"),
    "/api/v1/broadcasts/<uuid:broadcast_id>/cancel": key(POST="polls:write"),
    "/api/v1/broadcasts/<uuid:broadcast_id>/recipients": key(GET="people:read"),
    "/api/v1/rules": key(GET="rules:read", POST="rules:write"),
    "/api/v1/rules/<uuid:rule_id>": key(GET="rules:read"),
    "/api/v1/rules/<uuid:rule_id>/end": key(POST="rules:write"),
    "/api/v1/rules/<uuid:rule_id>/firings": key(GET="people:read"),
    "/api/v1/rules/<uuid:rule_id>/firings/<uuid:firing_id>/approve": key(POST="rules:write"),
    "/api/v1/rules/<uuid:rule_id>/firings/<uuid:firing_id>/refuse": key(POST="rules:write"),
    "/api/v1/rules/<uuid:rule_id>/pause": key(POST="rules:write"),
    "/api/v1/rules/<uuid:rule_id>/rehearse": key(POST="rules:read"),
    "/api/v1/rules/<uuid:rule_id>/resume": key(POST="rules:write"),
    "/api/v1/polls": key(GET="polls:read", POST="polls:write"),
    "/api/v1/polls/<uuid:poll_id>": key(GET="polls:read", PATCH="polls:write"),
    "/api/v1/polls/<uuid:poll_id>/cancel": key(POST="polls:write"),
    "/api/v1/polls/<uuid:poll_id>/close": key(POST="polls:write"),
    "/api/v1/polls/<uuid:poll_id>/dry-run": key(POST="polls:write"),
    "/api/v1/polls/<uuid:poll_id>/languages/<language>": key(GET="polls:read", PUT="polls:write"),
    "/api/v1/polls/<uuid:poll_id>/open": key(POST="polls:write"),
    "/api/v1/polls/<uuid:poll_id>/pause": key(POST="polls:write"),
    "/api/v1/polls/<uuid:poll_id>/remind": key(POST="polls:write"),
    "/api/v1/polls/<uuid:poll_id>/resume": key(POST="polls:write"),
    "/api/v1/polls/<uuid:poll_id>/report-back": key(POST="polls:write"),
    "/api/v1/polls/<uuid:poll_id>/results": key(GET="results:read"),
    "/api/v1/polls/<uuid:poll_id>/test": key(POST="polls:write"),
    "/api/v1/polls/<uuid:poll_id>/texts": key(GET="texts:read"),
    "/api/v1/polls/<uuid:poll_id>/texts/<text_id>": key(POST="texts:write"),
    "/api/v1/recordings": key(GET="people:read"),
    "/api/v1/recordings/<uuid:recording_id>": key(GET="people:read"),
    "/api/v1/registrations": key(GET="people:read"),
    "/api/v1/registrations/<uuid:registration_id>": key(GET="people:read"),
    "/api/v1/relays": key(GET="relays:read", POST="relays:write"),
    "/api/v1/relays/<uuid:relay_id>": key(GET="relays:read"),
    "/api/v1/relays/<uuid:relay_id>/close": key(POST="relays:write"),
    "/api/v1/webhooks": key(GET="webhooks:read", POST="webhooks:write"),
    "/api/v1/webhooks/<uuid:webhook_id>": key(GET="webhooks:read", DELETE="webhooks:write"),
    "/api/v1/webhooks/<uuid:webhook_id>/deliveries": key(GET="webhooks:read"),
    "/api/v1/webhooks/<uuid:webhook_id>/enable": key(POST="webhooks:write"),
    "/api/v1/webhooks/<uuid:webhook_id>/rotate": key(POST="webhooks:write"),
    "/api/v1/webhooks/<uuid:webhook_id>/test": key(POST="webhooks:write"),
}
# What a route must be given to get as far as the wall.
BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/polls/<uuid:poll_id>/languages/<language>": {"texts": {"about": "made up"}},
    "/api/v1/polls/<uuid:poll_id>/texts/<text_id>": {"decision": "shown"},
    "/api/v1/organisation": {"emergency_line": "112"},
    "/api/v1/audiences/<uuid:audience_id>": {"condition": {"all": []}},
    "/api/v1/cases/<uuid:case_id>/answer": {"text": "made up"},
    "/api/v1/cases/<uuid:case_id>/assign": {"assigned_to": None},
    "/api/v1/exports": {"what": "contacts"},
    "/api/v1/rules": {"name": "made up", "definition": {}},
    "/api/v1/polls/<uuid:poll_id>/report-back": {"report_back": {"en": "made up"}},
}


@dataclass(frozen=True)
class Stage:
    """Two organisations, one of which has people."""

    app: Flask
    ids: Mapping[str, str]
    keys: Mapping[str, str]

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def rules(self, who: str) -> list[tuple[Rule, Access]]:
        found = self.app.url_map.iter_rules()
        return [(rule, ROUTES[rule.rule]) for rule in found if ROUTES[rule.rule].who == who]

    def address(self, rule: Rule) -> str:
        """A path of this rule that names rows of the organisation with people."""
        values = {name: self.ids.get(name, "nothing") for name in rule.arguments}
        with self.app.test_request_context():
            _, path = rule.build(values, append_unknown=False) or ("", rule.rule)
        return str(path)


@pytest.fixture
def stage(
    urls: Urls,
    engine: Engine,
    organisation: MadeUp,
    keyring: Any,
    making: Any,
    clock: MovedByHand,
    tmp_path: Path,
) -> Iterator[Stage]:
    stranger = another_organisation(engine, keyring, clock.now(), "Another Consulate")
    with making() as make:
        channel = make.channel(ChannelKind.TELEGRAM)
        contact = make.contact()
        session = make.flow_session(contact)
        message = make.message(contact)
        asked = asks.ask(make, version=make.flow_version(7))
        rule = asks.rule(make, asked)
        ids = {
            "rule_id": str(rule.id),
            "firing_id": str(asks.firing(make, rule, contact).id),
            "organisation_id": str(organisation.id),
            "provider": "telegram",
            "channel_key": channel.key,
            "contact_id": str(contact.id),
            "case_id": str(make.case(contact).id),
            "recording_id": str(make.recording(session).id),
            "registration_id": str(session.id),
            "message_id": str(message.id),
            "flow_id": session.flow,
            "webhook_id": str(_webhook(make)),
            "audience_id": str(_audience(make)),
            "poll_id": str(asked.id),
            "language": "fr",
            "text_id": f"{session.id}.why",
            "broadcast_id": str(asks.broadcast(make, asked).id),
            "leader_id": str(_leader(make)),
            "relay_id": str(relays.create(make.db, NewRelay(asked.id), now=make.now).id),
        }
    keys = {}
    wanted = {
        "everything": (organisation, "*"),
        "nothing": (organisation, "none:none"),
        "stranger": (stranger, "*"),
    }
    for word, (owner, scope) in wanted.items():
        with transaction(engine, owner.id) as db:
            keys[word] = api_keys.create(db, word, scopes=[scope], now=clock.now()).secret
    with served(urls, tmp_path, clock) as app:
        yield Stage(app, ids, keys)


def _audience(make: Factory) -> UUID:
    condition: dict[str, Any] = {"all": []}
    catalogue = read_inside(make.db)
    saved = audiences.create(
        make.db, "made up", condition, catalogue, actor=audit.SYSTEM, now=make.now
    )
    return saved.audience.id


def _leader(make: Factory) -> UUID:
    return leaders.invite(make.db, make.keys, actor=audit.SYSTEM, now=make.now).leader.id


def _webhook(make: Factory) -> UUID:
    added = webhooks.add(make.db, make.keys, "https://a.example/", ["case.opened"], now=make.now)
    return added.endpoint.id


def test_every_route_is_listed(stage: Stage) -> None:
    known = {rule.rule for rule in stage.app.url_map.iter_rules()}
    assert not known - ROUTES.keys(), "say in ROUTES who may ask"
    assert not ROUTES.keys() - known, "these routes are gone"


def test_development_routes_are_absent_in_production(
    urls: Urls, engine: Engine, clock: MovedByHand, tmp_path: Path
) -> None:
    with served(urls, tmp_path, clock, env="production") as app:
        known = {rule.rule for rule in app.url_map.iter_rules()}
    assert not known & {rule for rule, access in ROUTES.items() if access.development_only}


def test_what_is_for_anybody_answers_anybody(stage: Stage) -> None:
    for rule, _ in stage.rules("anybody"):
        if "GET" in (rule.methods or ()):
            assert stage.client.get(stage.address(rule)).status_code not in {401, 403}, rule.rule


def test_who_is_no_provider_is_refused_and_leaves_nothing(stage: Stage, engine: Engine) -> None:
    for rule, _ in stage.rules("provider"):
        answer = stage.client.post(stage.address(rule), json={"update_id": 1})
        assert answer.status_code in {401, 403, 404}, rule.rule
    with system_scope(engine) as db:
        assert db.scalar(text("select count(*) from receipts")) == 0
        assert db.scalar(text("select count(*) from quarantine")) == 0


def test_a_route_for_keys_refuses_who_has_none(stage: Stage) -> None:
    for rule, _ in stage.rules("key"):
        for method in set(METHODS) & (rule.methods or set()):
            answer = stage.client.open(stage.address(rule), method=method, json={})
            assert answer.status_code == 401, (method, rule.rule)


def test_a_route_for_keys_refuses_a_key_without_the_scope(stage: Stage) -> None:
    headers = {"Authorization": f"Bearer {stage.keys['nothing']}"}
    served: dict[str, set[str]] = {}
    for rule, access in stage.rules("key"):
        methods = set(METHODS) & (rule.methods or set())
        served.setdefault(rule.rule, set()).update(methods)
        assert methods <= set(access.scopes), f"name a scope for each method of {rule.rule}"
        for method in methods:
            answer = stage.client.open(stage.address(rule), method=method, json={}, headers=headers)
            assert answer.status_code == 403, (method, rule.rule)
    assert all(served[rule] == set(ROUTES[rule].scopes) for rule in served)


def test_no_route_shows_another_organisation_anything(stage: Stage) -> None:
    headers = {
        "Authorization": f"Bearer {stage.keys['stranger']}",
        "Homeline-Reason": "made-up",
    }
    secret = [value for name, value in stage.ids.items() if name.endswith("_id")]
    for rule, access in stage.rules("key"):
        for method in access.scopes:
            body = BODIES.get(rule.rule, {})
            answer = stage.client.open(
                stage.address(rule), method=method, json=body, headers=headers
            )
            assert answer.status_code < 500, (method, rule.rule)
            if rule.arguments & stage.ids.keys():
                assert answer.status_code == 404, (method, rule.rule)
            else:
                assert not [one for one in secret if one in answer.text], (method, rule.rule)
