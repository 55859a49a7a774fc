"""One person, many addresses: joined by a code only the person can have, and parted when they must.

Everything goes through the intake and the real database; what a person is told is read from the
outbox as the delivery loop would send it.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from models import Address, Message
from models.db import transaction
from models.sealed import keyed_hash, open_sealed
from services.catalogue import read_catalogue
from services.messages.rendering import render
from services.people import contacts
from tests.bot.conftest import Desk

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
BY_SMS = ("hello", "1", "1", "Kenya")
"""The first half of the express registration."""


class Talk:
    """One person's chats with us."""

    def __init__(self, desk: Desk, number: int = 7) -> None:
        self.desk, self.number = desk, number
        desk.change("update channels set sender = 'HomelineBot' where kind = 'telegram'")

    def say(self, *words: str, on: str = "sms", number: int | None = None, **more: Any) -> str:
        """Write; returns what is answered in that chat, or nothing."""
        who = self.number if number is None else number
        before = set(self.desk.ask("select id from messages"))
        for word in words:
            self.desk.clock.advance(MINUTE)
            arrival = replace(self.desk.arrival(word, who, kind=on), **more)
            if word.startswith("/start "):
                arrival = replace(arrival, entry=word.removeprefix("/start "))
            self.desk.intake.take(self.desk.views[on], arrival)
            self.desk.clock.advance(timedelta(seconds=1))
            self.desk.change("update messages set status = 'sent' where status = 'queued'")
        said = [text for row, kind, text in self.outbox() if (row,) not in before and kind == on]
        return said[-1] if said else ""

    def outbox(self) -> list[tuple[UUID, str, str]]:
        """What was said to anybody: message, channel and text, in order."""
        desk = self.desk
        catalogue = read_catalogue(desk.engine, desk.organisation_id)
        found = []
        with transaction(desk.engine, desk.organisation_id) as db:
            for message in db.scalars(
                select(Message).where(Message.direction == "out").order_by(Message.id)
            ):
                kind = next(k for k, v in desk.views.items() if v.id == message.channel_id)
                version = message.flow_version_id
                published = catalogue.version(version) if version else None
                prompt = render(
                    message.content or {"parts": []},
                    flow=published.flow if published else None,
                    language=message.language,
                    names=catalogue.names(None),
                    told=self._told(message),
                )
                found.append((message.id, kind, prompt.text))
        return found

    def _told(self, message: Message) -> dict[str, str]:
        if message.sealed is None:
            return {}
        contact = self.desk.ask(
            "select wrapped_key from contacts where id = :id", id=message.contact_id
        )[0]
        organisation_id = self.desk.organisation_id
        key = self.desk.homeline.keyring.unwrap(contact[0], organisation_id, message.contact_id)
        plain = open_sealed(
            key,
            message.sealed,
            table="messages",
            column="sealed",
            organisation_id=organisation_id,
            row_id=message.id,
        )
        return dict(json.loads(plain))

    def told(self, on: str) -> str:
        """The last thing said on a channel."""
        return [text for _, kind, text in self.outbox() if kind == on][-1]

    def code(self, on: str = "sms") -> str:
        """The six digits last told on a channel."""
        found = re.search(r"\d{6}", self.told(on))
        assert found
        return found[0]

    def whose(self, address: str) -> UUID | None:
        keys = self.desk.homeline.keys.open(self.desk.organisation_id)
        with transaction(self.desk.engine, self.desk.organisation_id) as db:
            return db.scalars(
                select(Address.contact_id).where(
                    Address.address_hash == keyed_hash(keys.index, "address", address)
                )
            ).one_or_none()

    @property
    def phone(self) -> str:
        return f"+4477009{self.number:05}"

    def answers(self) -> list[tuple[str, Any]]:
        rows = self.desk.ask("select question, value from answers order by question")
        return [(question, value) for question, value in rows]

    def take_code(self) -> str:
        """Ask for six digits by SMS."""
        self.say("MENU", "7", "2")
        return self.code()

    def take_token(self) -> str:
        """Ask for a link by SMS."""
        told = self.say("MENU", "7", "1")
        found = re.search(r"start=(L-[\w-]{22})", told)
        assert found, told
        return found[1]


