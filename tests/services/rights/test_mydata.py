"""MYDATA is complete: every personal column of every table, or the build fails."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, select

import models
from flows.sms import measure
from models import Base, ConsentEvent, Contact, ContactStatus, MessageStatus, new_id
from models.db import transaction
from models.walls import system_scope
from services import organisations, retention
from services.audit import Actor, record
from services.rights import mydata
from services.rights.personal import EVERYWHERE, PERSONAL
from tests.architecture.catalogue import PERSONAL as MARKS
from tests.factories import Factory
from tests.services.phones import House
from tests.services.talking import Talk

assert models.__name__ == "models"  # every table is known once the package is read
NUMBER = "+447700900123"
ROOT = Path(__file__).resolve().parents[3]


def personal_tables() -> dict[str, Table]:
    return {
        name: table
        for name, table in Base.metadata.tables.items()
        if name == "contacts" or MARKS & set(table.columns.keys())
    }


def test_no_personal_table_is_left_out() -> None:
    assert set(PERSONAL) == set(personal_tables())


@pytest.mark.parametrize("name", sorted(PERSONAL))
def test_no_column_is_left_out(name: str) -> None:
    """C-05: a new column needs a place in personal.py: shown, opened, left out and why."""
    columns = set(personal_tables()[name].columns.keys()) - {EVERYWHERE}
    assert PERSONAL[name].columns == columns


def canaries(make: Factory) -> tuple[UUID, list[str]]:
    """Somebody with a row in every table, and what of theirs must be told again."""
    contact = make.contact(
        consented=("registration", "polls"), address=f"sms:{NUMBER}", country="ZA", place="canary-p"
    )
    contact.origin = {"code": "canary-origin"}
    session = make.flow_session(contact)
    make.answer(session, "when_open", "canary-coded")
    make.answer(session, "why", typed="canary-typed")
    make.message(contact, typed="canary-said")
    make.message(contact, status=MessageStatus.SENT, provider_id="SM-canary")
    make.due(contact, payload={"canary": "canary-due"})
    channel = make.channel()
    make.quarantined(channel, f"sms:{NUMBER}", "canary-quarantined")
    merged = make.contact(consented=True, address="telegram:70070070")
    make.message(merged, typed="canary-merged")
    merged.status, merged.merged_into = ContactStatus.MERGED, contact.id
    make.db.flush()
    told = ["ZA", "canary-p", "canary-origin", "canary-coded", "canary-typed", "canary-said"]
    told += ["SM-canary", "canary-due", "canary-quarantined", "canary-merged", NUMBER, "70070070"]
    return contact.id, told


def test_what_was_planted_anywhere_comes_back(make: Factory) -> None:
    """C-05: a canary in every table."""
    contact_id, planted = canaries(make)
    bystander = make.contact(consented=True, address="sms:+447700900999")
    keys = organisations.open_keys(make.db, make.keyring)
    rows = mydata.everything(make.db, make.keyring, keys, contact_id)
    told = mydata.to_json(rows).decode()
    assert [one for one in planted if one not in told] == []
    assert str(bystander.id) not in told
    assert "wrapped_key" not in told
    assert json.loads(told).keys() == rows.keys()


def test_a_canary_in_each_plain_column_comes_back(make: Factory) -> None:
    """Whatever a shown column holds is what the file says."""
    contact_id, _ = canaries(make)
    keys = organisations.open_keys(make.db, make.keyring)
    rows = mydata.everything(make.db, make.keyring, keys, contact_id)
    for name, kept in PERSONAL.items():
        for row in rows[name]:
            assert set(kept.shown) <= set(row), name


def test_who_looked_is_told_pages_included(make: Factory) -> None:
    first, person, last = (make.contact(consented=True).id for _ in range(3))
    (consent, *_) = make.db.scalars(
        select(ConsentEvent.id).where(ConsentEvent.contact_id == person)
    ).all()
    officer = Actor("officer", new_id(make.now))
    looks: list[tuple[str, tuple[str, UUID | None], dict[str, Any]]] = [
        ("contact.viewed", ("contact", person), {"reason": "case"}),
        ("contact.viewed", ("contact", first), {}),
        ("contacts.read", ("contact", None), {"first": str(first), "last": str(last), "rows": 3}),
        ("contacts.read", ("contact", None), {"first": str(last), "last": str(last), "rows": 1}),
        ("consents.read", ("consent", None), dict.fromkeys(("first", "last"), str(consent))),
        ("recipients.read", ("recipient", None), {"first": str(first), "last": str(last)}),
    ]
    for action, subject, detail in looks:
        record(make.db, officer, action, subject, detail=detail, now=make.now)
    keys = organisations.open_keys(make.db, make.keyring)
    rows = mydata.everything(make.db, make.keyring, keys, person)
    seen = [(row["action"], row["reason"]) for row in rows["audit_events"]]
    assert seen == [
        ("contact.viewed", "case"),
        ("contacts.read", None),
        ("consents.read", None),
        ("recipients.read", None),
    ]


def test_whatever_pages_are_recorded_is_found_again() -> None:
    noted = {
        kind
        for file in (ROOT / "api").glob("*.py")
        for kind in re.findall(r'note_rows\("(\w+)"', file.read_text(encoding="utf-8"))
    }
    assert noted <= set(mydata.TABLES)
    for table in mydata.TABLES.values():
        assert "id" in PERSONAL[table].shown


# --- in the conversation ---


@pytest.mark.parametrize(
    "word", ["MYDATA", "my data", "mes données", "Mis Datos", "meus dados", "بياناتي", "/mydata"]
)
def test_mydata_gives_a_link_and_a_code_that_are_stored_nowhere(word: str) -> None:
    talk = Talk().registered().say(word)
    assert talk.rows is not None
    assert talk.reply is not None
    assert talk.rows.link is not None
    assert talk.scene is not None
    assert talk.scene.link is not None
    token, code = talk.scene.link.token, talk.scene.link.code
    assert f"https://line.example/m/{token}" in talk.text
    assert code in talk.text
    stored = repr((talk.rows, talk.reply)).replace(repr(talk.scene), "")
    assert token not in stored
    assert f"'{code}'" not in stored
    assert talk.reply["lane"] == 0


def test_a_stranger_is_told_that_nothing_is_kept() -> None:
    talk = Talk().say("MYDATA")
    assert talk.phrases == ["nothing_kept"]
    assert talk.rows is not None
    assert talk.rows.link is None


@pytest.mark.parametrize("language", ["en", "fr", "es", "pt", "ar"])
def test_on_sms_the_answers_are_read_without_internet(language: str) -> None:
    talk = Talk(kind="sms", language=language).registered().say("MYDATA")
    pages = [talk.say("1").text for _ in range(3)]
    assert all(measure(page).parts <= 2 for page in pages)
    assert all(page.rstrip().splitlines()[-1].startswith("4 ") for page in pages)
    if language == "en":
        assert "Country: South Africa" in "\n".join(pages)
        assert "Town: Cape Town" in "\n".join(pages)


def test_mydata_and_reading_work_after_stop() -> None:
    talk = Talk().registered().say("STOP").say("MYDATA")
    assert talk.reply is not None
    assert talk.reply["kind"] == "rights"
    assert talk.say("1").phrases == ["your_answers", "?mydata"]
    assert talk.reply is not None
    assert talk.reply["kind"] == "rights"
    assert talk.standing.contact_status == "stopped"


def test_a_new_link_takes_the_place_of_the_old(house: House) -> None:
    phone = house.phone().register()
    phone.say("MYDATA")
    phone.say("MYDATA")
    with transaction(house.line.engine, house.organisation.id) as db:
        assert len(db.scalars(select(models.MemberLink)).all()) == 1
        doors = db.scalars(select(models.Door).where(models.Door.kind == "member_link")).all()
    assert len(doors) == 1


def test_links_and_doors_go_with_their_person_and_with_time(house: House) -> None:
    erased, aged = house.phone("telegram:1").register(), house.phone("telegram:2").register()
    erased.say("MYDATA")
    erased.say("DELETE")
    assert "Receipt" in erased.say("1")
    aged.say("MYDATA")
    house.clock.advance(timedelta(hours=25))
    with system_scope(house.line.engine) as db:
        retention.run(db, now=house.clock.now())
    with transaction(house.line.engine, house.organisation.id) as db:
        assert db.scalars(select(models.MemberLink)).all() == []
        assert db.scalars(select(models.Door).where(models.Door.kind == "member_link")).all() == []
        assert db.get(Contact, (house.organisation.id, aged.contact_id)) is not None
