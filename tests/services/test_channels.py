"""Channels: credentials sealed, found by an unguessable key."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Engine, select, text

from models import AuditEvent, ChannelBudget, ChannelKind, Door, StopReply
from models.db import transaction
from models.sealed import CannotOpen, Keyring
from services import channels
from services.channels import NewChannel
from services.errors import Invalid, NotFound
from services.organisations import OrganisationKeyring
from tests.conftest import MadeUp, another_organisation
from tests.factories import Factory

Making = Callable[..., AbstractContextManager[Factory]]
NEW = NewChannel(
    kind=ChannelKind.SMS,
    name="The line",
    credentials={"account_sid": "AC1", "auth_token": "very-marked-secret"},
    sender="+15005550006",
    stop_reply=StopReply.PROVIDER,
    default_language="fr",
)


def test_a_webhook_finds_it_by_its_key(
    making: Making, engine: Engine, organisation: MadeUp, keyring: Keyring
) -> None:
    with making() as make:
        key = channels.add(make.db, make.keys, NEW, now=make.now).key
    found = channels.find(engine, OrganisationKeyring(engine, keyring), key)
    assert found is not None
    assert (found.organisation_id, found.kind, found.name) == (organisation.id, "sms", "The line")
    assert found.credentials == NEW.credentials
    assert (found.sender, found.stop_reply, found.default_language) == (
        "+15005550006",
        "provider",
        "fr",
    )
    assert "very-marked-secret" not in repr(found)


def test_other_keys_find_nothing(engine: Engine, organisation: MadeUp, keyring: Keyring) -> None:
    keyrings = OrganisationKeyring(engine, keyring)
    for key in ("", "x" * 22, "\x00", "\ud83d", "é" * 5000):
        assert channels.find(engine, keyrings, key) is None


def test_keys_are_long_and_never_the_same(make: Factory) -> None:
    keys = {make.channel().key for _ in range(5)}
    assert len(keys) == 5
    assert all(len(bytes.fromhex(key)) == 16 for key in keys), "128 bits"


def test_the_secret_lies_nowhere_in_clear(make: Factory) -> None:
    channel = channels.add(make.db, make.keys, NEW, now=make.now)
    row = make.db.scalar(text("SELECT CAST(c.* AS text) FROM channels c"))
    assert b"very-marked-secret".hex() not in row
    assert "very-marked-secret" not in row
    assert make.db.scalars(select(Door.key_hash)).one() != channel.key.encode()
    links = make.db.scalars(select(AuditEvent).order_by(AuditEvent.number)).all()
    assert (links[-1].action, links[-1].detail) == ("channel.added", {"kind": "sms"})


def test_credentials_do_not_open_on_another_channel(make: Factory) -> None:
    one, other = make.channel(), make.channel()
    other.credentials = one.credentials
    with pytest.raises(CannotOpen):
        channels.open_channel(make.keys, other)


def test_a_new_channel_has_the_usual_budget_of_its_kind(make: Factory) -> None:
    for kind, usual in channels.BUDGETS.items():
        channel = make.channel(kind)
        budget = make.db.get_one(ChannelBudget, (make.organisation_id, channel.id))
        assert (budget.rate, budget.burst, budget.tokens) == (usual.rate, usual.burst, usual.burst)
        assert budget.unconsented_limit == usual.unconsented_a_day
        assert usual.rate > 0 < usual.burst


def test_the_rate_can_be_given(make: Factory) -> None:
    channel = channels.add(make.db, make.keys, replace(NEW, rate=0.5), now=make.now)
    budget = make.db.get_one(ChannelBudget, (make.organisation_id, channel.id))
    assert (budget.rate, budget.burst) == (0.5, 1), "a bucket that never holds one sends nothing"


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"rate": 0.0}, "rate"),
        ({"rate": -1.0}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"rate": float("inf")}, "rate"),
        ({"default_language": "tlh"}, "default_language"),
    ],
)
def test_nonsense_is_refused(make: Factory, changed: dict[str, object], place: str) -> None:
    with pytest.raises(Invalid) as refused:
        channels.add(make.db, make.keys, replace(NEW, **changed), now=make.now)  # type: ignore[arg-type]
    assert refused.value.place == place


def test_a_neighbours_channel_is_not_ours(
    making: Making, engine: Engine, keyring: Keyring, now: datetime
) -> None:
    with making() as make:
        key = make.channel().key
    neighbour = another_organisation(engine, keyring, now, "The neighbour")
    with transaction(engine, neighbour.id) as db, pytest.raises(NotFound):
        channels.get(db, key)
