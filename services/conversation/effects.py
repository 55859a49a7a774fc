"""What became of what one address said, as lines with their moments: for the simulator's phones."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.address import Address
from models.audit import Tombstone
from models.consent import ConsentEvent
from models.contact import Contact
from models.flow_session import Answer, FlowSession, SessionStatus
from models.sealed import OrganisationKeys, keyed_hash

ENDED = {"complete": "session complete", "stopped": "session stopped"}


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that was stored, withdrawn or erased."""

    at: datetime
    text: str


def list_effects(db: Session, keys: OrganisationKeys, address: str) -> list[Effect]:
    """Return what the database holds of this address, oldest first; nothing of a stranger."""
    hashed = keyed_hash(keys.index, "address", address)
    erased = [
        Effect(at, "everything is erased; a keyed hash stays, so that no backup brings it back")
        for at in db.scalars(select(Tombstone.erased_at).where(Tombstone.address_hash == hashed))
    ]
    contact_id = db.scalar(select(Address.contact_id).where(Address.address_hash == hashed))
    if contact_id is None:
        return erased
    contact = db.scalars(select(Contact).where(Contact.id == contact_id)).one()
    effects = [*erased, *_consents(db, contact_id), *_answers(db, contact_id)]
    effects += _sessions(db, contact_id)
    if contact.stopped_at is not None:
        effects.append(Effect(contact.stopped_at, "stopped: nothing is sent, on any channel"))
    return sorted(effects, key=lambda effect: effect.at)


def _consents(db: Session, contact_id: UUID) -> list[Effect]:
    """One line for all purposes granted or withdrawn by the same message."""
    events = db.scalars(
        select(ConsentEvent).where(ConsentEvent.contact_id == contact_id).order_by(ConsentEvent.id)
    )
    together: dict[tuple[datetime, str], list[str]] = defaultdict(list)
    for event in events:
        together[event.at, event.action.value].append(event.purpose)
    return [
        Effect(at, f"consent {action}: {', '.join(dict.fromkeys(purposes))}")
        for (at, action), purposes in together.items()
    ]


def _answers(db: Session, contact_id: UUID) -> list[Effect]:
    rows = db.scalars(select(Answer).where(Answer.contact_id == contact_id))
    return [Effect(row.answered_at, _saved(row)) for row in rows if row.question != "consent"]


def _saved(row: Answer) -> str:
    if row.skipped:
        return f"skipped {row.question}"
    if row.sealed is not None:
        return f"saved {row.question}, sealed"
    value = ", ".join(map(str, row.value)) if isinstance(row.value, list) else row.value
    return f"saved {row.question} = {value or 'none'}"


def _sessions(db: Session, contact_id: UUID) -> list[Effect]:
    rows = db.scalars(select(FlowSession).where(FlowSession.contact_id == contact_id))
    return [Effect(row.updated_at, _ended(row)) for row in rows if row.status.value in ENDED]


def _ended(row: FlowSession) -> str:
    ended = ENDED[row.status.value]
    registered = row.kind == "registration" and row.status is SessionStatus.COMPLETE
    return f"registered: {ended}" if registered else ended
