"""The walls between organisations, the one way over them, and the door.

Every table with an organisation's rows carries forced row-level security on the transaction's
setting `app.organisation`. The listed few also honour `app.scope = system`, which is set in this
file only.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, Engine, delete, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, Word, one_of

APP_ROLE = "homeline_app"

FREE: dict[str, str] = {
    "door": "read before an organisation is known; hashes and ids only",
    "clock": "one row, development only",
    "alembic_version": "the migration's own",
}
"""Tables without walls, each with its reason."""

ALL = frozenset({"select", "insert", "update", "delete"})
SYSTEM: dict[str, frozenset[str]] = {
    "organisations": frozenset({"select"}),
    "audit_events": frozenset({"select", "insert"}),
    **dict.fromkeys(
        (
            "addresses",
            "answers",
            "askers",
            "asks",
            "audience_versions",
            "audiences",
            "ballot_boxes",
            "ballots",
            "broadcasts",
            "cases",
            "channel_budgets",
            "channels",
            "communities",
            "consent_events",
            "contacts",
            "content_objects",
            "conversations",
            "due",
            "firings",
            "flags",
            "flow_sessions",
            "flow_versions",
            "group_polls",
            "idempotency_keys",
            "leaders",
            "link_codes",
            "link_tries",
            "member_links",
            "messages",
            "profiles",
            "publications",
            "quarantine",
            "receipts",
            "recipients",
            "recordings",
            "relays",
            "rules",
            "text_reviews",
            "tombstones",
            "voter_tags",
            "wa_templates",
            "webhook_deliveries",
            "webhook_endpoints",
        ),
        ALL,
    ),
}
"""What the system scope may do, by table."""


SYSTEM_SETTING = {"app.scope": "system"}
"""The server setting of a connection that is always in the system scope (delivery only)."""


class RoleTooStrong(Exception):
    """The database role ignores row-level security (superuser or BYPASSRLS)."""


class DoorKind(StrEnum):
    """What a key at the door opens."""

    CHANNEL = "channel"
    API_KEY = "api_key"
    STAFF = "staff"
    ENTRY = "entry"
    MEMBER_LINK = "member_link"
    ASK = "ask"
    RELAY = "relay"


class Door(Base):
    """The SHA-256 of an unguessable key, and whose it is; no personal data."""

    __tablename__ = "door"
    __table_args__ = (one_of("kind", DoorKind),)

    kind: Mapped[DoorKind] = mapped_column(Word(DoorKind), primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(index=True)
    target_id: Mapped[UUID]


def open_door(
    db: Session, kind: DoorKind, key: str, organisation_id: UUID, target_id: UUID
) -> None:
    """Let a key lead to a row of an organisation; the session is flushed."""
    db.add(
        Door(
            kind=kind,
            key_hash=door_hash(key),
            organisation_id=organisation_id,
            target_id=target_id,
        )
    )
    db.flush()


def find_door(db: Session, kind: DoorKind, key: str) -> Door | None:
    """Return where a key leads, or None."""
    return db.get(Door, (kind, door_hash(key)))


def close_door(db: Session, kind: DoorKind, target_id: UUID) -> None:
    """Make every key to a target lead nowhere."""
    db.execute(
        delete(Door).where(
            Door.organisation_id == organisation_of(db),
            Door.kind == kind,
            Door.target_id == target_id,
        )
    )


def door_hash(key: str) -> bytes:
    """Return the SHA-256 by which a key is found; enough because keys are random."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def enter(db: Session, organisation_id: UUID) -> None:
    """Set the organisation for the rest of this transaction and remember it in the session."""
    db.execute(_SET, {"name": "app.organisation", "value": str(organisation_id)})
    db.info["organisation_id"] = organisation_id


def organisation_of(db: Session) -> UUID:
    """Return the organisation the session works for; LookupError when it has none."""
    organisation_id = db.info.get("organisation_id")
    if not isinstance(organisation_id, UUID):
        raise LookupError("this session works for no organisation")
    return organisation_id


@contextmanager
def system_scope(engine: Engine) -> Iterator[Session]:
    """Give a session over the listed tables of all organisations; commits at the end."""
    with Session(engine, expire_on_commit=False) as db, db.begin():
        db.execute(_SET, {"name": "app.scope", "value": "system"})
        yield db


@contextmanager
def lifted(db: Session) -> Iterator[None]:
    """Give an organisation's own transaction the system scope for a few statements.

    For erasure and merging, which move or delete what is otherwise append-only. Every statement
    inside names its organisation itself.
    """
    before = db.scalar(text("SELECT current_setting('app.scope', true)")) or ""
    db.execute(_SET, {"name": "app.scope", "value": "system"})
    yield
    db.flush()
    db.execute(_SET, {"name": "app.scope", "value": before})


def check_role(connection: Connection, *, development: bool) -> str | None:
    """Return the role every connection must take on, or None when the given one is safe.

    A superuser or BYPASSRLS role walks through every wall: in development Homeline steps down to
    the role it made itself, elsewhere RoleTooStrong is raised.
    """
    strong = connection.scalar(
        select(text("rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"))
    )
    if not strong:
        return None
    if development:
        return APP_ROLE
    raise RoleTooStrong("the database role is a superuser or has BYPASSRLS; use an ordinary role")


_SET = text("SELECT set_config(:name, :value, true)")


__all__ = [
    "ALL",
    "APP_ROLE",
    "FREE",
    "SYSTEM",
    "Door",
    "DoorKind",
    "RoleTooStrong",
    "check_role",
    "close_door",
    "door_hash",
    "enter",
    "find_door",
    "lifted",
    "open_door",
    "organisation_of",
    "system_scope",
]
