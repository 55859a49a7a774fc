"""The restore drill, by the runbook's own commands (docs/operations.md, "Backups")."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Engine, make_url, select, text
from sqlalchemy.orm import Session

import private_server
from models import Address, Base, Contact, ContactStatus, MessageKind, Tombstone
from models.base import new_id
from models.db import make_engine, transaction
from models.sealed import keyed_hash
from private_place import binaries_for, place_for
from services import audit, organisations
from services.errors import Invalid
from services.rights import consents, restoring, rights
from tests.conftest import MovedByHand, Urls
from tests.databases import migrate
from tests.factories import Factory
from tests.web import MASTER_KEY, served

PEOPLE = ("stays", "erased before", "erased after", "stopped after", "came anew")
BACKUP_ROLE = "CREATE ROLE homeline_backup LOGIN BYPASSRLS IN ROLE pg_read_all_data"
DAY = timedelta(days=1)


@dataclass
class Machine:
    """One machine with a private server of its own, and PostgreSQL's own programs."""

    data: Path
    urls: private_server.Urls
    clock: MovedByHand

    def program(self, name: str, *words: str, role: str = "homeline_owner") -> None:
        """Run pg_dump or pg_restore of the server that is here."""
        place = place_for(self.data)
        program = binaries_for(place).program(name)
        if not Path(program).exists():
            pytest.skip(f"{name} is not on this machine")
        url = make_url(self.urls.owner).set(drivername="postgresql", username=role)
        named = url.render_as_string(hide_password=False)
        subprocess.run([program, *words, "--dbname", named], check=True, timeout=900)

    def back_up(self, *words: str) -> None:
        """As docs/operations.md says: by a role that may read past the walls, and only read."""
        engine = make_engine(self.urls.superuser)
        with engine.begin() as connection:
            connection.execute(text(BACKUP_ROLE))
        engine.dispose()
        self.program("pg_dump", "--format=custom", *words, role="homeline_backup")

    def app(self, stack: ExitStack) -> Flask:
        urls = Urls(self.urls.owner, self.urls.app)
        return stack.enter_context(served(urls, self.data, self.clock))

    def checksums(self) -> dict[str, str]:
        """What each table holds."""
        engine = make_engine(self.urls.superuser)
        with engine.connect() as connection:
            found = {
                name: "\n".join(
                    sorted(connection.scalars(text(f"SELECT CAST(t.* AS text) FROM {name} t")))
                )
                for name in Base.metadata.tables
            }
        engine.dispose()
        return {name: hashlib.sha256(rows.encode()).hexdigest() for name, rows in found.items()}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def machine(stack: ExitStack, folder: Path, clock: MovedByHand) -> Machine:
    folder.mkdir()
    server = stack.enter_context(private_server.private_server(folder, throwaway=True))
    return Machine(folder, server, clock)


