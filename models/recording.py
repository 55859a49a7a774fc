"""What a person said instead of writing it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, belongs, belongs_with_contact


class Recording(Identified, Base):
    """A voice note that answers an open question; its bytes are sealed under the person's key.

    Until it is fetched from its provider a row of `due` stands for it. `size` is in bytes.
    """

    __tablename__ = "recordings"
    __table_args__ = (
        belongs("contact_id", "contacts", cascade=True),
        belongs_with_contact("session_id", "flow_sessions"),
        Index(None, "contact_id"),
        Index(None, "expires_at"),
    )

    contact_id: Mapped[UUID]
    session_id: Mapped[UUID]
    question: Mapped[str]
    channel_kind: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(deferred=True)
    said_at: Mapped[datetime]
    expires_at: Mapped[datetime]
