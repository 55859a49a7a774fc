"""Who may ask: keys unknown, expired, revoked; scopes; last use; too often."""

from datetime import timedelta
from uuid import UUID

import pytest

from api.auth import Limits
from api.errors import Problem
from api.resource import Resource
from api.scopes import MEANINGS, SCOPES
from models import ApiKey
from models.db import transaction
from services import api_keys
from tests.api.stage import Api, Caller, problem


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer hl_",
        "Bearer hl_00000000_unknown",
        "Basic aGw6aGw=",
        "hl_00000000_unknown",
        "Bearer " + "hl_" + "x" * 5000,
        "Bearer hl_\u00e9",
    ],
)
def test_who_has_no_valid_key_is_not_served(api: Api, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = api.app.test_client().get("/api/v1/organisation", headers=headers)
    problem(answer, 401, "unauthorised")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_ends(api: Api) -> None:
    caller = api.caller("*", lasts=timedelta(days=1))
    assert caller.get("/organisation").status_code == 200
    api.clock.advance(timedelta(days=1))
    problem(caller.get("/organisation"), 401, "unauthorised")


def test_a_revoked_key_is_useless_at_once(api: Api, caller: Caller) -> None:
    with transaction(api.engine, api.organisation.id) as db:
        api_keys.revoke(db, caller.key_id, now=api.clock.now())
    problem(caller.get("/organisation"), 401, "unauthorised")


def test_a_key_does_only_what_its_scopes_say(api: Api) -> None:
    caller = api.caller("organisation:read")
    assert caller.get("/organisation").status_code == 200
    for operation, scope in SCOPES.items():
        method, path = operation.split()
        if method == "GET" and "{" not in path and scope != "organisation:read":
            told = problem(caller.get(path), 403, "scope_missing")
            assert SCOPES[operation] in told["detail"]


def test_the_day_of_the_last_use_is_kept(api: Api, caller: Caller) -> None:
    caller.get("/organisation")
    with transaction(api.engine, api.organisation.id) as db:
        key = db.get_one(ApiKey, (api.organisation.id, caller.key_id))
        assert key.last_used_on == api.clock.now().date()


def test_every_scope_in_use_has_a_meaning() -> None:
    assert set(SCOPES.values()) <= set(MEANINGS)


def test_who_asks_too_often_is_asked_to_wait() -> None:
    seconds = iter([0.0, 0.0, 0.0, 0.0, 2.0]).__next__
    limits = Limits(a_second=0.5, at_once=2, seconds=seconds)
    hasty, other = UUID(int=1), UUID(int=2)
    limits.count(hasty)
    limits.count(hasty)
    with pytest.raises(Problem) as refused:
        limits.count(hasty)
    assert refused.value.status == 429
    assert refused.value.headers == {"Retry-After": "2"}
    limits.count(other)
    limits.count(hasty)


def test_an_operation_without_a_listed_scope_stops_the_start() -> None:
    planted = Resource("planted", "Forgotten in the table of scopes.")
    with pytest.raises(KeyError, match="GET /planted"):
        planted.operation("GET", "/planted")
