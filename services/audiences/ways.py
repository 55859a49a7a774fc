"""The address at which a person is written to: of those there are, the best."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
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

from flows.templates import templates
from models.address import Address, AddressStatus
from models.channel import Channel, ChannelKind, ChannelStatus
from models.contact import Contact
from models.profile import Profile
from models.template import TemplateStatus, WhatsAppTemplate
from models.walls import organisation_of
from services.audiences.chunks import Chunk
from services.messages.outside import MARGIN


def ways_to(db: Session, chunk: Chunk, now: datetime) -> FromClause:
    """Return every address at which people of a chunk might be written to.

    `by_template` says that WhatsApp's window is closed there. The walls alone keep to the
    organisation: named here as well, it would lead to the index that begins with it.
    """
    owner = organisation_of(db)
    closed = and_(
        Channel.kind == ChannelKind.WHATSAPP,
        func.coalesce(Address.window_until, now) <= now + MARGIN,
    )
    return (
        select(
            Address.contact_id,
            Address.id.label("address_id"),
            Address.scheme,
            Address.last_in_at,
            Address.channel_id,
            Channel.kind.label("channel_kind"),
            closed.label("by_template"),
        )
        .join(Channel, and_(Channel.organisation_id == owner, Channel.id == Address.channel_id))
        .where(
            Address.status == AddressStatus.ACTIVE,
            Channel.status == ChannelStatus.ACTIVE,
            *chunk.holds(Address.contact_id),
        )
        .subquery("ways")
    )


def best_first(ways: FromClause) -> list[ColumnElement[Any]]:
    """Return the order in which a person's addresses are preferred.

    The address last used comes first: addresses note the day, within it the profile knows the
    channel.
    """
    return [
        func.date_trunc("day", ways.c.last_in_at, "UTC").desc().nulls_last(),
        (cast(ways.c.scheme, Text) == Profile.channel).desc().nulls_last(),
        ways.c.last_in_at.desc().nulls_last(),
        ways.c.address_id.desc(),
    ]


def can_be_said(db: Session, template: str, ways: FromClause) -> ColumnElement[bool]:
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
    return or_(not_(ways.c.by_template), tuple_(ways.c.channel_id, spoken).in_(pairs))