def run(app: Flask, *words: str) -> dict[str, Any]:
    done = app.test_cli_runner().invoke(app.cli, [*words, "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.output)
    return found


def engine_of(app: Flask) -> Engine:
    engine: Engine = app.extensions["homeline"].engine
    return engine


def person(db: Session, app: Flask, who: str) -> Contact | None:
    keys = organisations.open_keys(db, app.extensions["homeline"].keyring)
    wanted = keyed_hash(keys.index, "address", address(who))
    return db.scalar(
        select(Contact)
        .join(Address, Address.contact_id == Contact.id)
        .where(Address.address_hash == wanted)
    )


def address(who: str) -> str:
    return f"telegram:{70_000 + PEOPLE.index(who)}"


def live(app: Flask, organisation_id: UUID, clock: MovedByHand) -> None:
    """The organisation, its people, and one who left before the backup."""
    with transaction(engine_of(app), organisation_id) as db:
        keyring = app.extensions["homeline"].keyring
        organisations.create(db, "Made-up Consulate", keyring=keyring, now=clock.now())
        make = Factory(db, keyring, clock.now())
        for who in PEOPLE:
            contact = make.contact(consented=("registration", "polls"), address=address(who))
            make.message(contact, typed="marked words")
    erase(app, organisation_id, "erased before", clock)


def erase(app: Flask, organisation_id: UUID, who: str, clock: MovedByHand) -> None:
    with transaction(engine_of(app), organisation_id) as db:
        contact = person(db, app, who)
        assert contact is not None
        rights.erase(db, contact.id, now=clock.now())


def after_the_backup(app: Flask, organisation_id: UUID, clock: MovedByHand) -> None:
    """Two are erased, one of whom registers anew; one says STOP."""
    clock.advance(DAY)
    for who in ("erased after", "came anew"):
        erase(app, organisation_id, who, clock)
    clock.advance(DAY)
    with transaction(engine_of(app), organisation_id) as db:
        Factory(db, app.extensions["homeline"].keyring, clock.now()).contact(
            consented=True, address=address("came anew")
        )
        quiet = person(db, app, "stopped after")
        assert quiet is not None
        quiet.status, quiet.stopped_at = "stopped", clock.now()  # type: ignore[assignment]


def test_a_restored_backup_forgets_whom_it_must_forget(
    stack: ExitStack, tmp_path: Path, clock: MovedByHand
) -> None:
    """O-04: same rows, chain whole, no keys inside, and the erased and stopped stay so."""
    organisation_id = new_id(clock.now())
    old = machine(stack, tmp_path / "old", clock)
    migrate(old.urls.owner)
    app = old.app(stack)
    live(app, organisation_id, clock)
    backup, facts = tmp_path / "homeline.dump", tmp_path / "homeline.forget"
    old.back_up(f"--file={backup}")
    before = old.checksums()
    after_the_backup(app, organisation_id, clock)
    told = run(app, "retention", "export", str(facts))
    assert told["lines"] == 7, "three stones, three ids, one silence"
    assert facts.stat().st_mode & 0o077 == 0

    new = machine(stack, tmp_path / "new", clock)
    new.program("pg_restore", "--no-owner", "--exit-on-error", str(backup))
    assert new.checksums() == before
    clock.advance(DAY)
    again = new.app(stack)
    run(again, "db", "upgrade")
    assert run(again, "retention", "replay", str(facts)) == {"erased": 2, "stopped": 1}
    assert run(again, "retention", "replay", str(facts)) == {"erased": 0, "stopped": 0}
    run(again, "retention", "run")
    assert run(again, "audit", "verify")["ok"]
    assert run(again, "doctor")["ok"]
    assert again.test_client().get("/readyz").status_code == 200

    with transaction(engine_of(again), organisation_id) as db:
        assert {who for who in PEOPLE if person(db, again, who)} == {"stays", "stopped after"}
        quiet = person(db, again, "stopped after")
        assert quiet is not None
        assert quiet.status == "stopped"
        assert consents.list_events(db, quiet.id)[-1].question == "restored"
        assert len(db.scalars(select(Tombstone)).all()) == 3
        assert audit.verify(db) is None
    secrets = (MASTER_KEY.key, MASTER_KEY.key.hex().encode(), b"marked words")
    plain = tmp_path / "plain.sql"
    old.program("pg_dump", f"--file={plain}", role="homeline_backup")
    for file in (backup, plain, facts):
        assert not [one for one in secrets if one in file.read_bytes()], file


# --- the file ---


def test_the_file_is_read_as_it_was_written(make: Factory) -> None:
    contact = make.contact(consented=True, address="telegram:1")
    rights.erase(make.db, contact.id, now=make.now)
    quiet = make.contact(consented=True, address="telegram:2")
    quiet.status, quiet.stopped_at = "stopped", make.now  # type: ignore[assignment]
    make.db.flush()
    facts = list(restoring.lines(make.db))
    assert {fact.kind for fact in facts} == {"tombstone", "erased", "stopped"}
    assert restoring.read(fact.to_json() for fact in facts) == facts


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "[]",
        "null",
        '{"kind": "erased"}',
        '{"kind": "tombstone", "at": 1}',
        '{"organisation": "x", "kind": "erased", "at": "2026-01-01T00:00:00+00:00"}',
        f'{{"organisation": "{UUID(int=1)}", "kind": "erased", "at": "2026-01-01"}}',
    ],
)
def test_a_file_that_is_none_of_ours_changes_nothing(line: str) -> None:
    with pytest.raises(Invalid, match="Line 1 is none"):
        restoring.read([line])