@pytest.fixture
def talk(desk: Desk) -> Talk:
    return Talk(desk)


# --- another phone or app ---


def test_a_link_opens_telegram_at_the_right_question(talk: Talk) -> None:
    talk.say(*BY_SMS)
    token = talk.take_token()
    talk.desk.clock.advance(5 * MINUTE)
    told = talk.say(f"/start {token}", on="telegram")
    assert told.startswith("Done. Your phones and apps are joined.")
    assert "What may we write to you about?" in told
    assert talk.told("sms").startswith("Your phones and apps are joined. From now on")
    talk.say("1,2", "Nairobi", on="telegram")
    assert talk.whose("telegram:7") == talk.whose(f"sms:{talk.phone}")
    assert {"consent", "country", "language", "place", "purposes"} == set(dict(talk.answers()))
    assert talk.desk.ask("select status from flow_sessions") == [("complete",)]
    assert talk.desk.ask("select count(*) from contacts") == [(1,)]


def test_six_digits_join_a_stranger_on_another_app(talk: Talk) -> None:
    talk.say(*BY_SMS)
    code = talk.take_code()
    told = talk.say(code, on="telegram")
    assert "What may we write to you about?" in told


def test_digits_of_any_script_and_join_with_the_code_count_too(talk: Talk) -> None:
    talk.say(*BY_SMS)
    eastern = talk.take_code().translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert talk.say(f"{eastern[:3]} {eastern[3:]}", on="telegram").startswith("Done.")
    code = talk.take_code()
    assert talk.say(f"JOIN {code}", on="whatsapp", number=88).startswith("Done.")


def test_somebody_half_registered_in_both_apps_goes_on_with_both_halves(talk: Talk) -> None:
    talk.say(*BY_SMS)
    talk.say("hi", "1", on="telegram")
    token = talk.take_token()
    told = talk.say(f"/start {token}", on="telegram")
    assert "What may we write to you about?" in told
    assert [question for question, _ in talk.answers()] == ["consent", "country", "language"]
    assert talk.desk.scalar("select count(*) from contacts where status = 'merged'") == 1


def test_a_code_counts_once(talk: Talk) -> None:
    talk.say(*BY_SMS)
    code = talk.take_code()
    assert talk.say(code, on="telegram").startswith("Done.")
    assert talk.say(code, on="telegram", number=8).startswith("That code is not right.")
    assert talk.whose("telegram:8") != talk.whose("telegram:7")


def test_a_code_is_good_for_fifteen_minutes(talk: Talk) -> None:
    talk.say(*BY_SMS)
    code, token = talk.take_code(), None
    talk.desk.clock.advance(16 * MINUTE)
    assert talk.say(code, on="telegram").startswith("That code is too old.")
    token = talk.take_token()
    talk.desk.clock.advance(16 * MINUTE)
    assert talk.say(f"/start {token}", on="telegram").startswith("That code is too old.")
    assert talk.desk.scalar("select count(*) from addresses where scheme = 'sms'") == 1


def test_a_new_code_ends_the_one_before(talk: Talk) -> None:
    talk.say(*BY_SMS)
    first, second = talk.take_code(), talk.take_code()
    assert talk.say(first, on="telegram").startswith("That code is not right.")
    assert talk.say(second, on="telegram").startswith("Done.")


def test_five_wrong_codes_and_the_right_one_is_not_looked_at(talk: Talk) -> None:
    talk.say(*BY_SMS)
    code = talk.take_code()
    for wrong in range(5):
        guess = f"{(int(code) + 1 + wrong) % 10**6:06d}"
        assert "That code is not right." in talk.say(guess, on="telegram")
    assert talk.say(code, on="telegram").startswith("That was wrong too often.")
    assert talk.whose("telegram:7") != talk.whose(f"sms:{talk.phone}")


