"""What one message costs: the organisation's own prices, until then invented examples.

A table has prices by kind of message and country (ISO alpha-2, "*" for all others): `sms` for a
part, `whatsapp_template` for a message outside the window, `whatsapp` inside it, `telegram`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from services import audit, organisations
from services.audit import Actor
from services.errors import Invalid

FILE: Final = Path(__file__).parent / "prices.json"
KINDS: Final = ("sms", "whatsapp_template", "whatsapp", "telegram", "simulator")
OTHERS: Final = "*"
_SETTING: Final = "prices"
_PRICE: Final = re.compile(r"[0-9]{1,5}(\.[0-9]{1,6})?")
_COUNTRY: Final = re.compile(r"[A-Z]{2}|\*")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Prices:
    """A price table; `are_examples` while the organisation has given none of its own."""

    currency: str
    by_kind: Mapping[str, Mapping[str, Decimal]]
    are_examples: bool

    def of(self, kind: str, country: str | None) -> Decimal:
        """Return the price of one message, or of one part of an SMS; 0 for a kind without one."""
        table = self.by_kind.get(kind, {})
        return table.get(country or OTHERS, table.get(OTHERS, Decimal()))


def get(db: Session) -> Prices:
    """Return the prices the organisation has set, or the examples."""
    own = organisations.get(db).settings.get(_SETTING)
    return _examples() if own is None else _table(own, are_examples=False)


def put(db: Session, table: Mapping[str, Any], *, actor: Actor, now: datetime) -> Prices:
    """Replace the organisation's prices; Invalid with the place of every fault.

    `table` has `currency` (ISO 4217) and, for `sms` and whatever else is used, decimal numbers as
    text by country, "*" among them.
    """
    faults = list(_faults(table))
    if faults:
        raise Invalid("The prices cannot be used.", faults=faults)
    organisation = organisations.get(db)
    organisation.settings = {**organisation.settings, _SETTING: dict(table)}
    db.flush()
    audit.record(db, actor, "prices.changed", ("organisation", organisation.id), now=now)
    return get(db)


@cache
def _examples() -> Prices:
    return _table(json.loads(FILE.read_text(encoding="utf-8")), are_examples=True)


def _table(table: Mapping[str, Any], *, are_examples: bool) -> Prices:
    by_kind = {
        kind: {country: Decimal(price) for country, price in table[kind].items()}
        for kind in KINDS
        if kind in table
    }
    return Prices(table["currency"], by_kind, are_examples)


def _faults(table: Mapping[str, Any]) -> list[tuple[str, str]]:
    faults: list[tuple[str, str]] = []
    if not _CURRENCY.fullmatch(str(table.get("currency"))):
        faults.append(("currency", "must be three capital letters, such as EUR"))
    if "sms" not in table:
        faults.append(("sms", "is missing"))
    for kind in table.keys() - {"currency"}:
        faults += _faults_of(kind, table[kind])
    return faults


def _faults_of(kind: str, prices: object) -> list[tuple[str, str]]:
    if kind not in KINDS:
        return [(kind, f"is none of: {', '.join(KINDS)}")]
    if not isinstance(prices, Mapping) or OTHERS not in prices:
        return [(kind, 'needs prices by country, and "*" for all others')]
    told = 'must be a country of two capital letters or "*", and a price such as "0.045"'
    return [
        (f"{kind}.{str(country).lower()}", told)
        for country, price in prices.items()
        if not _COUNTRY.fullmatch(str(country)) or not _PRICE.fullmatch(str(price))
    ]
