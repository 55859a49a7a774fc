"""What a message looks up costs the same however many people an organisation has."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from bot.doorbell import Bell
from models.message_path import take_many
from tests.bot.conftest import Desk
from tests.databases import is_superuser

PEOPLE = 300
_HASH = "sha256(convert_to(n::text, 'utf8'))"
CROWD = (
    "insert into contacts (organisation_id, id, wrapped_key, language, created_at, last_seen_at,"
    " expires_at) select :org, gen_random_uuid(), 'x', 'en', now(), now(), now() + interval '1 y'"
    " from generate_series(1, :people)",
    "insert into addresses (organisation_id, id, contact_id, channel_id, scheme, address_hash,"
    " number_hash, sealed, last_in_at, created_at) select organisation_id, gen_random_uuid(), id,"
    f" :channel, 'sms', {_HASH}, {_HASH}, 'x', now(), now()"
    " from (select *, row_number() over () as n from contacts) c",
    "insert into profiles (organisation_id, contact_id, consents, joined_at, last_seen_at)"
    " select organisation_id, id, '{alerts}', now(), now() from contacts",
)

READ = text(
    "select sum(seq_tup_read + idx_tup_fetch) from pg_stat_xact_user_tables"
    " where relname in ('addresses', 'contacts', 'profiles', 'messages')"
)
TOLD = (
    "insert into messages (organisation_id, id, contact_id, address_id, channel_id, direction,"
    " status, kind, language, seq, due_at, created_at, expires_at)"
    " select :org, gen_random_uuid(), contact_id, id, :channel, 'out', 'queued', 'notice', 'en', 1,"
    " now() + interval '1 day', now(), now() + interval '1 y' from addresses"
)


TABLES = ("addresses", "contacts", "profiles", "messages")
FORGET = (
    "delete from pg_statistic where starelid = any(:tables)",
    "update pg_class set relpages = 0, reltuples = -1 where oid = any(:tables)"
    " or oid in (select indexrelid from pg_index where indrelid = any(:tables))",
)


@pytest.fixture
def unanalysed(_admin_engine: Engine) -> Iterator[None]:
    """Tables of which the planner knows nothing, where we may, and learns nothing meanwhile."""
    with _admin_engine.begin() as connection:
        tables = [connection.scalar(text(f"select '{one}'::regclass::oid")) for one in TABLES]
        for one in TABLES:
            connection.execute(text(f"alter table {one} set (autovacuum_enabled = false)"))
        for forget in FORGET if is_superuser(connection) else ():
            connection.execute(text(forget), {"tables": tables})
    yield
    with _admin_engine.begin() as connection:
        for one in TABLES:
            connection.execute(text(f"alter table {one} reset (autovacuum_enabled)"))


@pytest.fixture
def crowd(desk: Desk, unanalysed: None) -> Desk:
    """Many people with numbers, on tables nobody has analysed."""
    channel = desk.views["sms"]
    for statement in CROWD:
        desk.change(statement, org=desk.organisation_id, channel=channel.id, people=PEOPLE)
    return desk


def test_a_strangers_number_is_found_without_reading_everybody(crowd: Desk) -> None:
    view, now = crowd.views["sms"], crowd.clock.now()
    asked = "select address_hash from addresses order by address_hash limit 1"
    number = bytes(crowd.scalar(asked))
    with crowd.homeline.message_path.connect() as connection:
        standing = take_many(
            connection,
            view.organisation_id,
            view.id,
            address_hashes=[b"stranger"],
            receipt_keys=[b"receipt"],
            today=now.date(),
            number_hashes=[number],
        )
        assert standing[0].shares_number
        assert connection.scalar(READ) < 20


def test_a_reply_is_handed_over_without_reading_what_others_were_told(
    crowd: Desk, tmp_path: Path
) -> None:
    """On tables nobody has analysed, where a join would read them whole."""
    crowd.change(TOLD, org=crowd.organisation_id, channel=crowd.views["telegram"].id)
    bell = Bell(tmp_path, "worker")
    crowd.hear("hello")
    assert len(bell.heard()[1]) == 1
    crowd.change("update messages set status = 'sent' where question is not null")
    with crowd.homeline.message_path.connect() as connection:
        crowd.intake._statements._connection._connection = (
            connection  # one transaction, whose reads count
        )
        crowd.hear("1")
        assert len(bell.heard()[1]) == 1
        assert connection.scalar(READ) < 30
        crowd.intake._statements._connection._connection = None
    bell.close()