def test_many_guessing_accounts_are_held_up_together(talk: Talk) -> None:
    talk.say(*BY_SMS)
    code = talk.take_code()
    for number in range(100, 125):
        for wrong in range(4):
            guess = f"{(int(code) + 1 + number * 4 + wrong) % 10**6:06d}"
            talk.desk.hear(guess, number)
    assert talk.say(code, on="telegram").startswith("That was wrong too often.")


def test_nothing_of_a_code_or_token_is_in_the_database(talk: Talk) -> None:
    talk.say(*BY_SMS)
    code, token = talk.take_code(), talk.take_token()
    rows = " ".join(
        str(row)
        for table in ("link_codes", "messages", "conversations", "door", "contacts")
        for row in talk.desk.ask(f"select cast(t.* as text) from {table} t")
    )
    assert code not in rows
    assert token not in rows


def test_one_code_used_by_two_processes_at_once_joins_one(talk: Talk) -> None:
    talk.say(*BY_SMS)
    code = talk.take_code()
    view, other = talk.desk.views["telegram"], talk.desk.another_intake()
    both = [talk.desk.arrival(code, person) for person in (21, 22)]
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(one.take, view, said)
            for one, said in zip((talk.desk.intake, other), both, strict=True)
        ]
        [job.result(20) for job in jobs]
    owner = talk.whose(f"sms:{talk.phone}")
    assert [talk.whose("telegram:21"), talk.whose("telegram:22")].count(owner) == 1


def test_the_same_delivery_of_a_code_to_two_processes_joins_once(talk: Talk) -> None:
    talk.say(*BY_SMS)
    talk.say("hi", "1", on="telegram")
    code = talk.take_code()
    view, other = talk.desk.views["telegram"], talk.desk.another_intake()
    said = talk.desk.arrival(code, 7)
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(one.take, view, said) for one in (talk.desk.intake, other)]
        assert sorted(job.result(20).repeated for job in jobs) == [False, True]
    assert sum(text.startswith("Done.") for _, _, text in talk.outbox()) == 1


def test_who_stopped_in_one_app_has_stopped_in_both(talk: Talk) -> None:
    talk.say(*BY_SMS)
    code = talk.take_code()
    talk.say("STOP")
    told = talk.say(code, on="telegram")
    assert "You are already stopped." in told
    assert talk.desk.ask("select distinct status from contacts") == [("stopped",)]


# --- one number on two channels ---


def test_a_number_known_by_sms_is_asked_about_on_whatsapp_after_the_first_answer(
    talk: Talk,
) -> None:
    talk.say(*BY_SMS)
    assert "app" not in talk.say("hello", on="whatsapp")
    told = talk.say("1", on="whatsapp")
    assert told == "Somebody with this number writes to us in another app. Is that you?"
    assert talk.say("1", on="whatsapp").startswith("We sent 6 digits")
    code = talk.code("sms")
    told = talk.say(code, on="whatsapp")
    assert told.startswith("Done.")
    assert "What may we write to you about?" in told
    assert talk.whose(f"whatsapp:{talk.phone}") == talk.whose(f"sms:{talk.phone}")


def test_nothing_is_shown_of_the_other_before_the_code(talk: Talk) -> None:
    talk.say(*BY_SMS)
    said = [talk.say(word, on="whatsapp") for word in ("hello", "1", "1", "999999", "000000")]
    assert not any("Kenya" in text or "2 of 3" in text for text in said)


def test_who_says_no_goes_on_apart(talk: Talk) -> None:
    talk.say(*BY_SMS)
    told = talk.say("hello", "1", "2", on="whatsapp")
    assert told.startswith("Good. They stay apart, and we showed nothing.")
    assert "May we keep your answers" in told
    assert talk.desk.scalar("select count(*) from link_codes") == 0
    talk.say("1", on="whatsapp")
    assert talk.desk.scalar("select count(*) from contacts where status = 'active'") == 2


