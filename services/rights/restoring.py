"""What a restored backup must learn before it serves: who was erased and who stopped since.

`lines` writes it down while the database lives, to be kept apart from it; `replay` takes it into a
database that was restored. Keyed hashes and ids only: without the master keys it names nobody.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, TypeVar
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.address import Address
from models.audit import AuditEvent, Tombstone
from models.channel import Channel
from models.consent import ConsentAction, ConsentEvent
from models.contact import Contact, ContactStatus
from models.message import Direction, Message, MessageKind, MessageStatus
from models.receipt import Quarantined
from models.walls import organisation_of
from services import audit, retention
from services.errors import Invalid
from services.rights import consents, rights
from services.rights.consents import Wording

STONE, GONE, STOPPED = "tombstone", "erased", "stopped"
PURPOSE = "messages"
Who = TypeVar("Who", bytes, UUID)


@dataclass(frozen=True, slots=True)
class Line:
    """One fact: an address was erased, a contact was erased, or whoever has an address stopped."""

    organisation_id: UUID
    kind: str
    at: datetime
    address_hash: bytes = b""
    contact_id: UUID | None = None
    reason: str = ""

    def to_json(self) -> str:
        """The line as it stands in the file."""
        fields = {
            "organisation": str(self.organisation_id),
            "kind": self.kind,
            "at": self.at.isoformat(),
            "address": self.address_hash.hex(),
            "contact": str(self.contact_id) if self.contact_id else None,
            "reason": self.reason,
        }
        return json.dumps({name: value for name, value in fields.items() if value})

    @classmethod
    def from_json(cls, raw: str) -> Self:
        """Read what `to_json` wrote; ValueError or KeyError for anything else."""
        fields: Mapping[str, Any] = json.loads(raw)
        if not isinstance(fields, dict) or fields["kind"] not in (STONE, GONE, STOPPED):
            raise ValueError("no such kind of line")
        at = datetime.fromisoformat(fields["at"])
        if at.tzinfo is None:
            raise ValueError("a moment without a zone")
        return cls(
            organisation_id=UUID(fields["organisation"]),
            kind=fields["kind"],
            at=at,
            address_hash=bytes.fromhex(fields.get("address", "")),
            contact_id=UUID(fields["contact"]) if "contact" in fields else None,
            reason=str(fields.get("reason", "")),
        )


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many people were erased again and silenced again."""

    erased: int
    stopped: int


def lines(db: Session) -> Iterator[Line]:
    """Give everything the session's organisation must not forget with its database."""
    here = organisation_of(db)
    stones = select(Tombstone).where(Tombstone.organisation_id == here)
    for stone in db.scalars(stones.execution_options(yield_per=1000)):
        yield Line(here, STONE, stone.erased_at, stone.address_hash, reason=stone.reason)
    gone = select(AuditEvent.subject_id, AuditEvent.at).where(
        AuditEvent.organisation_id == here, AuditEvent.action == "contact.erased"
    )
    for contact_id, at in db.execute(gone.execution_options(yield_per=1000)):
        yield Line(here, GONE, at, contact_id=contact_id)
    silent = (
        select(Address.address_hash, Contact.stopped_at)
        .join(Contact, (Contact.organisation_id == here) & (Contact.id == Address.contact_id))
        .where(Address.organisation_id == here, Contact.status == ContactStatus.STOPPED)
    )
    for address_hash, stopped_at in db.execute(silent.execution_options(yield_per=1000)):
        if stopped_at is not None:
            yield Line(here, STOPPED, stopped_at, address_hash)


