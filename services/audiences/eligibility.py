"""Who a sending reaches, on which channel, and why not: one statement for all people.

The dry run counts what this returns and the broadcast writes it down, so they cannot disagree.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Subquery,
    Text,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from flows.conditions import Condition
from models.ask import Ask, AskKind
from models.broadcast import Broadcast, BroadcastKind, BroadcastStatus, Recipient, RecipientStatus
from models.conditions import as_sql, people
from models.contact import Contact, ContactStatus, Conversation
from models.flow_session import Answer, FlowSession, SessionStatus
from models.profile import Profile
from models.walls import organisation_of
from services.asks.ask_checks import CONSENT_FOR
from services.audiences.ways import Chunk, best_first, can_be_said, ways_to
from services.conversation.props import TEST

TEMPLATES: Final = {
    BroadcastKind.INVITATION: "invitation",
    BroadcastKind.REMINDER: "reminder",
    BroadcastKind.REPORT_BACK: "result",
}
"""The WhatsApp template that says each kind of sending outside the window."""
IN_CONVERSATION: Final = timedelta(hours=24)
"""Who said or was asked something so recently, and has not finished it, is not interrupted."""


class LeftOut(StrEnum):
    """Why somebody gets nothing: the first that applies, in this order."""

    STOPPED = "stopped"
    NO_CONSENT = "no_consent"
    MONTHLY_CAP = "monthly_cap"
    BUSY = "in_conversation"
    UNREACHABLE = "unreachable"
    ALREADY_ASKED = "already_asked"


@dataclass(frozen=True, slots=True)
class Sending:
    """What is to be sent, and to whom.

    `ask_id` is None for an ask not saved yet. An invitation goes to the people of the condition; a
    reminder to those of them who were invited and are silent; a report-back to those who answered,
    or with `to_invited` to all who were invited (a secret poll knows nobody who answered).
    """

    kind: BroadcastKind
    ask_kind: AskKind
    condition: Condition
    ask_id: UUID | None = None
    to_invited: bool = False

    @property
    def purpose(self) -> str | None:
        """What the person must allow; telling what became of their answer asks for nothing more."""
        return None if self.kind is BroadcastKind.REPORT_BACK else CONSENT_FOR[self.ask_kind]

    @property
    def is_capped(self) -> bool:
        """Whether it counts as one of the asks a person gets in a month."""
        return self.kind is BroadcastKind.INVITATION and self.ask_kind is not AskKind.NOTICE


def eligible(
    db: Session,
    sending: Sending,
    *,
    now: datetime,
    after: UUID | None = None,
    upto: UUID | None = None,
) -> Select[Any]:
    """Return each person of the audience once: where they would get it, or why they do not.

    Columns: contact_id, address_id, channel_id, channel_kind, by_template, language, time_zone,
    country, reason. `reason` is null for who gets it, else a word of LeftOut; then the address says
    nothing. In order of contact_id; with `after` and `upto` only ids beyond the one and up to the
    other, which makes a chunk cost no more than its people (`find_end`).
    """
    owner, chunk = organisation_of(db), Chunk(after, upto)
    ways, busy = ways_to(owner, now, chunk), _busy(owner, now, chunk)
    asked = _asked_this_month(owner, sending, now, chunk)
    reached = and_(
        ways.c.contact_id == Profile.contact_id, can_be_said(db, TEMPLATES[sending.kind], ways)
    )
    return (
        people(db)
        .with_only_columns(
            Profile.contact_id,
            ways.c.address_id,
            ways.c.channel_id,
            ways.c.channel_kind,
            ways.c.by_template,
            Contact.language,
            Profile.time_zone,
            Profile.country,
            _reason(sending, ways, asked, busy).label("reason"),
            maintain_column_froms=True,
        )
        .outerjoin(ways, reached)
        .outerjoin(busy, busy.c.contact_id == Profile.contact_id)
        .outerjoin(asked, asked.c.contact_id == Profile.contact_id)
        .where(as_sql(sending.condition, now), _is_meant(sending))
        .where(*chunk.holds(Profile.contact_id), *chunk.holds(Contact.id))
        .ext(distinct_on(Profile.contact_id))
        .order_by(Profile.contact_id, *best_first(ways))
    )


def find_end(db: Session, after: UUID | None, most: int) -> UUID | None:
    """Return where a chunk of so many people ends, or None when nobody is left beyond `after`."""
    ids = (
        select(Profile.contact_id)
        .where(
            Profile.organisation_id == organisation_of(db),
            *Chunk(after, None).holds(Profile.contact_id),
        )
        .order_by(Profile.contact_id)
        .limit(most)
        .subquery()
    )
    return db.scalar(select(ids.c.contact_id).order_by(ids.c.contact_id.desc()).limit(1))


def _asked_this_month(owner: UUID, sending: Sending, now: datetime, chunk: Chunk) -> Subquery:
    """How many other asks each person gets in this calendar month (UTC), counted by invitations."""
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (month + timedelta(days=32)).replace(day=1)
    sent_at = func.coalesce(Recipient.queued_at, Recipient.send_at)
    sent = or_(
        Recipient.status == RecipientStatus.QUEUED,
        and_(
            Recipient.status == RecipientStatus.WAITING,
            Broadcast.status != BroadcastStatus.CANCELED,
        ),
    )
    return (
        select(Recipient.contact_id, func.count().label("asks"))
        .join(
            Broadcast,
            and_(Broadcast.organisation_id == owner, Broadcast.id == Recipient.broadcast_id),
        )
        .join(Ask, and_(Ask.organisation_id == owner, Ask.id == Recipient.ask_id))
        .where(
            Recipient.organisation_id == owner,
            Recipient.kind == BroadcastKind.INVITATION,
            Ask.kind != AskKind.NOTICE,
            Recipient.ask_id.is_distinct_from(sending.ask_id),
            sent,
            sent_at >= month,
            sent_at < following,
            *chunk.holds(Recipient.contact_id),
        )
        .group_by(Recipient.contact_id)
        .subquery("asked")
    )


def _reason(
    sending: Sending, ways: Subquery, asked: Subquery, busy: Subquery
) -> ColumnElement[str | None]:
    """The first reason that applies, cheapest look-ups first where the order leaves a choice."""
    reasons: list[tuple[ColumnElement[bool], LeftOut]] = [
        (Contact.status == ContactStatus.STOPPED, LeftOut.STOPPED)
    ]
    if sending.purpose:
        agreed = Profile.consents.contains([sending.purpose])
        reasons.append((~agreed, LeftOut.NO_CONSENT))
    if sending.is_capped:
        full = func.coalesce(asked.c.asks, 0) >= Profile.monthly_cap
        reasons.append((full, LeftOut.MONTHLY_CAP))
    if sending.kind is not BroadcastKind.REPORT_BACK:
        reasons.append((busy.c.contact_id.is_not(None), LeftOut.BUSY))
    reasons.append((ways.c.address_id.is_(None), LeftOut.UNREACHABLE))
    if sending.ask_id is not None:
        reasons.append((_was_asked(sending), LeftOut.ALREADY_ASKED))
    return case(*((holds, reason.value) for holds, reason in reasons), else_=null())


def _busy(owner: UUID, now: datetime, chunk: Chunk) -> Subquery:
    """Who is in the middle of a flow, or talks with an officer: few at any moment."""
    open_flow = and_(
        func.jsonb_exists_any(
            Conversation.state, literal(["session", "paused", "aside"], ARRAY(Text))
        ),
        func.coalesce(Conversation.state["origin"].has_key(TEST), false()).is_(False),
    )
    return (
        select(Conversation.contact_id)
        .where(
            Conversation.organisation_id == owner,
            Conversation.updated_at > now - IN_CONVERSATION,
            or_(Conversation.case_id.is_not(None), open_flow),
            *chunk.holds(Conversation.contact_id),
        )
        .subquery("busy")
    )


def _is_meant(sending: Sending) -> ColumnElement[bool]:
    """Whom of the audience this kind of sending is for."""
    if sending.kind is BroadcastKind.INVITATION:
        return true()
    if sending.kind is BroadcastKind.REMINDER or sending.to_invited:
        return _has_recipient(sending, BroadcastKind.INVITATION, [RecipientStatus.QUEUED])
    return _has_answered(sending)


def _was_asked(sending: Sending) -> ColumnElement[bool]:
    """Whether this very thing was or will be sent to them, or they have done it already."""
    on_its_way = [RecipientStatus.WAITING, RecipientStatus.QUEUED]
    asked = _has_recipient(sending, sending.kind, on_its_way)
    match sending.kind:
        case BroadcastKind.INVITATION:
            return or_(asked, exists().where(*_sessions(sending)))
        case BroadcastKind.REMINDER:
            return or_(asked, _has_answered(sending))
        case BroadcastKind.REPORT_BACK:
            return asked


def _has_recipient(
    sending: Sending, kind: BroadcastKind, statuses: list[RecipientStatus]
) -> ColumnElement[bool]:
    return exists().where(
        Recipient.organisation_id == Profile.organisation_id,
        Recipient.ask_id == sending.ask_id,
        Recipient.kind == kind,
        Recipient.contact_id == Profile.contact_id,
        Recipient.status.in_(statuses),
    )


def _has_answered(sending: Sending) -> ColumnElement[bool]:
    answered = exists().where(
        Answer.organisation_id == FlowSession.organisation_id,
        Answer.session_id == FlowSession.id,
        Answer.skipped.is_(False),
    )
    done = FlowSession.status.in_([SessionStatus.COMPLETE, SessionStatus.PARTIAL])
    return exists().where(*_sessions(sending), or_(done, answered))


def _sessions(sending: Sending) -> list[ColumnElement[bool]]:
    return [
        FlowSession.organisation_id == Profile.organisation_id,
        FlowSession.ask_id == sending.ask_id,
        FlowSession.contact_id == Profile.contact_id,
    ]
