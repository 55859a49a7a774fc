"""API keys: shown once, useless when expired or revoked."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text

from models import ApiKey
from models.db import transaction
from services import api_keys
from services.errors import Invalid, NotFound
from tests.conftest import MadeUp, MovedByHand
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]


@pytest.fixture
def key(making: Making) -> api_keys.NewKey:
    with making() as make:
        return api_keys.create(
            make.db, "dashboard", scopes={"people:read", "messages:read"}, now=make.now
        )


def test_a_key_says_whose_it_is_and_what_it_may(
    key: api_keys.NewKey, engine: Engine, organisation: MadeUp, clock: MovedByHand
) -> None:
    holder = api_keys.find_holder(engine, key.secret, now=clock.now())
    assert holder is not None
    assert (holder.organisation_id, holder.key_id) == (organisation.id, key.id)
    assert holder.may("people:read")
    assert not holder.may("people:write")


def test_a_star_may_everything(making: Making, engine: Engine) -> None:
    with making() as make:
        secret = api_keys.create(make.db, "all", scopes=["*"], now=make.now).secret
    holder = api_keys.find_holder(engine, secret, now=make.now)
    assert holder is not None
    assert holder.may("people:write")


def test_it_looks_like_ours_and_is_kept_as_a_hash_only(
    key: api_keys.NewKey, engine: Engine, organisation: MadeUp
) -> None:
    assert key.secret.startswith("hl_")
    assert key.secret.startswith(key.prefix)
    assert len(key.secret) - len(key.prefix) - 1 >= 43, "256 bits"
    with transaction(engine, organisation.id) as db:
        rows = [*db.scalars(text("SELECT CAST(k.* AS text) FROM api_keys k"))]
        rows += [*db.scalars(text("SELECT CAST(d.* AS text) FROM door d"))]
        assert not any(key.secret in row or key.secret.encode().hex() in row for row in rows)


@pytest.mark.parametrize("guess", ["", "hl_", "hl_00000000_x", "Bearer", "\x00", "hl_\ud83d"])
def test_a_guess_opens_nothing(
    key: api_keys.NewKey, engine: Engine, clock: MovedByHand, guess: str
) -> None:
    assert api_keys.find_holder(engine, guess, now=clock.now()) is None
    assert api_keys.find_holder(engine, key.secret[:-1], now=clock.now()) is None
    assert api_keys.find_holder(engine, key.secret + "x", now=clock.now()) is None


def test_it_ends_after_a_year(key: api_keys.NewKey, engine: Engine, clock: MovedByHand) -> None:
    clock.advance(timedelta(days=365) - timedelta(seconds=1))
    assert api_keys.find_holder(engine, key.secret, now=clock.now()) is not None
    clock.advance(timedelta(seconds=1))
    assert api_keys.find_holder(engine, key.secret, now=clock.now()) is None


def test_a_revoked_key_is_useless_at_once(
    key: api_keys.NewKey, making: Making, engine: Engine, clock: MovedByHand
) -> None:
    with making() as make:
        api_keys.revoke(make.db, key.id, now=make.now)
        api_keys.revoke(make.db, key.id, now=make.now)
        with pytest.raises(NotFound):
            api_keys.revoke(make.db, make.contact().id, now=make.now)
    assert api_keys.find_holder(engine, key.secret, now=clock.now()) is None


def test_the_day_of_use_is_noted_and_no_more(
    key: api_keys.NewKey, engine: Engine, organisation: MadeUp, clock: MovedByHand
) -> None:
    api_keys.find_holder(engine, key.secret, now=clock.now())
    with transaction(engine, organisation.id) as db:
        assert db.scalars(select(ApiKey.last_used_on)).one() == clock.now().date()


@pytest.mark.parametrize(
    ("scopes", "lasts", "place"),
    [
        ([], timedelta(days=1), "scopes"),
        (["*"], timedelta(days=366), "expires_at"),
        (["*"], timedelta(), "expires_at"),
    ],
)
def test_a_key_needs_a_scope_and_an_end(
    make: Factory, scopes: list[str], lasts: timedelta, place: str
) -> None:
    with pytest.raises(Invalid) as refused:
        api_keys.create(make.db, "key", scopes=scopes, lasts=lasts, now=make.now)
    assert refused.value.place == place