def read(raw: Iterable[str]) -> list[Line]:
    """Read a whole file; Invalid names the first line that is none of ours."""
    found = []
    for number, line in enumerate(raw, start=1):
        try:
            found.append(Line.from_json(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Invalid(
                f"Line {number} is none that `flask retention export` wrote; nothing was replayed.",
                place=f"line {number}",
            ) from None
    return found


def replay(db: Session, given: Iterable[Line], *, now: datetime) -> Replayed:
    """Erase and silence again, in this transaction, whom the session's organisation had.

    Who came anew after their erasure, or back after their STOP, is left alone. May be repeated.
    """
    mine = [line for line in given if line.organisation_id == organisation_of(db)]
    for some in rights.in_batches(line for line in mine if line.kind == STONE):
        _bury(db, some)
    erased = rights.replay(db, now=now)
    for some in rights.in_batches(line for line in mine if line.kind == GONE):
        there = _still_there(db, some)
        again = rights.erase_all(db, there, actor=audit.SYSTEM, reason="restored", now=now)
        erased += len(again)
    quiet = rights.in_batches(line for line in mine if line.kind == STOPPED)
    stopped = sum(_silence(db, some, now) for some in quiet)
    return Replayed(erased, stopped)


def _bury(db: Session, stones: Sequence[Line]) -> None:
    """Set these stones, and let go what was kept aside of whoever lies under them."""
    latest: dict[bytes, Line] = {}
    for line in stones:
        before = latest.get(line.address_hash)
        latest[line.address_hash] = line if before is None or line.at > before.at else before
    set_now = insert(Tombstone).values([_stone(line) for line in latest.values()])
    db.execute(
        set_now.on_conflict_do_update(
            index_elements=[Tombstone.organisation_id, Tombstone.address_hash],
            set_={
                name: func.greatest(getattr(Tombstone, name), set_now.excluded[name])
                for name in ("erased_at", "expires_at")
            },
        )
    )
    db.execute(
        delete(Quarantined).where(
            Quarantined.organisation_id == Tombstone.organisation_id,
            Quarantined.address_hash == Tombstone.address_hash,
            Quarantined.created_at <= Tombstone.erased_at,
            Tombstone.organisation_id == organisation_of(db),
            Tombstone.address_hash.in_(latest),
        )
    )


def _stone(line: Line) -> dict[str, Any]:
    return {
        "organisation_id": line.organisation_id,
        "address_hash": line.address_hash,
        "reason": line.reason or "asked",
        "erased_at": line.at,
        "expires_at": retention.expires_at("tombstones", line.at),
    }


def _still_there(db: Session, gone: Sequence[Line]) -> list[UUID]:
    """Return which of these contacts the backup brought back."""
    until = _latest((line.contact_id, line.at) for line in gone if line.contact_id)
    rows = db.execute(
        select(Contact.id, Contact.created_at).where(
            Contact.organisation_id == organisation_of(db), Contact.id.in_(until)
        )
    )
    return [row.id for row in rows if row.created_at <= until[row.id]]


def _latest(moments: Iterable[tuple[Who, datetime]]) -> dict[Who, datetime]:
    """Return the latest moment of each: two files may tell of the same."""
    found: dict[Who, datetime] = {}
    for who, at in moments:
        found[who] = max(at, found.get(who, at))
    return found


def _silence(db: Session, lines: Sequence[Line], now: datetime) -> int:
    """Stop whoever has these addresses, unless they stopped already or came back since."""
    here, until = organisation_of(db), _latest((line.address_hash, line.at) for line in lines)
    rows = db.execute(
        select(Contact, Address.address_hash, Channel.kind)
        .join(Address, (Address.organisation_id == here) & (Address.contact_id == Contact.id))
        .join(Channel, (Channel.organisation_id == here) & (Channel.id == Address.channel_id))
        .where(
            Contact.organisation_id == here,
            Contact.status == ContactStatus.ACTIVE,
            Address.address_hash.in_(until),
        )
        .order_by(Address.id)
    ).all()
    started = _last_started(db, [contact.id for contact, *_ in rows])
    stopped: dict[UUID, Wording] = {}
    for contact, address_hash, kind in rows:
        at = until[address_hash]
        if contact.id in stopped or max(contact.created_at, started.get(contact.id, at)) > at:
            continue
        contact.status, contact.stopped_at = ContactStatus.STOPPED, at
        wording = Wording(language=contact.language, channel_kind=kind, question="restored")
        stopped[contact.id] = wording
    consents.withdraw_all(db, stopped, PURPOSE, now=now)
    db.execute(
        update(Message)
        .where(
            Message.organisation_id == here,
            Message.contact_id.in_(stopped),
            Message.direction == Direction.OUT,
            Message.status == MessageStatus.QUEUED,
            Message.kind != MessageKind.RIGHTS,
        )
        .values(status=MessageStatus.CANCELED, error_code="stopped")
    )
    return len(stopped)


def _last_started(db: Session, contact_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Return when each of these contacts last said START, of those who ever did."""
    latest = (
        select(ConsentEvent.contact_id, func.max(ConsentEvent.at))
        .where(
            ConsentEvent.organisation_id == organisation_of(db),
            ConsentEvent.contact_id.in_(contact_ids),
            ConsentEvent.purpose == PURPOSE,
            ConsentEvent.action == ConsentAction.GRANTED,
        )
        .group_by(ConsentEvent.contact_id)
    )
    return {row[0]: row[1] for row in db.execute(latest)}
