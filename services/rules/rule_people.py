"""Whether people may be written to by a rule, as they stand now."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models.address import Address, AddressStatus
from models.ask import Ask, AskKind
from models.broadcast import BroadcastKind, Recipient, RecipientStatus
from models.contact import Contact, ContactStatus
from models.flow_session import FlowSession
from models.profile import Profile
from models.walls import organisation_of
from services.asks.ask_checks import CONSENT_FOR
from services.audiences.asked_before import BY_RULE
from services.audiences.eligibility import LeftOut

Month = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """What of one person decides; `asked` counts what they were asked unasked, by month (UTC)."""

    active: bool
    reachable: bool
    consents: frozenset[str]
    monthly_cap: int
    asked: Counter[Month]


def purpose_of(flow_kind: str | None) -> str:
    """Return what somebody must have allowed: for a flow of this kind, or for a case (None)."""
    if flow_kind is not None and flow_kind in set(AskKind):
        return CONSENT_FOR[AskKind(flow_kind)]
    return "registration"


def is_capped(flow_kind: str | None) -> bool:
    """Whether it counts as one of the asks of a month."""
    return flow_kind not in (None, AskKind.NOTICE)


def standings(db: Session, contact_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
    """Return how these people stand; who is gone is not among them."""
    owner, asked = organisation_of(db), _asked(db, contact_ids)
    reached = exists().where(
        Address.organisation_id == owner,
        Address.contact_id == Contact.id,
        Address.status == AddressStatus.ACTIVE,
    )
    rows = db.execute(
        select(Contact.id, Contact.status, Profile.consents, Profile.monthly_cap, reached)
        .join(
            Profile,
            (Profile.organisation_id == owner) & (Profile.contact_id == Contact.id),
            isouter=True,
        )
        .where(Contact.organisation_id == owner, Contact.id.in_(contact_ids))
    )
    return {
        contact_id: Standing(
            active=status is ContactStatus.ACTIVE,
            reachable=reachable,
            consents=frozenset(consents or ()),
            monthly_cap=cap or 0,
            asked=asked.get(contact_id, Counter()),
        )
        for contact_id, status, consents, cap, reachable in rows
    }


def obstacle(standing: Standing | None, flow_kind: str | None, at: datetime) -> LeftOut | None:
    """Return why nothing follows for somebody at a moment, or None if it may."""
    if standing is None or not standing.active:
        return LeftOut.STOPPED
    if purpose_of(flow_kind) not in standing.consents:
        return LeftOut.NO_CONSENT
    if is_capped(flow_kind) and standing.asked[month_of(at)] >= standing.monthly_cap:
        return LeftOut.MONTHLY_CAP
    return None if standing.reachable else LeftOut.UNREACHABLE


def month_of(at: datetime) -> Month:
    """Return the calendar month of a moment (UTC), as eligibility.py counts it."""
    moment = at.astimezone(UTC)
    return moment.year, moment.month


def _asked(db: Session, contact_ids: Collection[UUID]) -> Mapping[UUID, Counter[Month]]:
    """Count invitations sent to people and passages that rules began."""
    owner = organisation_of(db)
    invited = (
        select(Recipient.contact_id, Recipient.queued_at)
        .join(Ask, (Ask.organisation_id == owner) & (Ask.id == Recipient.ask_id))
        .where(
            Recipient.organisation_id == owner,
            Recipient.contact_id.in_(contact_ids),
            Recipient.kind == BroadcastKind.INVITATION,
            Recipient.status == RecipientStatus.QUEUED,
            Ask.kind != AskKind.NOTICE,
        )
    )
    followed = select(FlowSession.contact_id, FlowSession.started_at).where(
        FlowSession.organisation_id == owner,
        FlowSession.contact_id.in_(contact_ids),
        FlowSession.origin.has_key(BY_RULE),
        FlowSession.kind != AskKind.NOTICE,
    )
    found: dict[UUID, Counter[Month]] = {}
    for contact_id, at in [*db.execute(invited), *db.execute(followed)]:
        found.setdefault(contact_id, Counter())[month_of(at)] += 1
    return found
