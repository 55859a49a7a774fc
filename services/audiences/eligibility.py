"""Who a sending reaches, on which channel, and why not: one statement for all people.

The dry run counts what this returns and the broadcast writes it down, so they cannot disagree.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    case,
    exists,
    false,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from flows.conditions import Condition
from models.ask import AskKind
from models.broadcast import BroadcastKind, Recipient, RecipientStatus
from models.conditions import as_sql, people
from models.contact import Contact, ContactStatus
from models.flow_session import Answer, FlowSession, SessionStatus
from models.profile import Profile
from models.walls import organisation_of
from services.asks.ask_checks import CONSENT_FOR
from services.audiences.asked_before import asks_this_month
from services.audiences.interruptions import interrupts
from services.audiences.ways import Chunk, best_way

TEMPLATES: Final = {
    BroadcastKind.INVITATION: "invitation",
    BroadcastKind.REMINDER: "reminder",
    BroadcastKind.RESULT: "result",
    BroadcastKind.REPORT_BACK: "result",
}
"""The WhatsApp template that says each kind of sending outside the window."""


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
        return None if self.kind.tells else CONSENT_FOR[self.ask_kind]

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
    way = best_way(db, TEMPLATES[sending.kind], now)
    return (
        people(db)
        .with_only_columns(
            Profile.contact_id,
            way.c.address_id,
            way.c.channel_id,
            way.c.channel_kind,
            way.c.by_template,
            Contact.language,
            Profile.time_zone,
            Profile.country,
            _reason(sending, owner, way, now).label("reason"),
            maintain_column_froms=True,
        )
        .outerjoin(way, true())
        .where(as_sql(sending.condition, now), _is_meant(sending))
        .where(*chunk.holds(Profile.contact_id))
        .order_by(Profile.contact_id)
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


def _reason(
    sending: Sending, owner: UUID, way: FromClause, now: datetime
) -> ColumnElement[str | None]:
    """The first reason that applies, cheapest look-ups first where the order leaves a choice."""
    reasons: list[tuple[ColumnElement[bool], LeftOut]] = [
        (Contact.status == ContactStatus.STOPPED, LeftOut.STOPPED)
    ]
    if sending.purpose:
        agreed = Profile.consents.contains([sending.purpose])
        reasons.append((~agreed, LeftOut.NO_CONSENT))
    if sending.is_capped:
        full = asks_this_month(owner, sending.ask_id, now) >= Profile.monthly_cap
        reasons.append((full, LeftOut.MONTHLY_CAP))
    if not sending.kind.tells:
        reasons.append((interrupts(owner, sending.ask_id, now), LeftOut.BUSY))
    reasons.append((way.c.address_id.is_(None), LeftOut.UNREACHABLE))
    if sending.ask_id is not None:
        reasons.append((_was_asked(sending), LeftOut.ALREADY_ASKED))
    return case(*((holds, reason.value) for holds, reason in reasons), else_=null())


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
    return or_(_has_recipient(sending, sending.kind, on_its_way), has_done(sending))


def has_done(sending: Sending) -> ColumnElement[bool]:
    """Return whether a person of the outer statement's profiles came or answered by themselves."""
    match sending.kind:
        case BroadcastKind.INVITATION:
            return exists().where(*_sessions(sending))
        case BroadcastKind.REMINDER:
            return or_(_has_answered(sending), _has_declined(sending))
        case BroadcastKind.RESULT | BroadcastKind.REPORT_BACK:
            return false()


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
    done = FlowSession.status == SessionStatus.COMPLETE
    return exists().where(*_sessions(sending), or_(done, answered))


def _has_declined(sending: Sending) -> ColumnElement[bool]:
    """Whether they said "not now": they are not silent, and are left in peace."""
    return exists().where(*_sessions(sending), FlowSession.status == SessionStatus.STOPPED)


def _sessions(sending: Sending) -> list[ColumnElement[bool]]:
    return [
        FlowSession.organisation_id == Profile.organisation_id,
        FlowSession.ask_id == sending.ask_id,
        FlowSession.contact_id == Profile.contact_id,
    ]
