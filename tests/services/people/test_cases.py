"""A person is called by PERSON, by danger, by the third rung, by who writes after STOP."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from models import AuditEvent, Case, CaseReason, CaseStatus, Contact, Conversation, Message
from models.db import transaction
from models.walls import system_scope
from services.audit import Actor
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.people import cases
from tests.services.phones import House, Phone
from tests.services.talking import Talk, catalogue

OFFICER = Actor("officer", uuid4())
PERSONS = ["PERSON", "Personne", "persona", "Pessoa", "شخص", "/person", "a person"]
DANGER = [
    "I want to kill myself",
    "the POLICE are coming!",
    "help me",
    "my husband beats me",
    "je veux mourir",
    "Au secours !!",
    "me secuestraron? no: secuestrada",
    "socorro",
    "أنا في خطر",
    "ساعدوني",
]
HARMLESS = ["skills", "my passport was killed?".replace("killed", "cancelled"), "Kilkenny", "", "1"]


def only_case(phone: Phone) -> Case:
    with transaction(phone.line.engine, phone.view.organisation_id) as db:
        return db.scalars(select(Case).where(Case.contact_id == phone.contact_id)).one()


# --- the conversation alone ---


@pytest.mark.parametrize("word", PERSONS)
def test_person_calls_one_in_every_language(word: str) -> None:
    talk = Talk().registered().say(word)
    assert talk.rows is not None
    assert talk.rows.case is not None
    assert talk.rows.case["reason"] == CaseReason.PERSON
    assert talk.phrases == ["person_told"]


def test_in_the_middle_of_a_question_the_question_stays() -> None:
    talk = Talk().say("hello").say("English").say("1").say("person")
    assert talk.phrases == ["person_told", "?country"]
    assert talk.say("South Africa").phrases == ["?purposes"]
    assert talk.rows is not None
    assert talk.rows.case is None, "an answer to a question is not for the officer"


def test_the_third_wrong_answer_calls_a_person_once() -> None:
    talk = Talk().say("hello").say("English").say("1")
    opened = []
    for wrong in ("xqzzy", "xqzzy", "xqzzy", "xqzzy"):
        rows = talk.say(wrong).rows
        opened.append(rows.case["reason"] if rows and rows.case else None)
    assert opened == [None, None, CaseReason.STUCK, None]


def test_what_is_written_while_nothing_waits_joins_the_case() -> None:
    talk = Talk().registered().say("PERSON")
    first = talk.scene and talk.scene.case_id
    assert talk.say("my passport is lost").phrases == ["case_noted"]
    assert talk.rows is not None
    assert talk.rows.heard["content"] == {"kind": "message", "case": first}
    assert talk.say("in Nairobi").reply is None, "only the first is acknowledged"
    assert talk.say("MENU").phrases == ["?menu"], "words mean what they always mean"


@pytest.mark.parametrize("sentence", DANGER)
def test_danger_opens_a_case_beside_the_ordinary_answer(sentence: str) -> None:
    talk = Talk().say("hello").say("English").say("1").say(sentence)
    assert talk.rows is not None
    assert talk.rows.case is not None
    assert talk.rows.case["reason"] == CaseReason.DANGER
    assert talk.phrases[0] == "danger_told"
    assert talk.phrases[-1] == "?country"


@pytest.mark.parametrize("sentence", HARMLESS)
def test_what_only_looks_like_danger_opens_none(sentence: str) -> None:
    rows = Talk().registered().say(sentence).rows
    assert rows is not None
    assert rows.case is None


def test_the_emergency_line_is_named_where_there_is_one() -> None:
    talk = Talk(catalogue=catalogue(emergency_line="+27 12 345 6789")).registered()
    assert "+27 12 345 6789" in talk.say("help me").text


def test_who_has_stopped_is_kept_for_an_officer_and_hears_nothing() -> None:
    talk = Talk().registered().say("STOP").say("where is my passport?")
    assert talk.rows is not None
    assert talk.rows.case is not None
    assert talk.rows.case["reason"] == CaseReason.STOPPED_MESSAGE
    assert talk.reply is None
    assert talk.rows.back is None


def test_danger_is_answered_even_after_stop_and_brings_nobody_back() -> None:
    talk = Talk().registered().say("STOP").say("they will kill me")
    assert talk.phrases == ["danger_told"]
    assert talk.reply is not None
    assert talk.reply["kind"] == "rights"
    assert talk.standing.contact_status == "stopped"
    assert talk.say("help me").reply is not None


# --- with the database ---


def test_a_case_is_one_while_it_is_not_closed(house: House) -> None:
    phone = house.phone().register()
    for text_ in ("PERSON", "my passport is lost", "PERSON", "help me"):
        phone.say(text_)
    found = only_case(phone)
    assert (found.status, found.unread, found.reason) == ("open", 4, CaseReason.DANGER)


def test_an_officer_reads_answers_and_closes(house: House) -> None:
    phone = house.phone().register()
    phone.say("PERSON")
    phone.say("my passport is lost")
    case_id = only_case(phone).id
    with transaction(house.line.engine, house.organisation.id) as db:
        read = cases.read(db, house.line.keyring, case_id, actor=OFFICER, now=house.clock.now())
        assert [said.text for said in read.messages] == ["PERSON", "my passport is lost"]
        assert read.case.unread == 0
        viewed = db.scalars(select(AuditEvent).where(AuditEvent.action == "case.viewed")).one()
        assert (viewed.subject_id, viewed.actor_id) == (phone.contact_id, OFFICER.id)
        queued = cases.answer(
            db,
            house.line.keyring,
            case_id,
            " Come on {Monday}. ",
            actor=OFFICER,
            now=house.clock.now(),
        )
        assert b"Monday" not in (queued.sealed or b"")
    assert phone.read() == "Consulate: Come on {Monday}."
    assert only_case(phone).status is CaseStatus.ANSWERED
    assert phone.say("thank you") == "Thank you. A person will read this."
    assert only_case(phone).status is CaseStatus.OPEN
    with transaction(house.line.engine, house.organisation.id) as db:
        again = cases.read(db, house.line.keyring, case_id, actor=OFFICER, now=house.clock.now())
        assert [said.text for said in again.messages][2:] == ["Come on {Monday}.", "thank you"]
        cases.close(db, case_id, actor=OFFICER, now=house.clock.now())
    assert "no open question" in phone.say("hello")
    with transaction(house.line.engine, house.organisation.id) as db:
        assert db.get_one(Conversation, (house.organisation.id, phone.contact_id)).case_id is None
        with pytest.raises(Conflict):
            cases.answer(db, house.line.keyring, case_id, "x", actor=OFFICER, now=house.clock.now())
    phone.say("PERSON")
    with transaction(house.line.engine, house.organisation.id) as db:
        assert len(cases.list_cases(db)) == 2


def test_nobody_is_brought_back_by_an_answer(house: House) -> None:
    phone = house.phone().register()
    phone.say("STOP")
    assert phone.say("where is my passport?") == ""
    with transaction(house.line.engine, house.organisation.id) as db:
        [found] = cases.list_waiting(db)
        with pytest.raises(NotAllowed):
            cases.answer(
                db, house.line.keyring, found.id, "x", actor=OFFICER, now=house.clock.now()
            )
        assert db.get_one(Contact, (house.organisation.id, phone.contact_id)).status == "stopped"


def test_danger_stands_first_in_the_list(house: House) -> None:
    calm, urgent = house.phone("telegram:1").register(), house.phone("telegram:2").register()
    calm.say("PERSON")
    urgent.say("they will kill me")
    with transaction(house.line.engine, house.organisation.id) as db:
        waiting = cases.list_waiting(db)
    assert [one.reason for one in waiting] == [CaseReason.DANGER, CaseReason.PERSON]


def test_what_an_officer_writes_has_bounds_and_an_existing_case(house: House) -> None:
    with transaction(house.line.engine, house.organisation.id) as db:
        now, keyring = house.clock.now(), house.line.keyring
        for bad in ("", "  ", "x" * 1001):
            with pytest.raises(Invalid):
                cases.answer(db, keyring, uuid4(), bad, actor=OFFICER, now=now)
        with pytest.raises(NotFound):
            cases.answer(db, keyring, uuid4(), "hello", actor=OFFICER, now=now)


def test_a_message_of_a_case_and_the_case_are_one_transaction(house: House) -> None:
    phone = house.phone().register()
    phone.say("PERSON")
    with system_scope(house.line.engine) as db:
        marked = db.scalar(
            text("select count(*) from messages m join cases c on m.content->>'case' = c.id::text")
        )
    assert marked == 1


def test_an_erased_person_leaves_no_case(house: House) -> None:
    phone = house.phone().register()
    phone.say("PERSON")
    phone.say("DELETE")
    assert "Receipt" in phone.say("1")
    with system_scope(house.line.engine) as db:
        assert db.scalars(select(Case)).all() == []
        assert db.scalars(select(Message)).all() == []


def test_the_talk_with_an_officer_goes_on_after_the_state_has_expired(house: House) -> None:
    phone = house.phone().register()
    phone.say("PERSON")
    house.clock.advance(timedelta(days=20))
    assert phone.say("still waiting") == "Thank you. A person will read this."
    assert only_case(phone).unread == 2
