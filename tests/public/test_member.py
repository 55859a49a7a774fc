"""/m/<token>: opened once, with the code, by whoever holds the chat."""

import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from flows.wording import LANGUAGES
from models import AuditEvent, MemberLink
from models.db import transaction
from models.walls import system_scope
from public.wording import _TEXTS
from tests.services.phones import House, Phone
from tests.services.talking import NAMES

LINK = re.compile(r"https://line\.example(/m/[\w-]{22})\D+(\d{6})")


def ask(phone: Phone) -> tuple[str, str]:
    """Ask for MYDATA; the path and the code."""
    found = LINK.search(phone.say("MYDATA"))
    assert found is not None
    return found[1], found[2]


def wrong(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 10**6:06d}"


@pytest.fixture
def phone(house: House) -> Phone:
    return house.phone().register()


@pytest.fixture
def client(house: House) -> FlaskClient:
    return house.app.test_client()


def test_the_code_opens_everything_once(phone: Phone, client: FlaskClient) -> None:
    path, code = ask(phone)
    page = client.post(path, data={"code": code})
    assert page.status_code == 200
    for told in ("South Africa", "Cape Town", "1001", "registration", "allowed", "hello"):
        assert told in page.text, told
    assert "Nobody." in page.text
    assert client.post(path, data={"code": code}).status_code == 404
    assert client.get(path).status_code == 404


def test_looking_uses_nothing_up(phone: Phone, client: FlaskClient) -> None:
    """Chat companies fetch links for their previews."""
    path, code = ask(phone)
    for _ in range(20):
        page = client.get(path)
        assert page.status_code == 200
        assert "South Africa" not in page.text
        client.head(path)
    assert client.post(path, data={"code": code}).status_code == 200


def test_five_tries_and_no_sixth(phone: Phone, client: FlaskClient, house: House) -> None:
    """A-06: at most five in a million, for ever."""
    path, code = ask(phone)
    answers = [client.post(path, data={"code": wrong(code, by)}) for by in range(1, 6)]
    assert [one.status_code for one in answers] == [403, 403, 403, 403, 404]
    assert "Tries left: 4." in answers[0].text
    assert client.post(path, data={"code": code}).status_code == 404
    with transaction(house.line.engine, house.organisation.id) as db:
        assert db.scalars(select(MemberLink)).one().opened_at is None


def at_once(house: House, path: str, codes: Sequence[str]) -> list[int]:
    """Post every code at one moment, each over a connection of its own; the answers in order."""
    together = Barrier(len(codes))

    def post(code: str) -> int:
        client = house.app.test_client()
        together.wait(20)
        return client.post(path, data={"code": code}).status_code

    with ThreadPoolExecutor(len(codes)) as pool:
        return list(pool.map(post, codes))


def test_fifty_tries_at_one_moment_are_counted_one_by_one(
    phone: Phone, client: FlaskClient, house: House
) -> None:
    """A-06: who tries many codes at once has no more tries than who tries them in turn."""
    path, code = ask(phone)
    statuses = at_once(house, path, [wrong(code, by) for by in range(1, 51)])
    assert (statuses.count(403), statuses.count(404)) == (4, 46)
    with transaction(house.line.engine, house.organisation.id) as db:
        assert db.scalars(select(MemberLink.tries)).one() == 5
    assert client.post(path, data={"code": code}).status_code == 404


def test_the_right_code_at_one_moment_opens_one_page(phone: Phone, house: House) -> None:
    """C-05: a link is for one use, also when twenty use it together."""
    path, code = ask(phone)
    assert sorted(at_once(house, path, [code] * 20)) == [200, *[404] * 19]


def test_a_link_lives_for_a_day(phone: Phone, client: FlaskClient, house: House) -> None:
    path, code = ask(phone)
    house.clock.advance(timedelta(hours=24))
    assert client.get(path).status_code == 404
    assert client.post(path, data={"code": code}).status_code == 404


def test_a_newer_link_closes_the_older(phone: Phone, client: FlaskClient) -> None:
    old, old_code = ask(phone)
    new, new_code = ask(phone)
    assert client.post(old, data={"code": old_code}).status_code == 404
    assert client.post(new, data={"code": old_code}).status_code in {403, 200}
    assert client.post(new, data={"code": new_code}).status_code in {404, 200}


