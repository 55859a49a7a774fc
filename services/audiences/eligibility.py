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
    and_,
    case,
    exists,
    false,
    func,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on
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
from services.audiences.chunks import EVERYBODY, Chunk
from services.audiences.interruptions import interrupted
from services.audiences.ways import best_first, can_be_said, ways_to

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


class GoesTo(StrEnum):
    """Whom of everybody a sending is for."""

    AUDIENCE = "audience"
    SILENT = "invited_and_silent"
    INVITED = "invited"
    ANSWERED = "answered"


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
    def goes_to(self) -> GoesTo:
        """Whom it is for, before anybody is left out."""
        if self.kind is BroadcastKind.INVITATION:
            return GoesTo.AUDIENCE
        if self.kind is BroadcastKind.REMINDER:
            return GoesTo.SILENT
        return GoesTo.INVITED if self.to_invited else GoesTo.ANSWERED

    @property
    def template(self) -> str:
        """The WhatsApp template that says it outside the window."""
        return TEMPLATES[self.kind]

    @property
    def is_capped(self) -> bool:
        """Whether it counts as one of the asks a person gets in a month."""
        return self.kind is BroadcastKind.INVITATION and self.ask_kind is not AskKind.NOTICE


def eligible(
    db: Session, sending: Sending, *, now: datetime, chunk: Chunk = EVERYBODY
) -> Select[Any]:
    """Return each person of the audience once: where they would get it, or why they do not.

    Columns: contact_id, address_id, channel_id, channel_kind, by_template, language, time_zone,
    country, reason. `reason` is null for who gets it, else a word of LeftOut; then the address says
    nothing. In order of contact_id. Run it within `read_in_ranges`.
    """
    owner = organisation_of(db)
    ways = ways_to(db, chunk, now)
    asked = asks_this_month(owner, sending.ask_id, chunk, now)
    theirs = and_(ways.c.contact_id == Profile.contact_id, can_be_said(db, sending.template, ways))
    found = (
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
            _reason(sending, owner, ways, asked, now, chunk).label("reason"),
            maintain_column_froms=True,
        )
        .outerjoin(ways, theirs)
        .where(as_sql(sending.condition, now), *_meant(sending, owner, chunk))
        .where(*chunk.holds(Profile.contact_id), *chunk.holds(Contact.id))
        .ext(distinct_on(Profile.contact_id))
        .order_by(Profile.contact_id, *best_first(ways))
    )
    if sending.is_capped:
        found = found.outerjoin(asked, asked.c.contact_id == Profile.contact_id)
    return found


def _reason(
    sending: Sending, owner: UUID, ways: FromClause, asked: FromClause, now: datetime, chunk: Chunk
) -> ColumnElement[str | None]:
    """The first reason that applies."""
    reasons: list[tuple[ColumnElement[bool], LeftOut]] = [
        (Contact.status == ContactStatus.STOPPED, LeftOut.STOPPED)
    ]
    if sending.purpose:
        agreed = Profile.consents.contains([sending.purpose])
        reasons.append((~agreed, LeftOut.NO_CONSENT))
    if sending.is_capped:
        full = func.coalesce(asked.c.times, 0) >= Profile.monthly_cap
        reasons.append((full, LeftOut.MONTHLY_CAP))
    if not sending.kind.tells:
        busy = Profile.contact_id.in_(interrupted(owner, sending.ask_id, now, chunk))
        reasons.append((busy, LeftOut.BUSY))
    reasons.append((ways.c.address_id.is_(None), LeftOut.UNREACHABLE))
    if sending.ask_id is not None:
        reasons.append((_was_asked(sending, owner, chunk), LeftOut.ALREADY_ASKED))
    return case(*((holds, reason.value) for holds, reason in reasons), else_=null())


def _meant(sending: Sending, owner: UUID, chunk: Chunk) -> list[ColumnElement[bool]]:
    """Whom of the audience this kind of sending is for."""
    if sending.kind is BroadcastKind.INVITATION:
        return []
    if sending.kind is BroadcastKind.REMINDER or sending.to_invited:
        queued = [RecipientStatus.QUEUED]
        invited = _recipients(sending, owner, BroadcastKind.INVITATION, queued)
        return [Profile.contact_id.in_(invited.where(*chunk.holds(Recipient.contact_id)))]
    passed = _passages(sending, owner).where(_answered(), *chunk.holds(FlowSession.contact_id))
    return [Profile.contact_id.in_(passed)]


def _was_asked(sending: Sending, owner: UUID, chunk: Chunk) -> ColumnElement[bool]:
    """Whether this very thing was or will be sent to them, or they have done it already."""
    on_its_way = [RecipientStatus.WAITING, RecipientStatus.QUEUED]
    sent = _recipients(sending, owner, sending.kind, on_its_way)
    done = _done(sending, owner)
    return or_(
        Profile.contact_id.in_(sent.where(*chunk.holds(Recipient.contact_id))),
        Profile.contact_id.in_(done.where(*chunk.holds(FlowSession.contact_id))),
    )


def has_done(sending: Sending, owner: UUID, contact_id: Any) -> ColumnElement[bool]:
    """Return whether one person came or answered by themselves; `contact_id` is a column."""
    return _done(sending, owner).where(FlowSession.contact_id == contact_id).exists()


def _done(sending: Sending, owner: UUID) -> Select[UUID]:
    """Who needs no asking: they came, or answered, or said "not now" and are left in peace."""
    passages = _passages(sending, owner)
    match sending.kind:
        case BroadcastKind.INVITATION:
            return passages
        case BroadcastKind.REMINDER:
            return passages.where(or_(_answered(), FlowSession.status == SessionStatus.STOPPED))
        case BroadcastKind.RESULT | BroadcastKind.REPORT_BACK:
            return passages.where(false())


def _recipients(
    sending: Sending, owner: UUID, kind: BroadcastKind, statuses: list[RecipientStatus]
) -> Select[UUID]:
    return select(Recipient.contact_id).where(
        Recipient.organisation_id == owner,
        Recipient.ask_id == sending.ask_id,
        Recipient.kind == kind,
        Recipient.status.in_(statuses),
    )


def _passages(sending: Sending, owner: UUID) -> Select[UUID]:
    return select(FlowSession.contact_id).where(
        FlowSession.organisation_id == owner, FlowSession.ask_id == sending.ask_id
    )


def _answered() -> ColumnElement[bool]:
    answered = exists().where(
        Answer.organisation_id == FlowSession.organisation_id,
        Answer.session_id == FlowSession.id,
        Answer.skipped.is_(False),
    )
    return or_(FlowSession.status == SessionStatus.COMPLETE, answered)
