"""MYDATA: everything kept about a person, behind a link that opens once with a code.

`everything` is complete by personal.py; `Person` is the same in the person's own words.
"""

import base64
import hashlib
import hmac
import json
import secrets
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from models.address import Address
from models.audit import AuditEvent
from models.base import Base
from models.contact import Contact
from models.member_link import MemberLink
from models.sealed import CannotOpen, Keyring, OrganisationKeys, keyed_hash, open_sealed
from models.walls import door_hash, organisation_of
from services import audit
from services.audit import Actor
from services.errors import NotFound
from services.messages.rendering import read_told, withheld
from services.rights import rights
from services.rights.personal import PERSONAL, Kept

MOST_TRIES = 5
DOWNLOAD_WITHIN = timedelta(minutes=15)
Rows = dict[str, list[dict[str, Any]]]
TABLES: Mapping[str, str] = {
    "case": "cases",
    "consent": "consent_events",
    "contact": "contacts",
    "firing": "firings",
    "message": "messages",
    "recipient": "contacts",
    "recording": "recordings",
    "registration": "flow_sessions",
    "text": "flow_sessions",
}
"""In which table the ids stand that a page of each kind is recorded with."""


class LinkState(StrEnum):
    """What became of a try at a link."""

    OPENED = "opened"
    WRONG = "wrong"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Tried:
    """One try: `left` tries remain when the code was wrong; `ticket` fetches the file once."""

    state: LinkState
    left: int = 0
    contact_id: UUID | None = None
    ticket: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Viewing:
    """Somebody looked at something of the person, or did something with it."""

    at: datetime
    who: str
    action: str
    reason: str | None


def language_of(db: Session, token: str, *, now: datetime) -> str | None:
    """Return the language of a link that can still be opened, else None. Changes nothing."""
    link = _find(db, token)
    return link.language if link and _is_alive(link, now) else None


def open_link(db: Session, keyring: Keyring, token: str, code: str, *, now: datetime) -> Tried:
    """Try to open a link with its code: at most five tries, and once.

    The caller commits whatever comes back, since a wrong try counts. The opening is recorded.
    """
    link = _find(db, token, lock=True)
    if link is None or not _is_alive(link, now):
        return Tried(LinkState.GONE)
    contact = db.get_one(Contact, (link.organisation_id, link.contact_id))
    key = keyring.unwrap(contact.wrapped_key, contact.organisation_id, contact.id)
    expected = keyed_hash(key, "code", f"{link.id}|{_digits(code)}")
    link.tries += 1
    db.flush()
    if not hmac.compare_digest(expected, link.code_hash):
        left = MOST_TRIES - link.tries
        return Tried(LinkState.WRONG if left else LinkState.GONE, left)
    ticket = secrets.token_urlsafe(16)
    link.opened_at, link.download_hash = now, _hash(ticket)
    db.flush()
    return Tried(LinkState.OPENED, contact_id=contact.id, ticket=ticket)


def use_ticket(db: Session, token: str, ticket: str, *, now: datetime) -> UUID:
    """Return whose file a page that was just opened may fetch, once; NotFound otherwise."""
    link = _find(db, token, lock=True)
    if (
        link is None
        or link.download_hash is None
        or link.opened_at is None
        or now > link.opened_at + DOWNLOAD_WITHIN
        or not hmac.compare_digest(_hash(ticket), link.download_hash)
    ):
        raise NotFound("This file was fetched before, or too long ago.")
    link.download_hash = None
    db.flush()
    return link.contact_id


def note_opened(db: Session, contact_id: UUID, *, now: datetime) -> None:
    """Record that the person saw their own data."""
    audit.record(
        db, Actor("contact", contact_id), "mydata.opened", ("contact", contact_id), now=now
    )


def everything(db: Session, keyring: Keyring, keys: OrganisationKeys, contact_id: UUID) -> Rows:
    """Return every row about a person and whoever was merged into them, by table, JSON-able."""
    people = rights.everybody(db, contact_id)
    person_keys = {
        one.id: keyring.unwrap(one.wrapped_key, one.organisation_id, one.id)
        for one in db.scalars(select(Contact).where(Contact.id.in_(people)))
    }
    hashes = db.scalars(select(Address.address_hash).where(Address.contact_id.in_(people))).all()
    wanted: Mapping[str, Sequence[Any]] = {
        "id": list(people),
        "contact_id": list(people),
        "address_hash": hashes,
    }
    found: Rows = {}
    for name, kept in PERSONAL.items():
        table = Base.metadata.tables[name]
        key = table.primary_key.columns
        rows = db.execute(
            select(table)
            .where(table.c.organisation_id == organisation_of(db))
            .where(table.c[kept.by].in_(wanted[kept.by]))
            .order_by(*key)
        ).mappings()
        found[name] = [_shown(dict(row), table, kept, person_keys, keys) for row in rows]
    found["audit_events"] = [_viewing_row(one) for one in viewings(db, found)]
    return found


