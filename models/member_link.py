"""The one-use link by which a person sees everything kept about them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, belongs


class MemberLink(Identified, Base):
    """A link that was sent to a chat; hashes only. Its row at the door goes with it (a trigger).

    `code_hash` is keyed by the person's data key, so that six digits cannot be guessed from a copy
    of the database. `tries` counts wrong and right codes; `opened_at` marks it used.
    `download_hash` lets the page that was opened fetch the same data once more, as a file.
    """

    __tablename__ = "member_links"
    __table_args__ = (
        belongs("contact_id", "contacts", cascade=True),
        UniqueConstraint("token_hash", "organisation_id"),
        Index(None, "contact_id"),
    )

    contact_id: Mapped[UUID]
    token_hash: Mapped[bytes]
    code_hash: Mapped[bytes]
    download_hash: Mapped[bytes | None]
    language: Mapped[str]
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    created_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