def test_who_came_back_after_their_stop_is_not_silenced(make: Factory, clock: MovedByHand) -> None:
    contact = make.contact(consented=True, address="telegram:2")
    contact.status, contact.stopped_at = "stopped", clock.now()  # type: ignore[assignment]
    make.db.flush()
    facts = list(restoring.lines(make.db))
    contact.status, contact.stopped_at = "active", None  # type: ignore[assignment]
    wording = consents.Wording(language="en", channel_kind="telegram", question="start")
    later = clock.advance(DAY)
    consents.grant(make.db, contact.id, "messages", wording, now=later)
    assert restoring.replay(make.db, facts, now=later).stopped == 0


def test_many_are_silenced_together_each_once_and_nobody_else(make: Factory) -> None:
    several = make.contact(consented=True, address="telegram:11")
    make.address(several, "sms:+447700900124")
    single = make.contact(consented=True, address="telegram:12")
    back = make.contact(consented=True, address="telegram:13")
    other = make.contact(consented=True, address="telegram:14")
    waits = [make.message(each) for each in (several, single, back, other)]
    kept = make.message(single, kind=MessageKind.RIGHTS)
    wording = consents.Wording(language="en", channel_kind="telegram", question="start")
    consents.grant(make.db, back.id, "messages", wording, now=make.now + 2 * DAY)
    at = make.now + DAY
    said = ("telegram:11", "sms:+447700900124", "telegram:12", "telegram:13")
    facts = [
        restoring.Line(
            make.organisation_id, "stopped", at, keyed_hash(make.keys.index, "address", each)
        )
        for each in said
    ]
    earlier = [replace(fact, at=make.now - DAY) for fact in facts]
    assert restoring.replay(make.db, [*facts, *earlier], now=make.now + 3 * DAY).stopped == 2
    make.db.expire_all()
    assert [each.status for each in (several, single, back, other)] == [
        ContactStatus.STOPPED,
        ContactStatus.STOPPED,
        ContactStatus.ACTIVE,
        ContactStatus.ACTIVE,
    ]
    assert {each.stopped_at for each in (several, single)} == {at}
    assert [each.status for each in waits] == ["canceled", "canceled", "queued", "queued"]
    assert kept.status == "queued"
    for each in (several, single):
        [*_, last] = consents.list_events(make.db, each.id)
        assert (last.action, last.purpose, last.question) == ("withdrawn", "messages", "restored")
    assert restoring.replay(make.db, facts, now=make.now + 3 * DAY).stopped == 0


def test_a_kept_message_of_somebody_erased_goes_too(make: Factory) -> None:
    """They may have been nobody yet when the backup was made: one message, kept aside."""
    channel = make.channel()
    kept = make.quarantined(channel, "telegram:3", "marked words")
    assert kept.address_hash is not None
    fact = restoring.Line(make.organisation_id, "tombstone", make.now, kept.address_hash)
    stranger = replace(fact, organisation_id=new_id(make.now))
    restoring.replay(make.db, [stranger], now=make.now)
    assert make.db.scalar(text("select count(*) from quarantine")) == 1
    restoring.replay(make.db, [fact], now=make.now)
    assert make.db.scalar(text("select count(*) from quarantine")) == 0


def test_two_files_may_tell_of_the_same_people_and_the_later_counts(make: Factory) -> None:
    """The last export and the late one of the old machine overlap; somebody came in between."""
    contact = make.contact(consented=True, address="telegram:4")
    hashed = keyed_hash(make.keys.index, "address", "telegram:4")
    stone = restoring.Line(make.organisation_id, "tombstone", make.now - DAY, hashed)
    late = replace(stone, at=make.now + DAY)
    gone = restoring.Line(make.organisation_id, "erased", make.now - DAY, contact_id=contact.id)
    before = [stone, stone, gone]
    assert restoring.replay(make.db, before, now=make.now).erased == 0, "they came after it"
    given = [late, *before, replace(gone, at=late.at)]
    assert restoring.replay(make.db, given, now=make.now + 2 * DAY).erased == 1
    [kept] = make.db.scalars(select(Tombstone)).all()
    assert kept.erased_at >= late.at
    assert audit.verify(make.db) is None


def test_a_backup_by_the_owner_is_refused_and_not_half_made(
    stack: ExitStack, tmp_path: Path, clock: MovedByHand
) -> None:
    """The walls are forced on the owner too: pg_dump says so instead of leaving rows out."""
    server = machine(stack, tmp_path / "one", clock)
    migrate(server.urls.owner)
    with pytest.raises(subprocess.CalledProcessError):
        server.program("pg_dump", "--format=custom", f"--file={tmp_path / 'half.dump'}")