def viewings(db: Session, rows: Rows) -> list[Viewing]:
    """Return who looked at the person or did something with their rows, oldest first.

    Pages of many people are recorded with their first and last row: those that span a row of this
    person are told, since the row was, or may have been, among them.
    """
    people = [UUID(row["id"]) for row in rows["contacts"]]
    since = min(datetime.fromisoformat(row["created_at"]) for row in rows["contacts"])
    own = (AuditEvent.subject_kind == "contact") & AuditEvent.subject_id.in_(people)
    read = AuditEvent.action.like("%.read") | AuditEvent.action.like("%.exported")
    pages = AuditEvent.subject_id.is_(None) & read
    events = db.scalars(
        select(AuditEvent)
        .where(AuditEvent.organisation_id == organisation_of(db), AuditEvent.at >= since)
        .where(own | pages)
        .order_by(AuditEvent.number)
    ).all()
    ids = {
        kind: sorted([*(row["id"] for row in rows[table]), *_folded(events, table)])
        for kind, table in TABLES.items()
    }
    return [
        Viewing(one.at, one.actor_kind, one.action, _reason(one))
        for one in events
        if one.subject_id is not None or _spans(one.detail, ids.get(one.subject_kind, []))
    ]


def _folded(events: Iterable[AuditEvent], table: str) -> Iterator[str]:
    """Ids of a table's rows that became part of others when two contacts were merged."""
    names = tuple(f"{kind}_" for kind, one in TABLES.items() if one == table)
    for event in events:
        if event.action == "contact.merged":
            found = event.detail.items()
            yield from (str(value) for name, value in found if name.startswith(names))


def _spans(detail: Mapping[str, Any], ids: Sequence[str]) -> bool:
    first, last = str(detail.get("first", "")), str(detail.get("last", ""))
    place = bisect_left(ids, first)
    return place < len(ids) and ids[place] <= last


def _reason(event: AuditEvent) -> str | None:
    reason = event.detail.get("reason")
    return None if reason is None else str(reason)


def _viewing_row(viewing: Viewing) -> dict[str, Any]:
    return {
        "at": viewing.at.isoformat(),
        "who": viewing.who,
        "action": viewing.action,
        "reason": viewing.reason,
    }


def _shown(
    row: Mapping[str, Any],
    table: Table,
    kept: Kept,
    person_keys: Mapping[UUID, bytes],
    keys: OrganisationKeys,
) -> dict[str, Any]:
    shown = {column: _plain(row[column]) for column in kept.shown}
    for column in kept.opened:
        if row[column] is not None:
            key = person_keys[row["contact_id"]] if kept.by == "contact_id" else keys.data
            shown[column] = _opened(row, table, column, key)
    return shown


def _opened(row: Mapping[str, Any], table: Table, column: str, key: bytes) -> Any:
    row_id = f"{row['session_id']}:{row['question']}" if table.name == "answers" else row["id"]
    place: dict[str, Any] = {"table": table.name, "column": column, "row_id": row_id}
    try:
        plain = open_sealed(key, row[column], organisation_id=row["organisation_id"], **place)
    except CannotOpen:
        return None
    if table.name == "recordings":
        return base64.b64encode(plain).decode()
    if table.name == "messages" and row["direction"] == "out":
        return withheld(read_told(plain))
    return plain.decode("utf-8", "replace")


def _plain(value: Any) -> Any:
    """A column's value as JSON has it."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return value


def to_json(rows: Rows) -> bytes:
    """The rows as a file."""
    return json.dumps(rows, ensure_ascii=False, indent=2, default=str).encode()


def _find(db: Session, token: str, *, lock: bool = False) -> MemberLink | None:
    query = select(MemberLink).where(
        MemberLink.organisation_id == organisation_of(db),
        MemberLink.token_hash == door_hash(token),
    )
    if lock:  # read anew, now that nobody else counts
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.scalars(query).one_or_none()


def _is_alive(link: MemberLink, now: datetime) -> bool:
    return link.opened_at is None and now < link.expires_at and link.tries < MOST_TRIES


def _digits(code: str) -> str:
    """The digits of what was typed, of any script; blanks and dashes do not matter."""
    values = (unicodedata.digit(one, None) for one in code[:64])
    return "".join(str(value) for value in values if value is not None)


def _hash(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).digest()
