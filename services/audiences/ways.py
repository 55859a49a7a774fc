"""The addresses at which people may be written to, and which is taken first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, Text, and_, case, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session

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
    """The range of contact ids that a statement looks at, said of every table it reads."""

    after: UUID | None
    upto: UUID | None

    def holds(self, column: Any) -> list[ColumnElement[bool]]:
        """Return what must hold of a column of contact ids."""
        return [
            *([column > self.after] if self.after is not None else []),
            *([column <= self.upto] if self.upto is not None else []),
        ]


def ways_to(owner: UUID, now: datetime, chunk: Chunk) -> Subquery:
    """Return every address that may be written to.

    `by_template` says that WhatsApp's window is closed there.
    """
    closed = and_(
        Channel.kind == ChannelKind.WHATSAPP,
        func.coalesce(Address.window_until, now) <= now + MARGIN,
    )
    return (
        select(
            Address.contact_id,
            Address.id.label("address_id"),
            Address.channel_id,
            Channel.kind.label("channel_kind"),
            Address.scheme,
            Address.last_in_at,
            closed.label("by_template"),
        )
        .join(Channel, and_(Channel.organisation_id == owner, Channel.id == Address.channel_id))
        .where(
            Address.organisation_id == owner,
            Address.status == AddressStatus.ACTIVE,
            Channel.status == ChannelStatus.ACTIVE,
            *chunk.holds(Address.contact_id),
        )
        .subquery("ways")
    )


def best_first(ways: Subquery) -> list[ColumnElement[Any]]:
    """Return the order of a person's ways: the one last used comes first.

    Addresses note the day; within it the profile knows the channel.
    """
    return [
        func.date_trunc("day", ways.c.last_in_at, "UTC").desc().nulls_last(),
        (cast(ways.c.scheme, Text) == Profile.channel).desc().nulls_last(),
        ways.c.last_in_at.desc().nulls_last(),
        ways.c.address_id.desc(),
    ]


def can_be_said(db: Session, template: str, ways: Subquery) -> ColumnElement[bool]:
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
    return or_(~ways.c.by_template, tuple_(ways.c.channel_id, spoken).in_(pairs))
