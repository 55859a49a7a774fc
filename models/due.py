"""Something to happen later to one contact."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Json, belongs


class Due(Identified, Base):
    """A reminder, an expiry, a follow-up: rows, not jobs, so that far-off ones cost nothing."""

    __tablename__ = "due"
    __table_args__ = (
        belongs("contact_id", "contacts", cascade=True),
        belongs("session_id", "flow_sessions", cascade=True),
        Index(None, "due_at"),
        Index(None, "contact_id"),
        Index(
            None, "organisation_id", "session_id", postgresql_where=text("session_id IS NOT NULL")
        ),
    )

    contact_id: Mapped[UUID]
    kind: Mapped[str]
    session_id: Mapped[UUID | None]
    payload: Mapped[Json] = mapped_column(server_default=text("'{}'"))
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    expires_at: Mapped[datetime | None]
