"""The address at which a person is written to: of those there are, the best."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    case,
    cast,
    func,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import LateralFromClause

from flows.templates import templates
from models.address import Address, AddressStatus
from models.channel import Channel, ChannelKind, ChannelStatus
from models.contact import Contact
from models.profile import Profile
from models.template import TemplateStatus, WhatsAppTemplate
from models.walls import organisation_of
from services.messages.outside import MARGIN


@dataclass(frozen=True, slots=True)
class Chunk:
    """The range of contact ids that a statement looks at."""

    after: UUID | None
    upto: UUID | None

    def holds(self, column: Any) -> list[ColumnElement[bool]]:
        """Return what must hold of a column of contact ids."""
        return [
            *([column > self.after] if self.after is not None else []),
            *([column <= self.upto] if self.upto is not None else []),
        ]


def best_way(db: Session, template: str, now: datetime) -> LateralFromClause:
    """Return the one address at which each person of the outer statement is written to, if any.

    Looked up person by person, so it costs the same whatever the tables' statistics say. The
    address last used comes first: addresses note the day, within it the profile knows the channel.
    `by_template` says that WhatsApp's window is closed there.
    """
    owner = organisation_of(db)
    closed = and_(
        Channel.kind == ChannelKind.WHATSAPP,
        func.coalesce(Address.window_until, now) <= now + MARGIN,
    )
    return (
        select(
            Address.id.label("address_id"),
            Address.channel_id,
            Channel.kind.label("channel_kind"),
            closed.label("by_template"),
        )
        .join(Channel, and_(Channel.organisation_id == owner, Channel.id == Address.channel_id))
        .where(
            Address.organisation_id == owner,
            Address.contact_id == Profile.contact_id,
            Address.status == AddressStatus.ACTIVE,
            Channel.status == ChannelStatus.ACTIVE,
            _can_be_said(db, template, closed),
        )
        .order_by(
            func.date_trunc("day", Address.last_in_at, "UTC").desc().nulls_last(),
            (cast(Address.scheme, Text) == Profile.channel).desc().nulls_last(),
            Address.last_in_at.desc().nulls_last(),
            Address.id.desc(),
        )
        .limit(1)
        .correlate(Profile, Contact)
        .lateral("way")
    )


def _can_be_said(db: Session, template: str, closed: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether something can be said: outside WhatsApp's window by an approved template only.

    It must be approved in the person's language, in English where the template does not speak it.
    """
    known = {language: one for (name, language), one in templates().items() if name == template}
    approved = db.execute(
        select(WhatsAppTemplate.channel_id, WhatsAppTemplate.language).where(
            WhatsAppTemplate.organisation_id == organisation_of(db),
            WhatsAppTemplate.name == template,
            WhatsAppTemplate.digest.in_([one.digest for one in known.values()]),
            WhatsAppTemplate.status == TemplateStatus.APPROVED,
        )
    ).all()
    spoken = case((Contact.language.in_(list(known)), Contact.language), else_="en")
    pairs = [(channel_id, language) for channel_id, language in approved]
    return or_(not_(closed), tuple_(Address.channel_id, spoken).in_(pairs))