@pytest.mark.parametrize("typed", ["{0} ", "{1}-{2}", "arabic"])
def test_a_code_may_be_typed_as_people_type(phone: Phone, client: FlaskClient, typed: str) -> None:
    path, code = ask(phone)
    arabic = "".join(chr(0x660 + int(digit)) for digit in code)
    given = arabic if typed == "arabic" else typed.format(code, code[:3], code[3:])
    assert client.post(path, data={"code": given}).status_code == 200


def test_the_file_can_be_fetched_once_by_the_page(
    phone: Phone, client: FlaskClient, house: House
) -> None:
    path, code = ask(phone)
    page = client.post(path, data={"code": code}).text
    ticket = re.search(r'name="ticket" value="([\w-]+)"', page)
    assert ticket is not None
    file = client.post(path, data={"ticket": ticket[1]})
    assert file.mimetype == "application/json"
    assert "attachment" in file.headers["Content-Disposition"]
    rows = json.loads(file.data)
    assert rows["addresses"][0]["sealed"] == "telegram:1001"
    assert {row["question"] for row in rows["answers"]} >= {"country", "place", "purposes"}
    assert client.post(path, data={"ticket": ticket[1]}).status_code == 404


def test_the_file_waits_a_quarter_of_an_hour(
    phone: Phone, client: FlaskClient, house: House
) -> None:
    path, code = ask(phone)
    page = client.post(path, data={"code": code}).text
    ticket = re.search(r'name="ticket" value="([\w-]+)"', page)
    assert ticket is not None
    assert client.post(path, data={"ticket": "guess"}).status_code == 404
    house.clock.advance(timedelta(minutes=16))
    assert client.post(path, data={"ticket": ticket[1]}).status_code == 404


@pytest.mark.parametrize("path", ["/m/nothing", "/m/" + "A" * 22, "/m/" + "A" * 500, "/m/%00"])
def test_a_link_that_is_none_leads_nowhere(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path, data={"code": "123456"}).status_code == 404


def test_strangers_links_and_used_ones_look_alike(phone: Phone, client: FlaskClient) -> None:
    path, code = ask(phone)
    client.post(path, data={"code": code})
    used, unknown = client.get(path), client.get("/m/" + "A" * 22)
    assert (used.status_code, used.text) == (unknown.status_code, unknown.text)


def test_the_page_needs_no_script_and_leaves_no_trace(phone: Phone, client: FlaskClient) -> None:
    path, code = ask(phone)
    for page in (client.get(path), client.post(path, data={"code": code})):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert "<script" not in page.text
        assert "style=" not in page.text
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in page.headers["X-Robots-Tag"]
        assert not re.search(r'(?:href|action)="[^"]*(?:1001|ZA|Cape)', page.text)


@pytest.mark.parametrize(("number", "language"), list(enumerate(LANGUAGES)))
def test_the_page_speaks_the_language_of_the_chat(
    house: House, client: FlaskClient, number: int, language: str
) -> None:
    phone = house.phone()
    for said in ("hello", NAMES[language], "1", "South Africa", "1", "Cape Town"):
        phone.say(said)
    path, code = ask(phone)
    asked = client.get(path).text
    opened = client.post(path, data={"code": code}).text
    direction = "rtl" if language == "ar" else "ltr"
    for page in (asked, opened):
        assert f'<html lang="{language}" dir="{direction}">' in page
        assert _TEXTS["title"][number].replace("'", "&#39;") in page
    assert '<label for="code">' in asked
    assert 'role="alert"' in client.post(path, data={"code": "0"}).text


def test_every_sentence_is_in_every_language() -> None:
    assert all(len(found) == len(LANGUAGES) and all(found) for found in _TEXTS.values())


def test_what_a_person_wrote_is_never_markup(phone: Phone, client: FlaskClient) -> None:
    phone.say("<script>alert(1)</script>")
    path, code = ask(phone)
    page = client.post(path, data={"code": code}).text
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_opening_is_recorded_and_the_secret_is_not(
    phone: Phone, client: FlaskClient, house: House
) -> None:
    path, code = ask(phone)
    client.post(path, data={"code": code})
    with transaction(house.line.engine, house.organisation.id) as db:
        opened = db.scalars(select(AuditEvent).where(AuditEvent.action == "mydata.opened")).one()
        assert opened.subject_id == phone.contact_id
    token = path.removeprefix("/m/")
    with system_scope(house.line.engine) as db:
        for table in ("messages", "member_links", "conversations", "audit_events", "due"):
            dump = "\n".join(db.scalars(text(f"select t::text from {table} t")))
            assert token not in dump
            assert f'"{code}"' not in dump
