"""What people say is what conditions later know of them."""

from typing import Any

import pytest

from flows.conditions import Names, evaluate, parse
from flows.flow import build
from models.conditions import find_facts, lookup
from models.db import transaction
from services import flows
from tests.services.phones import House, Phone

QUESTION = {"type": "yes_no", "required": False, "text": {"en": "Open on Saturday?"}}
HOURS: dict[str, Any] = {
    "flow": "hours",
    "kind": "poll",
    "purpose": {"why": "a test", "owner": "nobody", "decision": "none"},
    "languages": ["en"],
    "entry": {"en": ["hours"]},
    "questions": [
        {"id": "open", **QUESTION},
        {"id": "why", "type": "text", "required": False, "text": {"en": "Why?"}},
        {"id": "early", "when": {"open": "yes"}, **QUESTION},
        {"id": "last", **QUESTION},
    ],
}


@pytest.fixture
def member(house: House) -> Phone:
    with transaction(house.line.engine, house.organisation.id) as db:
        flows.publish(db, build(HOURS), now=house.clock.now())
    return house.phone("sms:+27831234567").register()


def holds(house: House, person: Phone, condition: object) -> bool:
    with transaction(house.line.engine, house.organisation.id) as db:
        facts = find_facts(db, person.contact_id)
    assert facts is not None
    return evaluate(parse(condition, Names()), lookup(facts), house.clock.now())


def test_registration_and_polls_are_known_by_their_names(house: House, member: Phone) -> None:
    for text in ("hours", "yes", "Because I work on weekdays.", "no"):
        member.say(text)
    for condition in (
        {"country": "ZA", "language": "en", "channel": "sms"},
        {"consent.alerts": "granted", "consent.polls": {"known": False}},
        {"registered": {"within": "1 day"}},
        {"hours.open": "yes", "hours.early": "no"},
        {"hours.why": {"known": True}},
    ):
        assert holds(house, member, condition), condition
    assert not holds(house, member, {"hours.why": "Because I work on weekdays."})


def test_what_was_skipped_is_unknown(house: House, member: Phone) -> None:
    for text in ("hours", "0", "SKIP"):
        member.say(text)
    assert holds(house, member, {"hours.open": {"known": False}, "hours.why": {"known": False}})


def test_an_answer_that_a_later_one_made_irrelevant_is_forgotten(
    house: House, member: Phone
) -> None:
    for text in ("hours", "yes", "SKIP", "no"):
        member.say(text)
    assert holds(house, member, {"hours.early": "no"})
    for text in ("BACK", "BACK", "BACK", "no"):
        member.say(text)
    assert holds(house, member, {"hours.open": "no", "hours.early": {"known": False}})
