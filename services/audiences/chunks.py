"""Everybody, some thousands at a time, in the order of their ids.

A chunk is a range of contact ids. Whatever is looked up about its people is read as that range of
an index, once for all of them; a look-up for each person costs three times as much.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.profile import Profile
from models.walls import organisation_of


@dataclass(frozen=True, slots=True)
class Chunk:
    """The ids beyond `after`, up to and including `upto`; None: from the first, to the last."""

    after: UUID | None = None
    upto: UUID | None = None

    def holds(self, column: Any) -> list[ColumnElement[bool]]:
        """Return what must hold of a column of contact ids."""
        return [
            *([column > self.after] if self.after is not None else []),
            *([column <= self.upto] if self.upto is not None else []),
        ]


EVERYBODY: Final = Chunk()


def find_chunk(db: Session, after: UUID | None, most: int) -> Chunk | None:
    """Return the chunk of the next so many people, or None when nobody is left beyond `after`."""
    ids = (
        select(Profile.contact_id)
        .where(
            Profile.organisation_id == organisation_of(db),
            *Chunk(after).holds(Profile.contact_id),
        )
        .order_by(Profile.contact_id)
        .limit(most)
        .subquery()
    )
    upto = db.scalar(select(ids.c.contact_id).order_by(ids.c.contact_id.desc()).limit(1))
    return None if upto is None else Chunk(after, upto)


def list_chunks(db: Session, most: int) -> Iterator[Chunk]:
    """Give everybody, so many at a time."""
    chunk = find_chunk(db, None, most)
    while chunk is not None:
        yield chunk
        chunk = find_chunk(db, chunk.upto, most)
