"""Made-up members for the demo, in the rows the message path writes. No such person exists."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from sqlalchemy.orm import Session

from flows.gazetteer import Place, bundled
from flows.normalising import normalise
from models.base import new_id
from models.sealed import Keyring
from services.demo.seeded_rows import Person, insert_rows

SEED = 1961
LONGEST_AGO = timedelta(days=400)
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
CHANNELS = {"telegram": 46, "sms": 34, "whatsapp": 20}
"""No template is approved in a demo: WhatsApp alone is reached only within its 24 hours."""
LANGUAGES = {"en": 48, "fr": 38, "ar": 8, "pt": 4, "es": 2}
PURPOSES = {"alerts": 0.92, "polls": 0.78, "consultations": 0.55, "projects": 0.31, "events": 0.44}
WITHOUT_PLACE = 0.12
CAPS = (2, 4, 4, 8)
"""How many asks a month people of the demo want; the demo asks often."""
# North American numbers kept for stories are 555-0100 to 555-0199, in every area.
FIRST_AREA, NUMBERS_AN_AREA = 200, 100


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
    insert_rows(db, keyring, channels, (version_id, version), people)
    return len(people)


def _person(dice: random.Random, number: int, now: datetime) -> Person:
    channel, language = _one_of(dice, CHANNELS), _one_of(dice, LANGUAGES)
    country = _one_of(dice, COUNTRIES)
    town = dice.choice(TOWNS[country])
    place = None if dice.random() < WITHOUT_PLACE else _place(country, town)
    area, line = divmod(number, NUMBERS_AN_AREA)
    phone = f"+1{FIRST_AREA + area + 1}5550{line + 100}"
    at = now - LONGEST_AGO * dice.random() - timedelta(hours=1)
    return Person(
        id=new_id(at),
        session_id=new_id(at),
        addresses=(
            f"telegram:{9_000_000 + number}" if channel == "telegram" else f"{channel}:{phone}",
        ),
        language=language,
        country=country,
        place=place,
        purposes=tuple(name for name, share in PURPOSES.items() if dice.random() < share),
        at=at,
        more={"monthly_cap": dice.choice(CAPS)},
    )


@cache
def _place(country: str, town: str) -> Place | None:
    found = bundled().search(normalise(town), country=country, language="en", most=1)
    return found.places[0] if found.places else None


def _one_of(dice: random.Random, shares: Mapping[str, int]) -> str:
    return dice.choices(list(shares), weights=list(shares.values()))[0]
