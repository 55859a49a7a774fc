"""The codes by which a person shows that two addresses are theirs."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, belongs


class LinkCode(Identified, Base):
    """Six digits or a link's token, given out for one contact; a hash keyed by the organisation.

    With `claimant_id` the code was sent to the contact's own channel because somebody else says to
    be them, and counts from that contact alone. Without it the contact asked for it, and whoever
    knows it joins them. It is deleted once used.
    """

    __tablename__ = "link_codes"
    __table_args__ = (
        belongs("contact_id", "contacts", cascade=True),
        belongs("claimant_id", "contacts", cascade=True),
        UniqueConstraint("code_hash", "organisation_id"),
        Index(None, "contact_id"),
        Index(None, "claimant_id", postgresql_where=text("claimant_id IS NOT NULL")),
    )

    contact_id: Mapped[UUID]
    claimant_id: Mapped[UUID | None]
    code_hash: Mapped[bytes]
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class LinkTry(Identified, Base):
    """One wrong code that a contact sent; enough of them and no code of theirs is looked at."""

    __tablename__ = "link_tries"
    __table_args__ = (
        belongs("contact_id", "contacts", cascade=True),
        Index(None, "contact_id"),
        Index(None, "tried_at"),
    )

    contact_id: Mapped[UUID]
    tried_at: Mapped[datetime]
    expires_at: Mapped[datetime]
