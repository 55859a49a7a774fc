"""Made-up members for the demo, in the rows the message path writes. No such person exists."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from flows.gazetteer import Place, bundled
from flows.normalising import normalise
from models.address import Address
from models.base import new_id
from models.consent import ConsentEvent
from models.contact import Contact, Conversation
from models.flow_session import Answer, FlowSession
from models.profile import Profile
from models.sealed import Keyring, OrganisationKeys, keyed_hash, seal
from models.walls import organisation_of
from services import organisations, retention

FLOW = "registration-express"
SEED = 1961
LONGEST_AGO = timedelta(days=120)
TOOK = timedelta(minutes=2)
COUNTRIES = {"ZA": 30, "FR": 22, "GB": 14, "US": 12, "KE": 8, "CA": 6, "CI": 5, "AE": 3}
TOWNS = {
    "ZA": ("Cape Town", "Johannesburg", "Durban", "Pretoria"),
    "FR": ("Paris", "Marseille", "Lyon"),
    "GB": ("London", "Manchester"),
    "US": ("New York", "Houston"),
    "KE": ("Nairobi", "Mombasa"),
    "CA": ("Toronto", "Montreal"),
    "CI": ("Abidjan",),
    "AE": ("Dubai",),
}
CHANNELS = {"whatsapp": 51, "telegram": 34, "sms": 15}
LANGUAGES = {"en": 48, "fr": 38, "ar": 8, "pt": 4, "es": 2}
PURPOSES = {"alerts": 0.92, "polls": 0.78, "consultations": 0.55, "projects": 0.31, "events": 0.44}
WITHOUT_PLACE = 0.12
# North American numbers kept for stories are 555-0100 to 555-0199, in every area.
FIRST_AREA, NUMBERS_AN_AREA = 200, 100

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Person:
    """One invented member: who, where, when, and what was agreed to."""

    id: UUID
    session_id: UUID
    address: str
    channel: str
    language: str
    country: str
    place: Place | None
    purposes: tuple[str, ...]
    at: datetime


def insert_people(
    db: Session,
    keyring: Keyring,
    channels: Mapping[str, UUID],
    version_id: UUID,
    version: int,
    *,
    count: int,
    now: datetime,
    first: int = 0,
) -> int:
    """Insert so many registered members, the same ones every time; return how many.

    More can follow in parts: `first` is the number of the first of them.
    """
    dice = random.Random(SEED)  # noqa: S311 - made-up people hide nothing
    numbers = range(first, first + count)
    people = sorted((_person(dice, n, now) for n in numbers), key=lambda one: one.at)
    writer = _Writer(db, keyring, channels, version_id, version)
    for table, rows in writer.rows(people).items():
        db.execute(insert(table), rows)
    return len(people)


def _person(dice: random.Random, number: int, now: datetime) -> _Person:
    channel, language = _one_of(dice, CHANNELS), _one_of(dice, LANGUAGES)
    country = _one_of(dice, COUNTRIES)
    town = dice.choice(TOWNS[country])
    place = None if dice.random() < WITHOUT_PLACE else _place(country, town)
    area, line = divmod(number, NUMBERS_AN_AREA)
    phone = f"+1{FIRST_AREA + area + 1}5550{line + 100}"
    at = now - LONGEST_AGO * dice.random() - timedelta(hours=1)
    return _Person(
        id=new_id(at),
        session_id=new_id(at),
        address=f"telegram:{9_000_000 + number}" if channel == "telegram" else f"{channel}:{phone}",
        channel=channel,
        language=language,
        country=country,
        place=place,
        purposes=tuple(name for name, share in PURPOSES.items() if dice.random() < share),
        at=at,
    )


@cache
def _place(country: str, town: str) -> Place | None:
    found = bundled().search(normalise(town), country=country, language="en", most=1)
    return found.places[0] if found.places else None


def _one_of(dice: random.Random, shares: Mapping[str, int]) -> str:
    return dice.choices(list(shares), weights=list(shares.values()))[0]


class _Writer:
    """From invented members to rows; each method is one kind of row."""

    def __init__(
        self,
        db: Session,
        keyring: Keyring,
        channels: Mapping[str, UUID],
        version_id: UUID,
        version: int,
    ) -> None:
        self._organisation = organisation_of(db)
        self._keys: OrganisationKeys = organisations.open_keys(db, keyring)
        self._keyring = keyring
        self._channels = channels
        self._version_id, self._version = version_id, version

    def rows(self, people: Sequence[_Person]) -> dict[type[Any], list[Row]]:
        """Every row of everybody, by table, in the order their keys ask for."""
        tables: dict[type[Any], list[Row]] = {
            Contact: [],
            Conversation: [],
            Address: [],
            Profile: [],
            FlowSession: [],
            Answer: [],
            ConsentEvent: [],
        }
        for person in people:
            key, wrapped = self._keyring.new_key(self._organisation, person.id)
            tables[Contact].append(self._contact(person, wrapped))
            tables[Conversation].append(self._conversation(person))
            tables[Address].append(self._address(person, key))
            tables[Profile].append(self._profile(person))
            tables[FlowSession].append(self._session(person))
            tables[Answer] += self._answers(person)
            tables[ConsentEvent] += self._consents(person)
        return tables

    def _row(self, person: _Person, table: str, **columns: Any) -> Row:
        expires = retention.expires_at(table, person.at + TOOK)
        return {"organisation_id": self._organisation, "expires_at": expires} | columns

    def _contact(self, person: _Person, wrapped: bytes) -> Row:
        return self._row(
            person,
            "contacts",
            id=person.id,
            wrapped_key=wrapped,
            language=person.language,
            created_at=person.at,
            last_seen_at=person.at + TOOK,
        )

    def _conversation(self, person: _Person) -> Row:
        return self._row(
            person,
            "conversations",
            contact_id=person.id,
            seq=7,
            tags=1,
            state=None,
            updated_at=person.at + TOOK,
        )

    def _address(self, person: _Person, key: bytes) -> Row:
        address_id = new_id(person.at)
        number = None if person.channel == "telegram" else person.address.partition(":")[2]
        return self._row(
            person,
            "addresses",
            id=address_id,
            contact_id=person.id,
            channel_id=self._channels[person.channel],
            scheme=person.channel,
            address_hash=keyed_hash(self._keys.index, "address", person.address),
            number_hash=keyed_hash(self._keys.index, "number", number) if number else None,
            sealed=seal(
                key,
                person.address.encode(),
                table="addresses",
                column="sealed",
                organisation_id=self._organisation,
                row_id=address_id,
            ),
            last_in_at=person.at + TOOK,
            created_at=person.at,
        )

    def _profile(self, person: _Person) -> Row:
        return self._row(
            person,
            "profiles",
            contact_id=person.id,
            country=person.country,
            place=person.place.id if person.place else None,
            time_zone=person.place.time_zone if person.place else None,
            language=person.language,
            channel=person.channel,
            consents=["registration", *person.purposes],
            joined_at=person.at,
            registered_at=person.at + TOOK,
            last_seen_at=person.at + TOOK,
            rest={f"{FLOW}.{name}": value for name, value in self._rest(person).items()},
        )

    def _session(self, person: _Person) -> Row:
        return {
            "organisation_id": self._organisation,
            "id": person.session_id,
            "contact_id": person.id,
            "flow_version_id": self._version_id,
            "flow": FLOW,
            "kind": "registration",
            "status": "complete",
            "language": person.language,
            "channel_kind": person.channel,
            "started_at": person.at,
            "updated_at": person.at + TOOK,
            "completed_at": person.at + TOOK,
        }

    def _answers(self, person: _Person) -> list[Row]:
        values = self._rest(person) | {"country": person.country}
        values["place"] = person.place.id if person.place else None
        return [
            self._row(
                person,
                "answers",
                session_id=person.session_id,
                question=question,
                contact_id=person.id,
                flow_version_id=self._version_id,
                flow=FLOW,
                value=value,
                skipped=value is None,
                language=person.language,
                channel_kind=person.channel,
                answered_at=person.at + TOOK,
            )
            for question, value in values.items()
        ]

    def _rest(self, person: _Person) -> dict[str, Any]:
        """Answers that have no column of their own in a profile."""
        return {
            "language": person.language,
            "consent": "yes",
            "purposes": list(person.purposes),
        }

    def _consents(self, person: _Person) -> list[Row]:
        asked = [("registration", "consent"), *((each, "purposes") for each in person.purposes)]
        return [
            self._row(
                person,
                "consent_events",
                id=new_id(person.at),
                contact_id=person.id,
                purpose=purpose,
                action="granted",
                flow=FLOW,
                version=self._version,
                question=question,
                language=person.language,
                channel_kind=person.channel,
                at=person.at,
            )
            for purpose, question in asked
        ]
