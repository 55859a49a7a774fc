"""A poll sent to one person as a test: played to its end, marked as a test, and counted nowhere."""

from datetime import timedelta
from uuid import UUID

import pytest

from models.db import transaction
from services import audit
from services.asks import asks, poll_tests
from services.asks.asks import NewAsk
from services.broadcasts.casting import Caster
from services.errors import Conflict
from services.people import contacts
from services.people.registrations import Wanted, list_registrations
from tests.bot.conftest import Desk
from tests.bot.test_broadcasts import FIRST, FLOW, NOON, begun, crowd, done, turn
from tests.fakes.telegram import FakeTelegram

TEST = "A test: only you get this, and your answers do not count."


@pytest.fixture(autouse=True)
def somebody(telegram: FakeTelegram, desk: Desk) -> None:
    """Somebody who has opened the bot, at noon."""

    def come() -> None:
        person = telegram.person(FIRST)
        next(iter(telegram.accounts.values())).chats.setdefault(person.id, person.chat)
        person.chat.blocked = False

    telegram.run(come)
    desk.clock.advance(NOON - desk.clock.now())


def drafted(desk: Desk, *, is_open: bool = False) -> UUID:
    with transaction(desk.engine, desk.organisation_id) as db:
        now = desk.clock.now()
        made = asks.create(db, NewAsk(definition=FLOW), now=now)
        return asks.open_ask(db, made.id, now=now).id if is_open else made.id


def tried(desk: Desk, ask_id: UUID, person: UUID) -> None:
    with transaction(desk.engine, desk.organisation_id) as db:
        contact = contacts.get(db, person)
        poll_tests.send_test(db, ask_id, contact, actor=audit.SYSTEM, now=desk.clock.now())
    desk.deliver()


def shown(desk: Desk, telegram: FakeTelegram) -> str:
    desk.deliver()
    return telegram.person(FIRST).bubbles[-1].text


def test_a_draft_is_tried_to_its_end_as_often_as_wanted_and_nothing_is_kept(
    desk: Desk, telegram: FakeTelegram
) -> None:
    (person,) = crowd(desk, "telegram")
    before = desk.scalar("select rest from profiles")
    ask_id = drafted(desk)
    for _ in range(2):
        tried(desk, ask_id, person)
        seen = shown(desk, telegram)
        assert seen.startswith(TEST)
        assert "When should we be open?" in seen
        desk.hear("2", FIRST)
        assert shown(desk, telegram) == "The test ends here. Nothing was counted."
    assert desk.ask("select 1 from answers where question = 'when_open'") == []
    assert desk.scalar("select rest from profiles") == before
    assert desk.ask("select 1 from recipients") == []
    passages = desk.ask("select ask_id, status from flow_sessions where kind = 'poll'")
    assert passages == [(None, "complete")] * 2


def test_a_test_speaks_its_language_to_the_end_and_is_no_registration(
    desk: Desk, telegram: FakeTelegram
) -> None:
    (person,) = crowd(desk, "telegram")
    first = FLOW["questions"][0] | {"text": {"en": "When?", "fr": "Quand ?"}}
    second = {"id": "why", "type": "text", "text": {"en": "Why?", "fr": "Pourquoi ?"}}
    both = {"flow": "two", "languages": ["en", "fr"], "questions": [first, second]}
    with transaction(desk.engine, desk.organisation_id) as db:
        ask = asks.create(db, NewAsk(definition=FLOW | both), now=desk.clock.now())
        contact = contacts.get(db, person)
        poll_tests.send_test(
            db, ask.id, contact, language="fr", actor=audit.SYSTEM, now=desk.clock.now()
        )
    assert "Quand ?" in shown(desk, telegram)
    desk.hear("1", FIRST)
    assert "Pourquoi ?" in shown(desk, telegram)
    desk.hear("encore", FIRST)
    assert "Le test finit ici" in shown(desk, telegram)
    desk.hear("well", FIRST)
    assert "no open question" in shown(desk, telegram), "the person's own language stays"
    with transaction(desk.engine, desk.organisation_id) as db:
        wanted = Wanted(flow="two")
        assert list_registrations(db, desk.homeline.keyring, wanted, after=None, most=9) == []


def test_who_has_a_test_open_gets_the_poll_all_the_same(desk: Desk) -> None:
    (person,) = crowd(desk, "telegram")
    ask_id = drafted(desk, is_open=True)
    tried(desk, ask_id, person)
    sending = begun(desk, ask_id)
    caster = Caster(desk.engine)
    turn(desk, caster)
    desk.deliver()
    turn(desk, caster)
    found, _ = done(desk, sending)
    assert (found.sent, found.left_out) == (1, {})
    desk.hear("1", FIRST)
    answers = desk.ask("select contact_id from answers where question = 'when_open'")
    assert answers == [(person,)]


def test_a_number_that_may_have_changed_hands_waits_on_after_a_test(desk: Desk) -> None:
    (person,) = crowd(desk, "telegram")
    until = "2027-01-01T00:00:00+00:00"
    desk.change(
        "update conversations set state = jsonb_build_object('waits', cast(:at as text))", at=until
    )
    tried(desk, drafted(desk), person)
    assert desk.scalar("select state ->> 'waits' from conversations") == until


def test_who_is_in_the_middle_of_something_is_not_interrupted_by_a_test(desk: Desk) -> None:
    (person,) = crowd(desk, "telegram")
    desk.hear("MENU", FIRST)
    with pytest.raises(Conflict, match="middle of something"):
        tried(desk, drafted(desk), person)


def test_whatsapp_outside_its_window_is_refused_with_what_to_do(desk: Desk) -> None:
    (person,) = crowd(desk, "whatsapp")
    with pytest.raises(Conflict, match="write anything to us there"):
        tried(desk, drafted(desk), person)


def test_who_stopped_or_a_poll_that_is_over_is_not_tried(desk: Desk) -> None:
    (person,) = crowd(desk, "telegram")
    ask_id = drafted(desk)
    with transaction(desk.engine, desk.organisation_id) as db:
        asks.cancel(db, ask_id, now=desk.clock.now())
    with pytest.raises(Conflict, match="over"):
        tried(desk, ask_id, person)
    desk.hear("STOP", FIRST)
    desk.clock.advance(timedelta(minutes=1))
    with pytest.raises(Conflict, match="START"):
        tried(desk, drafted(desk), person)
