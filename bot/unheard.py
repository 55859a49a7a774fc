"""Asking Twilio what became of messages it told nothing more of (services/messages/unheard.py).

What it answers is taken in as a status callback is: statuses only move up, and a failure closes the
address or says it another way.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import aiohttp
from sqlalchemy import Engine, select

from bot.channels.base import ChannelView, StatusUpdate
from bot.channels.transport import open_client
from bot.channels.twilio_sending import fetch_status
from bot.statuses import Statuses
from models.channel import Channel, ChannelKind, ChannelStatus
from models.db import transaction
from models.walls import system_scope
from services.messages import unheard

AT_ONCE = 4
"""Questions to Twilio that fly together: sending goes on meanwhile."""


def list_channels(engine: Engine) -> list[tuple[UUID, UUID]]:
    """Return organisation and id of the channels whose provider can be asked."""
    kinds = (ChannelKind.SMS, ChannelKind.WHATSAPP)
    with system_scope(engine) as db:
        rows = db.execute(
            select(Channel.organisation_id, Channel.id).where(
                Channel.kind.in_(kinds), Channel.status == ChannelStatus.ACTIVE
            )
        ).all()
    return [(organisation_id, channel_id) for organisation_id, channel_id in rows]


async def ask(
    engine: Engine, statuses: Statuses, view: ChannelView, api_url: str, *, now: datetime
) -> int:
    """Ask about what one channel's looks find; return how many messages more was heard of.

    ChannelError when Twilio does not answer: the next call goes on there.
    """
    heard = 0
    async with open_client(AT_ONCE) as http:
        for name in unheard.LOOKS:
            with transaction(engine, view.organisation_id) as db:
                look = unheard.find(db, view.id, name, now=now)
            for some in _groups(look.messages):
                for update in await _fetch(http, view, api_url, list(some.values())):
                    statuses.record(view, update)
                    heard += 1
                _note(engine, view, name, max(some))
            _note(engine, view, name, look.until)
    return heard


async def _fetch(
    http: aiohttp.ClientSession, view: ChannelView, api_url: str, sids: list[str]
) -> list[StatusUpdate]:
    """What is new of some messages; ChannelError when one of them could not be asked about."""
    asked = (fetch_status(http, view, api_url, sid) for sid in sids)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [one for one in answers if isinstance(one, StatusUpdate) and one.status != "sent"]


def _note(engine: Engine, view: ChannelView, look: str, until: UUID) -> None:
    with transaction(engine, view.organisation_id) as db:
        unheard.note(db, view.id, look, until)


def _groups(messages: Mapping[UUID, str]) -> list[dict[UUID, str]]:
    listed = list(messages.items())
    return [dict(listed[start : start + AT_ONCE]) for start in range(0, len(listed), AT_ONCE)]
