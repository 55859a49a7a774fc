"""What people wrote in a poll in their own words, and what an officer decided about each text.

A text waits until somebody decided, and waits again once the person changed it. Nothing of it is a
figure: it never leaves by results or public pages, whatever was decided.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, and_, case, cast, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.ask import Ask
from models.case import CaseReason
from models.flow_session import Answer, FlowSession
from models.publication import ReviewStatus, TextReview
from models.sealed import Keyring
from services import audit, retention
from services.audit import Actor
from services.errors import NotFound
from services.people import cases
from services.people.registrations import open_answer, person_keys

WAITING: Final = "waiting"
STATUSES: Final = (WAITING, *(one.value for one in ReviewStatus))
Place = tuple[UUID, str]
"""A passage and a question of it."""


@dataclass(frozen=True, slots=True)
class PollText:
    """One text in its writer's words, and what was decided; not who wrote it."""

    session_id: UUID
    question: str
    text: str = field(repr=False)
    language: str
    status: str
    answered_at: datetime
    reviewed_at: datetime | None

    @property
    def place(self) -> Place:
        """The passage and the question of it."""
        return self.session_id, self.question


def list_texts(
    db: Session,
    keyring: Keyring,
    ask: Ask,
    *,
    status: str | None = None,
    question: str | None = None,
    after: Place | None = None,
    most: int = 50,
) -> Sequence[PollText]:
    """Return the texts of a poll in the order in which people began, opened."""
    wanted = _texts(ask)
    if status is not None:
        wanted = wanted.where(_decided == status)
    if question is not None:
        wanted = wanted.where(Answer.question == question)
    if after is not None:
        wanted = wanted.where(tuple_(Answer.session_id, Answer.question) > tuple_(*after))
    rows = db.execute(wanted.order_by(Answer.session_id, Answer.question).limit(most)).all()
    keys = person_keys(db, keyring, {row.Answer.contact_id for row in rows})
    return [_told(row, keys[row.Answer.contact_id]) for row in rows]


def decide(
    db: Session,
    keyring: Keyring,
    ask: Ask,
    place: Place,
    status: ReviewStatus,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
) -> PollText:
    """Write down what was decided about a text, in place of what was before, and return it.

    To escalate opens a case of the person who wrote it. NotFound when there is no such text.
    """
    here = (Answer.session_id == place[0], Answer.question == place[1])
    row = db.execute(_texts(ask).where(*here)).one_or_none()
    if row is None:
        raise NotFound("There is no such text in this poll.")
    answer: Answer = row.Answer
    _write(db, answer, status, now)
    if status is ReviewStatus.ESCALATED:
        cases.begin(db, answer.contact_id, CaseReason.FOLLOW_UP, passage=place, now=now)
    detail: dict[str, audit.Detail] = {
        "ask": str(ask.id), "session": str(place[0]), "decision": status.value, "reason": reason,
    }  # fmt: skip
    subject = ("contact", answer.contact_id)
    audit.record(db, actor, "text.reviewed", subject, detail=detail, now=now)
    key = person_keys(db, keyring, {answer.contact_id})[answer.contact_id]
    return _told(db.execute(_texts(ask).where(*here)).one(), key)


_decided: Any = case(
    (TextReview.reviewed_at >= Answer.answered_at, cast(TextReview.status, Text)), else_=WAITING
)


def _texts(ask: Ask) -> Any:
    """The newest words of everybody who wrote some; a skipped question has none."""
    owner = ask.organisation_id
    return (
        select(Answer, _decided.label("decided"), TextReview.reviewed_at)
        .join(
            FlowSession,
            and_(FlowSession.organisation_id == owner, FlowSession.id == Answer.session_id),
        )
        .outerjoin(
            TextReview,
            and_(
                TextReview.organisation_id == owner,
                TextReview.session_id == Answer.session_id,
                TextReview.question == Answer.question,
            ),
        )
        .where(
            Answer.organisation_id == owner,
            FlowSession.ask_id == ask.id,
            Answer.sealed.is_not(None),
        )
        .execution_options(populate_existing=True)
    )


def _write(db: Session, answer: Answer, status: ReviewStatus, now: datetime) -> None:
    row = {
        "organisation_id": answer.organisation_id,
        "session_id": answer.session_id,
        "question": answer.question,
        "contact_id": answer.contact_id,
        "status": status,
        "reviewed_at": now,
        "expires_at": retention.expires_at("text_reviews", now),
    }
    changed = {name: row[name] for name in ("status", "reviewed_at", "expires_at")}
    db.execute(
        insert(TextReview)
        .values(**row)
        .on_conflict_do_update(
            index_elements=["organisation_id", "session_id", "question"], set_=changed
        )
    )


def _told(row: Any, key: bytes) -> PollText:
    answer: Answer = row.Answer
    decided = row.decided != WAITING
    return PollText(
        session_id=answer.session_id,
        question=answer.question,
        text=open_answer(key, answer),
        language=answer.language,
        status=str(row.decided),
        answered_at=answer.answered_at,
        reviewed_at=row.reviewed_at if decided else None,
    )
