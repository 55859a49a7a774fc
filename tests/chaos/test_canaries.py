"""Marked people talk to the real processes, also where things fail; then everything is searched.

Logs may hold no number, name, text or secret (trust S-07). The database's files hold numbers and
typed words only sealed (S-01), and after DELETE no table holds anything of the person at all.
"""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.house import SECRET, SIGNED, TOKEN
from tests.chaos.storm import Storm, storm
from tests.fakes.hooks import Shake
from tests.fakes.telegram_people import Person
from tests.fakes.twilio_people import Phone

CHAT = 917_555_012_399
NAME = "Quillonda Farrowmarch"
PHONE = "+447700955511"
WORDS = "my cousin Brandelwyn lives above the bakery"
OTHERS = "Vintrasoul 4411, please tell nobody"
PERSONAL = (str(CHAT), NAME, PHONE, PHONE[1:], WORDS, OTHERS, "Brandelwyn", "Vintrasoul")
SECRETS = (TOKEN, SECRET, SIGNED["auth_token"])
BROKEN = """update conversations set state = '{"session": {"flow": 7}, "version": "x"}'"""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run in which marked people have met every trouble we know."""
    data = tmp_path_factory.mktemp("canaries") / "house"
    with storm(data, 0, shake=Shake(again=0.3, spread=0.05)) as run:
        run.telegram.run(lambda: None)
        person, phone = _people(run)
        for said in ("hello", "1", "1", WORDS):
            _say(run, person, phone, said)
        _provider_fails(run, person, phone)
        _conversation_breaks(run, person, phone)
        _nonsense(run, person)
        run.house.restart_database()
        _say(run, person, phone, OTHERS)
        run.settle()
        yield run, person, phone


def test_no_line_of_any_log_names_anybody_or_anything_secret(played: Any) -> None:
    """S-07: failing paths included."""
    run = played[0]
    for web in run.house.webs:
        assert "web.started" in web.log.read_text(encoding="utf-8")
    output = run.house.output()
    assert run.house.events("message.quarantined")
    assert run.house.events("message.not_sent")
    keys = [key.key.hex() for key in run.house.homeline.settings.master_keys]
    keys.append(run.house.homeline.settings.secret_key.decode())
    for canary in (*PERSONAL, *SECRETS, *keys):
        assert canary not in output


def test_the_files_of_the_database_hold_numbers_and_words_only_sealed(played: Any) -> None:
    """S-01: every file of the cluster, its log of changes too."""
    run = played[0]
    with run.house.system() as connection:
        connection.execute("checkpoint")
    assert _files_with(run.house.cluster, "registration-express"), "the search finds what is there"
    for canary in (*PERSONAL, *SECRETS):
        assert _files_with(run.house.cluster, canary) == []


def test_after_delete_no_table_holds_anything_of_the_person(played: Any) -> None:
    run, person, _ = played
    contact = run.house.ask(
        "select contact_id from addresses where scheme = 'telegram' order by id limit 1"
    )[0][0]
    run.house.ask("update conversations set state = null returning 1")
    assert _rows_with(run, str(contact)) != {}
    before = len(person.bubbles)
    person.send("DELETE")
    run.telegram.wait_until(lambda: len(person.bubbles) > before, 20)
    person.send("1")
    run.telegram.wait_until(lambda: len(person.bubbles) > before + 1, 20)
    left = _rows_with(run, str(contact))
    assert set(left) <= {"audit_events"}, left  # ids only, and the chain stays
    assert run.house.ask("select count(*) from tombstones") == [(1,)]


# --- what they go through ---


def _people(run: Storm) -> tuple[Person, Phone]:
    person = run.telegram.person(CHAT)
    person.user["first_name"] = person.user["username"] = NAME
    return person, run.twilio.phone(PHONE)


def _say(run: Storm, person: Person, phone: Phone, text: str) -> None:
    seen = len(person.bubbles), len(phone.inbox)
    person.send(text)
    phone.send(text)
    run.telegram.wait_until(lambda: len(person.bubbles) > seen[0], 20)
    run.twilio.wait_until(lambda: len(phone.inbox) > seen[1], 20)


def _provider_fails(run: Storm, person: Person, phone: Phone) -> None:
    """Both providers repeat the address and the text in what they complain about."""
    echo = {"ok": False, "error_code": 400, "code": 21211, "status": 400,
            "description": f"Bad Request: {CHAT} {NAME} {WORDS}",
            "message": f"The 'To' number {PHONE} is not valid: {WORDS}"}  # fmt: skip
    for fake, method in ((run.telegram, "sendMessage"), (run.twilio, "messages")):
        fake.run(lambda fake=fake, m=method: fake.script.add(  # type: ignore[misc]
            "status", code=400, body=echo, times=1, method=m))  # fmt: skip
    person.send(WORDS)
    phone.send(WORDS)
    _wait(lambda: len(run.house.events("message.not_sent")) >= 2)
    run.house.ask("update addresses set status = 'active' returning 1")


def _conversation_breaks(run: Storm, person: Person, phone: Phone) -> None:
    run.house.ask(f"{BROKEN} returning 1")
    person.send(OTHERS)
    phone.send(OTHERS)
    _wait(lambda: run.house.ask("select count(*) from quarantine")[0][0] >= 2)
    run.house.ask("update conversations set state = null returning 1")


def _nonsense(run: Storm, person: Person) -> None:
    account = next(iter(run.telegram.accounts.values()))
    for shape in ({"text": WORDS}, [NAME], {"from": {"id": CHAT, "first_name": NAME}, "text": 4}):
        run.telegram.run(
            lambda s=shape: run.telegram.courier.push(account, "message", s, "raw", 60)  # type: ignore[misc]
        )
    person.voice()
    person.contact(PHONE)


def _wait(seen: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- searching ---


def _files_with(folder: Path, text: str) -> list[str]:
    forms = {text.encode(), text.encode("utf-16-le"), text.encode().hex().encode()}
    found = []
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            if any(form in content for form in forms):
                found.append(str(file.relative_to(folder)))
    return found


def _rows_with(run: Storm, text: str) -> dict[str, int]:
    tables = run.house.ask(
        "select relname from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind = 'r' order by 1"
    )
    counts = {}
    for (table,) in tables:
        query = f"select count(*) from {table} t where t::text like '%{text}%'"
        if number := run.house.ask(query)[0][0]:
            counts[table] = number
    return counts
