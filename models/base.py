"""What every table is made of: keys, instants, words and ids."""

import os
import time
from datetime import UTC, datetime
from enum import StrEnum
from threading import Lock
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Constraint,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Json = dict[str, Any]


class Instant(TypeDecorator[datetime]):
    """A moment in UTC; naive datetimes are refused, what is read comes back in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment to the database; ValueError when it has no time zone."""
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment in UTC whatever zone the server runs in."""
        return None if value is None else value.astimezone(UTC)


class Word(TypeDecorator[StrEnum]):
    """A StrEnum stored as plain text.

    Text, not a PostgreSQL enum: its comparison is leakproof, so an index serves under row-level
    security.
    """

    impl = Text
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:
        """Give the text of a known word; ValueError for any other."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        """Give the word back as its enum."""
        return None if value is None else self.words(value)


def _last_column(constraint: Constraint, table: Table) -> str:
    return constraint.column_keys[-1] if isinstance(constraint, ForeignKeyConstraint) else ""


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(last_column)s",
            "last_column": _last_column,
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        UUID: Uuid(),
        str: Text(),
        bytes: LargeBinary(),
        datetime: Instant(),
        Json: JSONB(none_as_null=True),
        list[str]: ARRAY(Text()),
    }


class Owned:
    """A row that belongs to one organisation."""

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-20)


class Identified(Owned):
    """A row of an organisation with an id of its own."""

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-19)


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """Return the check that a text column holds one of the words."""
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def of_organisation() -> ForeignKeyConstraint:
    """Return the key that ties a row to its organisation."""
    return ForeignKeyConstraint(["organisation_id"], ["organisations.id"])


def belongs(column: str, table: str, *, cascade: bool = False) -> ForeignKeyConstraint:
    """Return a key that can only point to a row of the same organisation."""
    return ForeignKeyConstraint(
        ["organisation_id", column],
        [f"{table}.organisation_id", f"{table}.id"],
        ondelete="CASCADE" if cascade else None,
    )


def belongs_with_contact(column: str, table: str) -> ForeignKeyConstraint:
    """Return a key to a row of the same organisation and the same contact.

    It goes when that row goes and follows it to another contact. No index of its own is needed: the
    one on organisation and contact serves, which matters where every index is paid for on each
    message.
    """
    return ForeignKeyConstraint(
        ["organisation_id", "contact_id", column],
        [f"{table}.organisation_id", f"{table}.contact_id", f"{table}.id"],
        ondelete="CASCADE",
        onupdate="CASCADE",
    )


_last_id = 0
_id_lock = Lock()


def first_id(at: datetime) -> UUID:
    """Return the id before every other that carries this moment, or a later one."""
    return UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62)


def new_id(at: datetime | None = None) -> UUID:
    """Return a UUIDv7 (RFC 9562) that sorts after every id this process made before.

    `at` is the moment it carries, by default the machine's.
    """
    global _last_id
    nanoseconds = time.time_ns() if at is None else int(at.timestamp() * 1_000_000) * 1000
    with _id_lock:
        stamp = nanoseconds * 4096 // 1_000_000
        _last_id = stamp = max(stamp, _last_id + 1)
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return UUID(int=(stamp >> 12) << 80 | 7 << 76 | (stamp & 0xFFF) << 64 | 2 << 62 | random)
