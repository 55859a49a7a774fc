"""Something an officer should look at."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Identified, Word, belongs, belongs_with_contact, one_of

NOT_CLOSED = text("status <> 'closed'")


class CaseReason(StrEnum):
    """Why a case was opened; the first is the most urgent."""

    DANGER = "danger"
    PERSON = "person"
    STUCK = "stuck"
    STOPPED_MESSAGE = "stopped_message"
    VOICE = "voice"
    FOLLOW_UP = "follow_up"


class CaseStatus(StrEnum):
    """Whether an officer should look (open), waits for the person (answered), or is done."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class Case(Identified, Base):
    """One person's case; at most one that is not closed.

    Its messages are those whose `content` names it. `unread` counts what the person wrote since an
    officer last read it. `question` is where they were in the session when it was opened.
    """

    __tablename__ = "cases"
    __table_args__ = (
        belongs("contact_id", "contacts", cascade=True),
        belongs_with_contact("session_id", "flow_sessions"),
        belongs("staff_id", "staff"),
        one_of("reason", CaseReason),
        one_of("status", CaseStatus),
        Index(None, "contact_id"),
        Index(
            "ix_cases_not_closed",
            "contact_id",
            "organisation_id",
            unique=True,
            postgresql_where=NOT_CLOSED,
        ),
    )

    contact_id: Mapped[UUID]
    session_id: Mapped[UUID | None]
    question: Mapped[str | None]
    reason: Mapped[CaseReason] = mapped_column(Word(CaseReason))
    status: Mapped[CaseStatus] = mapped_column(Word(CaseStatus), server_default=text("'open'"))
    staff_id: Mapped[UUID | None]
    unread: Mapped[int] = mapped_column(server_default=text("0"))
    opened_at: Mapped[datetime]
    last_message_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
