"""Everybody of an ask everywhere: made-up members in five languages, and what is odd about some.

A situation is how a member stands when the poll is opened; it says what has to become of them. A
manner is what they do with a poll that reached them.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo

from flows.gazetteer import Place, bundled
from flows.normalising import normalise
from models.base import new_id
from models.db import transaction
from services.audiences.eligibility import LeftOut
from services.demo.seeded_rows import Person, insert_rows
from tests.chaos.house import House

LANGUAGES = ("en", "fr", "es", "pt", "ar")
TOWNS = {
    "ZA": "Cape Town",
    "FR": "Paris",
    "US": "New York",
    "KE": "Nairobi",
    "AE": "Dubai",
    "BR": "Recife",
}
ZONES = {
    "ZA": "Africa/Johannesburg",
    "FR": "Europe/Paris",
    "US": "America/New_York",
    "KE": "Africa/Nairobi",
    "AE": "Asia/Dubai",
    "BR": "America/Recife",
}
"""What the clock on the wall shows there, of São Paulo too: said here, not asked of the product."""
CAPPED_TOWN = "KE"
AT_ONCE = 1000
VALUES = ("mornings", "evenings", "saturday")

MUST: Mapping[str, LeftOut | None] = {
    "stopped": LeftOut.STOPPED,
    "no_consent": LeftOut.NO_CONSENT,
    "capped": LeftOut.MONTHLY_CAP,
    "busy": LeftOut.BUSY,
    "blocked": LeftOut.UNREACHABLE,
    "no_template": LeftOut.UNREACHABLE,
    "stops_later": LeftOut.STOPPED,
    "phone_off": None,
    "blocks_later": None,
    "rescued_by_sms": None,
    "two_ways": None,
    "sms_first": None,
    "by_template": None,
    "window_open": None,
}
"""Why somebody in this situation gets nothing; None: it is sent to them."""
NEVER_ARRIVES = frozenset({"phone_off", "blocks_later"})
KINDS: Mapping[str, tuple[str, ...]] = {
    "blocked": ("telegram",),
    "blocks_later": ("telegram",),
    "phone_off": ("sms",),
    "no_template": ("whatsapp",),
    "rescued_by_sms": ("whatsapp", "sms"),
    "two_ways": ("telegram", "sms"),
    "sms_first": ("sms", "whatsapp"),
    "by_template": ("whatsapp",),
    "window_open": ("whatsapp",),
}
"""The channels of a situation that needs certain ones, the one last used first."""
SPOKEN = {"no_template": "ar", "rescued_by_sms": "ar"}
"""WhatsApp has refused the Arabic invitation."""
MANNERS = ("answers", "answers", "answers", "late", "silent", "not_now")


@dataclass(frozen=True, slots=True)
class Member:
    """One made-up member."""

    person: Person
    situation: str
    manner: str
    value: str

    @property
    def id(self) -> UUID:
        """The contact."""
        return self.person.id

    @property
    def channel(self) -> str:
        """Where the poll has to reach them."""
        return "sms" if self.situation == "rescued_by_sms" else self.person.channel

    @property
    def zone(self) -> ZoneInfo:
        """Where they live, by their town or else their country; UTC when they told neither."""
        place = self.person.place
        country = place.country if place else self.person.country
        return ZoneInfo(ZONES[country] if country else "UTC")


def make(many: int, seed: int, now: datetime) -> list[Member]:
    """So many members; of fewer than a few dozen every second one is odd."""
    dice = random.Random(seed)
    odd = list(MUST)
    return [_member(number, odd, dice, now) for number in range(many)]


def _member(number: int, odd: Sequence[str], dice: random.Random, now: datetime) -> Member:
    situation = odd[number // 2 % len(odd)] if number % 2 else "ordinary"
    kinds = KINDS.get(situation) or (("telegram", "sms", "whatsapp")[number // 2 % 3],)
    country: str | None = CAPPED_TOWN if situation == "capped" else dice.choice(list(TOWNS))
    place = place_of(country) if country and number % 7 else None
    at = now.replace(microsecond=0)
    person = Person(
        id=new_id(at),
        session_id=new_id(at),
        addresses=tuple(_address(kind, number) for kind in kinds),
        language=SPOKEN.get(situation) or _language(situation, kinds, number, dice),
        country=None if number % 11 == 5 and situation != "capped" else country,
        place=place,
        purposes=("alerts",) if situation == "no_consent" else ("alerts", "polls"),
        at=at,
        more={"activity": "study" if situation == "capped" else "work", "monthly_cap": 1},
    )
    return Member(person, situation, dice.choice(MANNERS), dice.choice(VALUES))


def _language(situation: str, kinds: Sequence[str], number: int, dice: random.Random) -> str:
    """Arabic speakers on WhatsApp would be reached by no template: that is a situation itself."""
    outside = kinds[0] == "whatsapp" and situation != "window_open"
    return dice.choice(LANGUAGES[:-1]) if outside else LANGUAGES[number % len(LANGUAGES)]


def _address(kind: str, number: int) -> str:
    if kind == "telegram":
        return f"telegram:{700_001 + number}"
    return f"{kind}:+44770{1_000_000 + number}"


@cache
def place_of(country: str) -> Place:
    """The town of a country."""
    found = bundled().search(normalise(TOWNS[country]), country=country, language="en", most=1)
    return found.places[0]


def enrol(house: House, members: Sequence[Member]) -> None:
    """Let them have registered."""
    line = house.homeline
    organisation_id, version_id = house.ask(
        "select organisation_id, id from flow_versions where flow = 'registration-express'"
    )[0]
    channels = {kind: found.id for kind, found in house.lines.items()}
    for first in range(0, len(members), AT_ONCE):
        people = [member.person for member in members[first : first + AT_ONCE]]
        with transaction(line.engine, organisation_id) as db:
            insert_rows(db, line.keyring, channels, (version_id, 1), people)