def test_a_code_sent_for_one_person_is_no_code_for_another(talk: Talk) -> None:
    talk.say(*BY_SMS)
    talk.say("hello", "1", "1", on="whatsapp")
    code = talk.code("sms")
    assert talk.say(code, on="telegram", number=9).startswith("That code is not right.")
    talk.desk.clock.advance(11 * MINUTE)
    assert talk.say(code, on="whatsapp").startswith("That code is too old.")


def test_five_wrong_digits_end_the_code_that_was_sent(talk: Talk) -> None:
    talk.say(*BY_SMS)
    talk.say("hello", "1", "1", on="whatsapp")
    code = talk.code("sms")
    for wrong in range(5):
        talk.say(f"{(int(code) + 1 + wrong) % 10**6:06d}", on="whatsapp")
    assert talk.desk.scalar("select count(*) from link_codes") == 0


@pytest.mark.parametrize("hidden", ["stopped", "silent"])
def test_who_stopped_or_is_long_silent_is_not_written_to_for_a_match(
    talk: Talk, hidden: str
) -> None:
    talk.say(*BY_SMS)
    if hidden == "stopped":
        talk.say("STOP")
    else:
        talk.desk.clock.advance(91 * DAY)
    assert "May we keep your answers" in talk.say("hello", "1", on="whatsapp")


# --- ids of WhatsApp ---


def test_a_number_and_an_id_in_one_message_are_one_person(talk: Talk) -> None:
    talk.say("hello", "1", on="whatsapp", aliases=("whatsapp-id:GB.13491208655302741918",))
    told = talk.say(
        "1", on="whatsapp", address="whatsapp-id:GB.13491208655302741918", number=None, aliases=()
    )
    assert "In which country do you live?" in told
    assert talk.desk.scalar("select count(*) from contacts") == 1


def test_a_number_shown_later_belongs_to_the_id(talk: Talk) -> None:
    talk.say("hello", "1", on="whatsapp", address="whatsapp-id:GB.1", number=None)
    told = talk.say("1", on="whatsapp", aliases=("whatsapp-id:GB.1",))
    assert "In which country do you live?" in told
    assert talk.whose(f"whatsapp:{talk.phone}") == talk.whose("whatsapp-id:GB.1")


def test_a_new_id_behind_a_number_is_asked_who_it_is(talk: Talk) -> None:
    talk.say(*BY_SMS, on="whatsapp", aliases=("whatsapp-id:GB.1",))
    told = talk.say("hi", on="whatsapp", aliases=("whatsapp-id:GB.2",))
    assert told == "Somebody registered with this number before. Was that you?"
    told = talk.say("MYDATA", on="whatsapp", aliases=("whatsapp-id:GB.2",))
    assert told == "Somebody registered with this number before. Was that you?"
    assert talk.whose("whatsapp-id:GB.2") is None
    talk.say("1", on="whatsapp", aliases=("whatsapp-id:GB.2",))
    assert talk.whose("whatsapp-id:GB.2") == talk.whose(f"whatsapp:{talk.phone}")
    told = talk.say("1,2", on="whatsapp", aliases=("whatsapp-id:GB.2",))
    assert "Which town or city?" in told


def test_a_new_number_with_a_new_id_is_somebody_new_until_joined(talk: Talk) -> None:
    talk.say(*BY_SMS, on="whatsapp", aliases=("whatsapp-id:GB.1",))
    talk.say("hello", on="whatsapp", number=8, aliases=("whatsapp-id:GB.2",))
    assert talk.whose("whatsapp-id:GB.2") != talk.whose("whatsapp-id:GB.1")


# --- numbers given out again ---


def test_a_number_silent_for_ninety_days_is_asked_neutrally_who_it_is(talk: Talk) -> None:
    talk.say(*BY_SMS, "1,2", "Nairobi")
    talk.desk.clock.advance(91 * DAY)
    for word in ("hello", "MYDATA", "CHANGE", "MENU", "START", "DELETE"):
        told = talk.say(word)
        assert told == "Somebody registered with this number before. Was that you?", word
    assert talk.say("1").startswith("Thank you. This number is yours.")
    assert "Nairobi" not in talk.say("MENU")


