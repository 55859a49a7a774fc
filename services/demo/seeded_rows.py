"""Made-up members as the rows the message path writes for somebody who registered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from flows.gazetteer import Place
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
TOOK = timedelta(minutes=2)
A_DAY = timedelta(days=1)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """One invented member: who, where, when, and what was agreed to.

    `addresses` are like "sms:+15550100"; the first is the one last used, the others a day earlier
    each. `more` are columns of the profile, such as age_band.
    """

    id: UUID
    session_id: UUID
    addresses: tuple[str, ...]
    language: str
    country: str | None
    place: Place | None
    purposes: tuple[str, ...]
    at: datetime
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def channel(self) -> str:
        """The kind of channel they used last."""
        return self.addresses[0].partition(":")[0]


def insert_rows(
    db: Session,
    keyring: Keyring,
    channels: Mapping[str, UUID],
    version: tuple[UUID, int],
    people: Sequence[Person],
) -> None:
    """Insert people who registered with this version of the flow; `channels` are by kind."""
    writer = _Writer(db, keyring, channels, *version)
    for table, rows in writer.rows(people).items():
        db.execute(insert(table), rows)


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

    def rows(self, people: Sequence[Person]) -> dict[type[Any], list[Row]]:
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
            tables[Address] += self._addresses(person, key)
            tables[Profile].append(self._profile(person))
            tables[FlowSession].append(self._session(person))
            tables[Answer] += self._answers(person)
            tables[ConsentEvent] += self._consents(person)
        return tables

    def _row(self, person: Person, table: str, **columns: Any) -> Row:
        expires = retention.expires_at(table, person.at + TOOK)
        return {"organisation_id": self._organisation, "expires_at": expires} | columns

    def _contact(self, person: Person, wrapped: bytes) -> Row:
        return self._row(
            person,
            "contacts",
            id=person.id,
            wrapped_key=wrapped,
            language=person.language,
            created_at=person.at,
            last_seen_at=person.at + TOOK,
        )

    def _conversation(self, person: Person) -> Row:
        return self._row(
            person,
            "conversations",
            contact_id=person.id,
            seq=7,
            tags=1,
            state=None,
            updated_at=person.at + TOOK,
        )

    def _addresses(self, person: Person, key: bytes) -> list[Row]:
        last = person.at + TOOK
        return [
            self._address(person, key, address, last - place * A_DAY)
            for place, address in enumerate(person.addresses)
        ]

    def _address(self, person: Person, key: bytes, address: str, last: datetime) -> Row:
        address_id = new_id(person.at)
        scheme, _, path = address.partition(":")
        number = None if scheme == "telegram" else path
        return self._row(
            person,
            "addresses",
            id=address_id,
            contact_id=person.id,
            channel_id=self._channels[scheme],
            scheme=scheme,
            address_hash=keyed_hash(self._keys.index, "address", address),
            number_hash=keyed_hash(self._keys.index, "number", number) if number else None,
            sealed=seal(
                key,
                address.encode(),
                table="addresses",
                column="sealed",
                organisation_id=self._organisation,
                row_id=address_id,
            ),
            last_in_at=last,
            created_at=last,
        )

    def _profile(self, person: Person) -> Row:
        return self._row(
            person,
            "profiles",
            contact_id=person.id,
            country=person.country,
            place=person.place.id if person.place else None,
            region=(person.place.region or None) if person.place else None,
            time_zone=person.place.time_zone if person.place else None,
            language=person.language,
            channel=person.channel,
            consents=["registration", *person.purposes],
            joined_at=person.at,
            registered_at=person.at + TOOK,
            last_seen_at=person.at + TOOK,
            rest={f"{FLOW}.{name}": value for name, value in self._rest(person).items()},
            **{"monthly_cap": 2, **person.more},
        )

    def _session(self, person: Person) -> Row:
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

    def _answers(self, person: Person) -> list[Row]:
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

    def _rest(self, person: Person) -> dict[str, Any]:
        """Answers that have no column of their own in a profile."""
        return {
            "language": person.language,
            "consent": "yes",
            "purposes": list(person.purposes),
        }

    def _consents(self, person: Person) -> list[Row]:
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
