"""A draft in one more language, or in better words of one it speaks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from flows.translating import NoSuchText, Words, translated
from models.ask import Ask
from services.asks import asks
from services.audit import Actor
from services.errors import Invalid


def translate(
    db: Session,
    ask_id: UUID,
    language: str,
    texts: Mapping[str, Words],
    *,
    actor: Actor,
    now: datetime,
) -> Ask:
    """Write texts of a draft in a language, by their places; those left out stay as they are.

    Invalid for a place that is not there, Conflict once the ask is open.
    """
    ask = asks.get(db, ask_id)
    try:
        definition = translated(asks.flow_of(db, ask), language, texts)
    except NoSuchText as fault:
        raise Invalid(faults=[(f"texts.{fault.place}", fault.problem)]) from None
    new = replace(asks.as_new(db, ask), definition=definition)
    return asks.change(db, ask_id, new, actor=actor, now=now)
