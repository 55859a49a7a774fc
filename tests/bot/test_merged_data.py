"""MYDATA of one person who was two contacts: everything of both, and who looked at either.

Officers read over the API before the merger; the person reads by the link of the chat after it.
"""

import re
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from app import create_app
from models.db import transaction
from models.member_link import MemberLink
from services import api_keys, organisations
from services.rights import mydata
from tests.bot.conftest import Desk
from tests.bot.test_linking import Talk
from tests.bot.test_merging import WAY, merge, on_sms, on_telegram


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return create_app(homeline=desk.homeline).test_client()


@pytest.fixture
def read(desk: Desk, client: FlaskClient) -> Any:
    """An officer's key; gives the status of a reading."""
    with transaction(desk.engine, desk.organisation_id) as db:
        key = api_keys.create(db, "officer", scopes=["*"], now=desk.clock.now())
    headers = {"Authorization": f"Bearer {key.secret}", "Homeline-Reason": "helping"}
    return lambda path: client.get(f"/api/v1{path}", headers=headers).status_code


def rows_of(desk: Desk, contact_id: UUID) -> mydata.Rows:
    keyring = desk.homeline.keyring
    with transaction(desk.engine, desk.organisation_id) as db:
        return mydata.everything(db, keyring, organisations.open_keys(db, keyring), contact_id)


def test_who_looked_at_either_is_told(desk: Desk, read: Any) -> None:
    """C-05: views of the contact that went, of its passage and its case, by id and by page."""
    old = on_sms(desk, *WAY, "PERSON", "my passport is lost")
    new = on_telegram(desk, *WAY, "PERSON", "nobody has answered me")
    session = desk.scalar("select id from flow_sessions where contact_id = :who", who=new)
    paths = [f"/contacts/{new}", f"/contacts/{new}/consents", f"/registrations/{session}"]
    paths += [f"/messages?contact_id={new}", "/contacts", "/registrations", "/cases", "/messages"]
    for path in paths:
        assert read(path) == 200, path
    seen = [row["action"] for row in rows_of(desk, new)["audit_events"]]
    on_sms(desk, "hello", number=9)
    assert read(f"/contacts/{desk.scalar('select max(id::text) from contacts')}") == 200

    stays = merge(desk, old, new)
    assert desk.ask("select 1 from flow_sessions where id = :id", id=session) == []
    after = rows_of(desk, stays)
    told = [row["action"] for row in after["audit_events"]]
    assert told == [*seen, "contact.merged"]
    assert {row["reason"] for row in after["audit_events"]} == {"helping", None}
    assert len(seen) == len(paths)


def test_everything_of_the_contact_that_went_is_shown(desk: Desk) -> None:
    old = on_sms(desk, *WAY[:4], "what is this")
    new = on_telegram(desk, *WAY, "are you there")
    stays = merge(desk, new, old)
    rows = rows_of(desk, stays)
    assert {row["id"] for row in rows["contacts"]} == {str(old), str(new)}
    assert {row["sealed"] for row in rows["addresses"]} == {"sms:+447700900007", "telegram:7"}
    said = {row["sealed"] for row in rows["messages"] if row["direction"] == "in"}
    assert {"what is this", "are you there", "Nairobi"} <= said
    assert {row["contact_id"] for row in rows["consent_events"]} == {str(stays)}


@pytest.mark.parametrize("goes", [True, False])
def test_a_link_asked_for_before_ends_if_its_contact_went(
    desk: Desk, client: FlaskClient, goes: bool
) -> None:
    """The link of who stays shows both; a link made for who went opens nothing any more."""
    talk = Talk(desk)
    on_sms(desk, *WAY)
    on_telegram(desk, *WAY)
    path, code = asked(talk, "telegram" if goes else "sms")
    merge(desk, person_of(talk, "telegram"), person_of(talk, "sms"))
    page = client.post(path, data={"code": code})
    assert page.status_code == (404 if goes else 200)
    assert ("telegram" in page.text.lower()) is not goes
    doors = desk.scalar("select count(*) from door where kind = 'member_link'")
    assert doors == (0 if goes else 1)
    with transaction(desk.engine, desk.organisation_id) as db:
        assert (db.query(MemberLink).count() == 0) is goes


def person_of(talk: Talk, kind: str) -> UUID:
    found = talk.whose("telegram:7" if kind == "telegram" else f"sms:{talk.phone}")
    assert found is not None
    return found


def asked(talk: Talk, on: str) -> tuple[str, str]:
    """Ask for MYDATA; the path and the code, as the person would read them."""
    with pytest.MonkeyPatch.context() as known:
        known.setattr("services.rights.telling.secrets.token_urlsafe", lambda *_: "A" * 22)
        told = talk.say("MYDATA", on=on)
    code = re.search(r"Code: (\d{6})", told)
    assert code is not None
    return f"/m/{'A' * 22}", code[1]
