"""What was sealed for one person, sealed anew for another key or another place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.address import Address
from models.flow_session import Answer
from models.message import Message
from models.recording import Recording
from models.sealed import open_sealed, seal
from models.walls import organisation_of


@dataclass(frozen=True, slots=True)
class SealedAt:
    """The place of a sealed value: always the column ``sealed``."""

    table: str
    organisation_id: UUID
    row_id: UUID | str


def place_of_answer(row: Answer) -> SealedAt:
    """Where an answer's sealed value belongs."""
    return SealedAt("answers", row.organisation_id, f"{row.session_id}:{row.question}")


def reseal(
    old: bytes, new: bytes, sealed: bytes, before: SealedAt, after: SealedAt | None = None
) -> bytes:
    """Open with the old key and seal with the new one; CannotOpen for a wrong key or place."""
    after = after or before
    plain = open_sealed(
        old,
        sealed,
        table=before.table,
        column="sealed",
        organisation_id=before.organisation_id,
        row_id=before.row_id,
    )
    return seal(
        new,
        plain,
        table=after.table,
        column="sealed",
        organisation_id=after.organisation_id,
        row_id=after.row_id,
    )


def reseal_everything(db: Session, contact_id: UUID, old: bytes, new: bytes) -> None:
    """Seal all addresses, messages, answers and recordings of a contact anew, where they are."""
    organisation_id = organisation_of(db)
    for model, place in _TABLES:
        mine = select(model).where(
            model.organisation_id == organisation_id, model.contact_id == contact_id
        )
        for row in db.scalars(mine.execution_options(populate_existing=True)).all():
            if row.sealed is not None:
                row.sealed = reseal(old, new, row.sealed, place(row))
    db.flush()


_TABLES: tuple[tuple[type[Any], Callable[[Any], SealedAt]], ...] = (
    (Address, lambda row: SealedAt("addresses", row.organisation_id, row.id)),
    (Message, lambda row: SealedAt("messages", row.organisation_id, row.id)),
    (Answer, place_of_answer),
    (Recording, lambda row: SealedAt("recordings", row.organisation_id, row.id)),
)
