"""What two contacts are known by becomes one: cases, consents and profile."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from models.base import new_id
from models.case import Case, CaseReason, CaseStatus
from models.consent import ConsentAction, ConsentEvent
from models.flow_session import Answer, FlowSession
from models.message import Message
from models.profile import Profile
from models.walls import lifted, organisation_of
from services import retention

URGENCY = tuple(CaseReason)
ASKED_FIELDS = ("country", "link", "age_band", "gender", "activity")
OF_PLACE = ("place", "region", "time_zone")
PURPOSE_OF_ALL = "messages"


def join_cases(db: Session, stays: UUID, goes: UUID) -> UUID | None:
    """Make one open case of two and move the rest; returns the open case, if there is one."""
    found = db.scalars(
        select(Case)
        .where(Case.organisation_id == organisation_of(db), Case.contact_id.in_((stays, goes)))
        .order_by(Case.opened_at, Case.id)
        .with_for_update()
    ).all()
    not_closed = [case for case in found if case.status != CaseStatus.CLOSED]
    if len(not_closed) > 1:
        kept, gone = not_closed
        _fold_case(db, kept, gone, {stays, goes})
    for case in found:
        # A session takes its cases along; one without a session goes by itself.
        if case.contact_id == goes and case.session_id is None and case not in not_closed[1:]:
            case.contact_id = stays
    db.flush()
    return not_closed[0].id if not_closed else None


def _fold_case(db: Session, kept: Case, gone: Case, both: set[UUID]) -> None:
    """The older case takes over what the younger one holds; the more urgent reason counts."""
    kept.unread += gone.unread
    kept.reason = min((kept.reason, gone.reason), key=URGENCY.index)
    kept.last_message_at = max(kept.last_message_at, gone.last_message_at)
    kept.staff_id = kept.staff_id or gone.staff_id
    if CaseStatus.OPEN in (kept.status, gone.status):
        kept.status = CaseStatus.OPEN
    renamed = func.to_jsonb(str(kept.id)).cast(JSONB)
    db.execute(
        update(Message)
        .where(Message.contact_id.in_(both), Message.content["case"].astext == str(gone.id))
        .values(content=func.jsonb_set(Message.content, ["case"], renamed))
        .execution_options(synchronize_session=False)
    )
    db.delete(gone)
    db.flush()


def join_consents(
    db: Session, stays: UUID, goes: UUID, *, language: str, channel_kind: str, now: datetime
) -> None:
    """Keep the whole history under one contact; what either withdrew is withdrawn.

    The history is append-only: it is written again under the other contact in the system scope.
    """
    mine, theirs = (_latest(_history(db, who)) for who in (stays, goes))
    history = _history(db, goes)
    with lifted(db):
        _move(db, history, stays)
    actions = {**mine, **theirs}
    for purpose in sorted(actions):
        both = {mine.get(purpose), theirs.get(purpose)}
        if ConsentAction.WITHDRAWN in both and ConsentAction.GRANTED in both:
            db.add(_withdrawn(db, stays, purpose, language, channel_kind, now))
            actions[purpose] = ConsentAction.WITHDRAWN
        elif ConsentAction.GRANTED in both:
            actions[purpose] = ConsentAction.GRANTED
    db.flush()
    granted = sorted(p for p, action in actions.items() if action == ConsentAction.GRANTED)
    db.execute(
        update(Profile)
        .where(Profile.organisation_id == organisation_of(db), Profile.contact_id == stays)
        .values(consents=[p for p in granted if p != PURPOSE_OF_ALL])
    )


def _history(db: Session, contact_id: UUID) -> Sequence[ConsentEvent]:
    return db.scalars(
        select(ConsentEvent)
        .where(
            ConsentEvent.organisation_id == organisation_of(db),
            ConsentEvent.contact_id == contact_id,
        )
        .order_by(ConsentEvent.at, ConsentEvent.id)
    ).all()


def _latest(history: Sequence[ConsentEvent]) -> dict[str, ConsentAction]:
    return {event.purpose: event.action for event in history}


def _move(db: Session, history: Sequence[ConsentEvent], stays: UUID) -> None:
    columns = [column.key for column in ConsentEvent.__table__.columns]
    rows = [{key: getattr(event, key) for key in columns} for event in history]
    if not rows:
        return
    db.execute(
        delete(ConsentEvent)
        .where(
            ConsentEvent.organisation_id == organisation_of(db),
            ConsentEvent.id.in_([row["id"] for row in rows]),
        )
        .execution_options(synchronize_session=False)
    )
    for event in history:
        db.expunge(event)
    for row in rows:
        db.add(ConsentEvent(**row | {"contact_id": stays}))
    db.flush()


def _withdrawn(
    db: Session, contact_id: UUID, purpose: str, language: str, channel_kind: str, now: datetime
) -> ConsentEvent:
    return ConsentEvent(
        organisation_id=organisation_of(db),
        id=new_id(now),
        contact_id=contact_id,
        purpose=purpose,
        action=ConsentAction.WITHDRAWN,
        question="linked",
        language=language,
        channel_kind=channel_kind,
        at=now,
        expires_at=retention.expires_at("consent_events", now),
    )


def join_profiles(db: Session, stays: UUID, goes: UUID, talking: UUID) -> None:
    """Of each field the newest answer counts; the profile of the contact that goes is deleted.

    Read before answers are folded, so that each field still has the moment it was answered.
    """
    rows = db.scalars(
        select(Profile).where(
            Profile.organisation_id == organisation_of(db), Profile.contact_id.in_((stays, goes))
        )
    ).all()
    found = {row.contact_id: row for row in rows}
    if goes not in found:
        return
    theirs = found[goes]
    mine = found.get(stays)
    if mine is None:
        mine = Profile(
            organisation_id=theirs.organisation_id,
            contact_id=stays,
            joined_at=theirs.joined_at,
            last_seen_at=theirs.last_seen_at,
            rest={},
            consents=[],
            monthly_cap=theirs.monthly_cap,
        )
        db.add(mine)
    _fill(mine, theirs, _answered(db, stays), _answered(db, goes), theirs_talks=talking == goes)
    db.delete(theirs)
    db.flush()


def _fill(
    mine: Profile,
    theirs: Profile,
    my_times: dict[str, datetime],
    their_times: dict[str, datetime],
    *,
    theirs_talks: bool,
) -> None:
    def newer(question: str) -> bool:
        """Whether the other's answer to this question is the newer one."""
        mine_at, theirs_at = my_times.get(question), their_times.get(question)
        return theirs_at is not None and (mine_at is None or theirs_at >= mine_at)

    for field in ASKED_FIELDS:
        _take(mine, theirs, [field], better=newer(field))
    _take(mine, theirs, OF_PLACE, better=newer("place"))
    _take(mine, theirs, ["language"], better=theirs_talks)
    _take(mine, theirs, ["channel"], better=theirs_talks)
    mine.office_id = mine.office_id or theirs.office_id
    rest: dict[str, Any] = dict(mine.rest)
    for name, value in theirs.rest.items():
        if name not in rest or newer(name.rpartition(".")[2]):
            rest[name] = value
    mine.rest = rest
    mine.monthly_cap = min(mine.monthly_cap, theirs.monthly_cap)
    mine.joined_at = min(mine.joined_at, theirs.joined_at)
    mine.registered_at = min(filter(None, (mine.registered_at, theirs.registered_at)), default=None)
    mine.last_seen_at = max(mine.last_seen_at, theirs.last_seen_at)
    mine.expires_at = max(filter(None, (mine.expires_at, theirs.expires_at)), default=None)


def _take(mine: Profile, theirs: Profile, fields: Sequence[str], *, better: bool) -> None:
    """Take fields that belong together from the newer answer, or from whoever gave any."""
    nothing = all(getattr(mine, field) is None for field in fields)
    something = any(getattr(theirs, field) is not None for field in fields)
    if something and (better or nothing):
        for field in fields:
            setattr(mine, field, getattr(theirs, field))


def _answered(db: Session, contact_id: UUID) -> dict[str, datetime]:
    """When each question was last answered, whatever the flow."""
    rows = db.execute(
        select(Answer.question, func.max(Answer.answered_at))
        .join(FlowSession, FlowSession.id == Answer.session_id)
        .where(Answer.organisation_id == organisation_of(db), Answer.contact_id == contact_id)
        .group_by(Answer.question)
    ).all()
    return {row[0]: row[1] for row in rows}
