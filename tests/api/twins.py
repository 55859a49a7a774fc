"""Two made-up organisations of the same people but for one to nine, and questions about them.

Whoever asks both the same and hears the same has learned nothing about those few.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert

from models import Case, CaseReason, Contact, ContactStatus, Profile
from models.base import new_id
from models.case import CaseStatus
from tests.answered import NEEDS, QUESTIONS
from tests.factories import Factory

SIZE: Mapping[str, Any] = {"id": "size", "type": "number", "text": {"en": "How many are you?"}}
QUESTIONED: Final = (*QUESTIONS, NEEDS, SIZE)
MOST, FEW = 60, 9
_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "country": ("ZA", "KE", "FR"),
    "language": ("en", "fr", "ar"),
    "channel": ("telegram", "sms", "whatsapp"),
    "opening-hours.when_open": ("mornings", "saturday", "evenings"),
}
_MOMENTS: Final = ("joined", "last_seen", "registered")
_OURS: Final = re.compile(r'[0-9a-f]{8}-[0-9a-f-]{27}|/[jr]/[a-z0-9]+|"next_cursor": ?"[^"]+"')
Person = Mapping[str, Any]


@dataclass(frozen=True)
class Twins:
    """What the two hold; the few are those whose rows differ, or who are in one of them only."""

    one: Sequence[Person]
    other: Sequence[Person]


def twins(chance: random.Random, now: datetime) -> Twins:
    """Return two populations by chance."""
    same = [person(chance, now) for _ in range(chance.randint(0, MOST))]
    few = chance.randint(1, FEW)
    gone = chance.randint(0, few)
    one = [person(chance, now) for _ in range(few)]
    other = [person(chance, now) for _ in range(few - gone)]
    return Twins([*same, *one], [*same, *other])


def person(chance: random.Random, now: datetime) -> Person:
    """Return somebody by chance, with what conditions can ask of them."""

    def ago() -> datetime:
        return now - timedelta(seconds=chance.randint(0, 60 * 24 * 3600))

    given = {
        "opening-hours.when_open": chance.choice(_WORDS["opening-hours.when_open"]),
        "opening-hours.needs": chance.sample(["papers", "work"], chance.randint(0, 2)),
        "opening-hours.size": chance.randint(1, 9),
    }
    rest = dict(chance.sample(sorted(given.items()), chance.randint(0, 3)))
    return {
        "status": chance.choice([*[ContactStatus.ACTIVE] * 5, ContactStatus.STOPPED]),
        "origin": chance.choice([{}, {"relay": "made-up"}]),
        "country": chance.choice([*_WORDS["country"], None]),
        "language": chance.choice(_WORDS["language"]),
        "channel": chance.choice(_WORDS["channel"]),
        "consents": chance.sample(["registration", "polls"], chance.randint(0, 2)),
        "joined_at": ago(),
        "last_seen_at": ago(),
        "registered_at": chance.choice([ago(), None]),
        "rest": rest,
    }


def settle(make: Factory, people: Sequence[Person]) -> None:
    """Let these be the people of the organisation; who said Saturday has a case that follows."""
    make.db.execute(delete(Contact).where(Contact.organisation_id == make.organisation_id))
    contacts, profiles, followed = [], [], []
    for one in people:
        whose = {"organisation_id": make.organisation_id, "last_seen_at": one["last_seen_at"]}
        contact_id = new_id(make.now)
        contacts.append(
            whose
            | {name: one[name] for name in ("status", "origin", "language")}
            | {"id": contact_id, "wrapped_key": b"made up", "created_at": one["joined_at"]}
            | {"expires_at": make.now + timedelta(days=700)}
        )
        told = {name: one[name] for name in one if name not in ("status", "origin")}
        told["expires_at"] = make.now + timedelta(days=700)
        profiles.append(whose | told | {"contact_id": contact_id})
        if one["rest"].get("opening-hours.when_open") == "saturday":
            followed.append(
                {
                    "organisation_id": make.organisation_id,
                    "id": new_id(make.now),
                    "contact_id": contact_id,
                    "reason": CaseReason.FOLLOW_UP,
                    "status": CaseStatus.OPEN,
                    "opened_at": make.now,
                    "last_message_at": make.now,
                }
            )
    for model, rows in ((Contact, contacts), (Profile, profiles), (Case, followed)):
        if rows:
            make.db.execute(insert(model), rows)


def condition(chance: random.Random, deep: int = 2) -> dict[str, Any]:
    """Return a condition by chance; every operator of the language comes up."""
    kind = chance.choice(("all", "any", "not")) if deep and chance.random() < 0.5 else ""
    if kind == "not":
        return {"not": condition(chance, deep - 1)}
    if kind:
        return {kind: [condition(chance, deep - 1) for _ in range(chance.randint(1, 3))]}
    name = chance.choice((*_WORDS, *_MOMENTS, "relay", "consent.polls", "needs", "size"))
    known = {"known": chance.random() < 0.5}
    if name in _WORDS:
        value = chance.choice(_WORDS[name])
        listed = chance.sample(_WORDS[name], 2)
        return {name: chance.choice((value, listed, {"not": value}, known))}
    if name in _MOMENTS:
        within = {"within": f"{chance.randint(1, 1500)} {chance.choice(('hours', 'days'))}"}
        day = f"2026-0{chance.randint(1, 3)}-{chance.randint(1, 28):02}"
        return {name: chance.choice((within, {"at_least": day}, {"at_most": day}, known))}
    others: dict[str, dict[str, Any]] = {
        "relay": {"relay": chance.choice(("made-up", known))},
        "consent.polls": {"consent.polls": chance.choice(("granted", known))},
        "needs": {"opening-hours.needs": {"has": chance.choice(("papers", "work"))}},
        "size": {"opening-hours.size": {chance.choice(("at_least", "at_most")): 5}},
    }
    return others[name]


def heard(text: str) -> str:
    """Return an answer without the ids, codes and cursors that each organisation has of its own."""
    return _OURS.sub("…", text)