def test_a_new_owner_starts_anew_and_sees_nothing(talk: Talk) -> None:
    talk.say(*BY_SMS)
    before = talk.whose(f"sms:{talk.phone}")
    talk.desk.clock.advance(91 * DAY)
    talk.say("hello")
    told = talk.say("2")
    assert told.startswith("Thank you. We show you nothing of the person before")
    assert "Your language?" in told
    after = talk.whose(f"sms:{talk.phone}")
    assert after not in (None, before)
    talk.say("1", "1")
    assert talk.desk.scalar("select count(*) from answers where contact_id = :who", who=before) in (
        3,
        0,
    )
    assert talk.desk.ask("select status from addresses where contact_id = :who", who=before) == [
        ("dead",)
    ]


def test_stop_and_privacy_are_answered_to_anybody_behind_an_old_number(talk: Talk) -> None:
    talk.say(*BY_SMS)
    talk.desk.clock.advance(91 * DAY)
    assert "keeps your answers to plan services" in talk.say("PRIVACY")
    talk.say("STOP")
    assert talk.desk.scalar("select status from contacts") == "stopped"


def test_wrong_answers_never_open_what_was_said_before(talk: Talk) -> None:
    talk.say(*BY_SMS)
    talk.desk.clock.advance(91 * DAY)
    said = [talk.say(word) for word in ("hello", "what?", "who?", "Kenya", "1,2", "hm")]
    assert not any("What may we write" in text for text in said)


def test_another_address_of_the_person_is_not_doubted(talk: Talk) -> None:
    talk.say(*BY_SMS)
    talk.say(talk.take_code(), on="telegram")
    talk.desk.clock.advance(91 * DAY)
    assert "Was that you?" not in talk.say("hello", on="telegram")
    assert "Was that you?" in talk.say("hello")


# --- open and closed addresses ---


def test_a_closed_address_opens_when_it_is_used(talk: Talk) -> None:
    talk.say(*BY_SMS)
    talk.desk.change("update addresses set status = 'dead'")
    talk.say("1,2")
    assert talk.desk.scalar("select status from addresses") == "active"


def test_while_one_address_is_blocked_we_write_to_the_other(talk: Talk) -> None:
    talk.say(*BY_SMS)
    talk.say(talk.take_code(), on="telegram")
    talk.say("anything", on="telegram")
    talk.desk.intake.take(talk.desk.views["telegram"], talk.desk.arrival("", 7, event="blocked"))
    owner = talk.whose("telegram:7")
    assert owner is not None
    with transaction(talk.desk.engine, talk.desk.organisation_id) as db:
        address = contacts.find_last_address(db, owner)
        assert address is not None
        assert (address.scheme, address.status) == ("sms", "active")
    talk.say("hello", on="telegram")
    with transaction(talk.desk.engine, talk.desk.organisation_id) as db:
        address = contacts.find_last_address(db, owner)
        assert address is not None
        assert address.scheme == "telegram"


def test_a_wrong_code_is_answered_alike_whether_or_not_any_is_out(talk: Talk) -> None:
    talk.say(*BY_SMS)
    nobodys = talk.say("123456", on="telegram", number=90)
    code = talk.take_code()
    guess = f"{(int(code) + 1) % 10**6:06d}"
    assert talk.say(guess, on="telegram", number=91) == nobodys


def test_left_by_sms_back_on_telegram_after_six_days(talk: Talk) -> None:
    """Half-way by SMS; six days later Telegram, the code by SMS, and on at the same question."""
    talk.say(*BY_SMS)
    talk.desk.clock.advance(6 * DAY)
    talk.say("hello", "1", on="telegram")
    code = talk.take_code()
    told = talk.say(code, on="telegram")
    assert "What may we write to you about?" in told
    assert "May we keep your answers" not in told
    talk.say("1,2", "Nairobi", on="telegram")
    assert talk.desk.ask("select status, count(*) from flow_sessions group by status") == [
        ("complete", 1)
    ]
    assert [question for question, _ in talk.answers()] == [
        "consent",
        "country",
        "language",
        "place",
        "purposes",
    ]
