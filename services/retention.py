"""How long everything personal is kept, and the sweep that ends it.

Each row gets its `expires_at` from here when it is inserted. What belongs to a contact follows the
contact: it goes when the contact goes, whatever its own `expires_at` says. Source of the periods:
docs/privacy.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Table, case, delete, exists, select, tuple_, update
from sqlalchemy.orm import Session

from models.api_key import IdempotencyKey
from models.audit import Tombstone
from models.contact import Contact, ContactStatus, Conversation
from models.flow_session import Answer, FlowSession, SessionStatus
from models.link_code import LinkCode, LinkTry
from models.member_link import MemberLink
from models.message import Message
from models.receipt import Quarantined, Receipt
from models.recording import Recording
from models.relay import Leader
from models.webhook import WebhookDelivery
from services import audit

PERIODS: Mapping[str, timedelta] = MappingProxyType(
    {
        "before_consent": timedelta(hours=24),
        "unfinished": timedelta(days=14),
        "contacts": timedelta(days=730),
        "messages": timedelta(days=90),
        "quarantine": timedelta(days=7),
        "receipts": timedelta(days=400),
        "tombstones": timedelta(days=5 * 365),
        "idempotency_keys": timedelta(hours=24),
        "link_codes": timedelta(minutes=15),
        "link_tries": timedelta(hours=1),
        "member_links": timedelta(hours=24),
        "webhook_deliveries": timedelta(days=30),
        "recordings": timedelta(days=30),
        "crisis_place": timedelta(hours=72),
    }
)
"""By table, or by the situation that shortens a table's period."""

FOLLOW_CONTACT = frozenset(
    {
        "addresses",
        "answers",
        "cases",
        "consent_events",
        "conversations",
        "due",
        "firings",
        "flow_sessions",
        "leaders",
        "profiles",
        "recipients",
        "text_reviews",
    }
)
"""Tables whose rows go with their contact, 24 months after the last contact."""


def expires_at(rule: str, now: datetime) -> datetime:
    """Return when a row inserted now goes; `rule` is a table or a situation, else KeyError."""
    return now + PERIODS["contacts" if rule in FOLLOW_CONTACT else rule]


@dataclass(frozen=True, slots=True)
class Swept:
    """How many rows one pass ended, by table; `finished` when nothing was left to end."""

    rows: Mapping[str, int] = field(default_factory=dict)
    finished: bool = True


def run(db: Session, *, now: datetime, most: int = 1000) -> Swept:
    """End what has expired, at most so many rows a table; call again until it is finished.

    `db` is in the system scope; the caller commits after each pass, so no pass holds locks long.
    """
    rows = {table: sweep(db, now, most) for table, sweep in SWEEPS.items()}
    return Swept(rows, finished=all(count < most for count in rows.values()))


def _contacts(db: Session, now: datetime, most: int) -> int:
    """Delete contacts with everything that follows them; a merged one waits for its survivor."""
    chunk = (
        select(Contact.organisation_id, Contact.id)
        .where(Contact.expires_at <= now, Contact.status != ContactStatus.MERGED)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    ended: dict[UUID, int] = {}
    for organisation_id, contact_id in db.execute(chunk).all():
        db.execute(
            delete(Contact).where(
                Contact.organisation_id == organisation_id, Contact.id == contact_id
            )
        )
        ended[organisation_id] = ended.get(organisation_id, 0) + 1
    for organisation_id in sorted(ended):
        audit.record(
            db,
            audit.SYSTEM,
            "contacts.expired",
            ("organisation", organisation_id),
            detail={"count": ended[organisation_id]},
            organisation_id=organisation_id,
            now=now,
        )
    return sum(ended.values())


def _conversations(db: Session, now: datetime, most: int) -> int:
    """Forget where unfinished conversations stood; answers stay with the contact."""
    key = (Conversation.organisation_id, Conversation.contact_id)
    chunk = (
        select(*key)
        .where(Conversation.expires_at <= now, Conversation.state.is_not(None))
        .order_by(*key)
        .limit(most)
        .with_for_update(key_share=True, skip_locked=True)
    )
    ended = db.execute(
        update(Conversation)
        .where(tuple_(*key).in_(chunk))
        .values(state=None, session_id=None, seq=Conversation.seq + 1, updated_at=now)
        .returning(Conversation.contact_id),
        execution_options={"synchronize_session": False},
    )
    return len(ended.all())


def _sessions(db: Session, now: datetime, most: int) -> int:
    """Close sessions nobody went on with: partial with an answer, else expired."""
    key = (FlowSession.organisation_id, FlowSession.id)
    chunk = (
        select(*key)
        .where(FlowSession.expires_at <= now, FlowSession.status == SessionStatus.WAITING)
        .limit(most)
        .with_for_update(key_share=True, skip_locked=True)
    )
    answered = exists().where(
        Answer.organisation_id == FlowSession.organisation_id, Answer.session_id == FlowSession.id
    )
    ended = db.execute(
        update(FlowSession)
        .where(tuple_(*key).in_(chunk))
        .values(
            status=case((answered, SessionStatus.PARTIAL.value), else_=SessionStatus.EXPIRED.value),
            updated_at=now,
        )
        .returning(FlowSession.id),
        execution_options={"synchronize_session": False},
    )
    return len(ended.all())


def _invitations(db: Session, now: datetime, most: int) -> int:
    """Forget the numbers of people who were invited to pass polls on and never wrote."""
    chunk = (
        select(Leader.organisation_id, Leader.id)
        .where(Leader.number_hash.is_not(None), Leader.expires_at <= now)
        .limit(most)
    )
    forgotten = (
        update(Leader)
        .where(tuple_(Leader.organisation_id, Leader.id).in_(chunk))
        .values(number_hash=None)
        .returning(Leader.id)
    )
    return len(db.execute(forgotten).all())


def _rows(table: Table) -> Callable[[Session, datetime, int], int]:
    """Return the sweep of a table whose rows simply go."""
    key = tuple(table.primary_key.columns)

    def sweep(db: Session, now: datetime, most: int) -> int:
        chunk = select(*key).where(table.c.expires_at <= now).limit(most)
        gone = delete(table).where(tuple_(*key).in_(chunk)).returning(key[0])
        return len(db.execute(gone).all())

    return sweep


def _table(model: Any) -> Table:
    return model.__table__  # type: ignore[no-any-return]


SWEEPS: Mapping[str, Callable[[Session, datetime, int], int]] = MappingProxyType(
    {
        "contacts": _contacts,
        "conversations": _conversations,
        "flow_sessions": _sessions,
        "messages": _rows(_table(Message)),
        "quarantine": _rows(_table(Quarantined)),
        "receipts": _rows(_table(Receipt)),
        "recordings": _rows(_table(Recording)),
        "tombstones": _rows(_table(Tombstone)),
        "idempotency_keys": _rows(_table(IdempotencyKey)),
        "leaders": _invitations,
        "link_codes": _rows(_table(LinkCode)),
        "link_tries": _rows(_table(LinkTry)),
        "member_links": _rows(_table(MemberLink)),
        "webhook_deliveries": _rows(_table(WebhookDelivery)),
    }
)
