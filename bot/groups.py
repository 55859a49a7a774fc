"""Groups on Telegram: what is said to us there, and the polls that leaders have posted.

Nobody in a group has consented to anything, so all we ever say is the way to the private chat, or
that a poll of a leader follows. What is posted goes out from the worker, as everything does.
"""

import asyncio
from uuid import UUID

import aiohttp
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

import logs
from bot.channels.base import Arrival, ChannelView, PollCount, SendError
from bot.channels.telegram_polls import NativePoll, post_poll, stop_poll
from bot.channels.transport import open_client
from bot.directory import Directory
from flows.wording import say
from models.clock import Clock
from models.db import transaction
from models.relay import GroupPoll, GroupPollStatus
from models.sealed import Keyring
from models.walls import system_scope
from services.errors import Unavailable
from services.organisations import OrganisationKeyring
from services.relays import group_polls, group_posting
from services.relays.group_posting import Ending, Posting

UNDER_WAY = (GroupPollStatus.WANTED, GroupPollStatus.OPEN)


class Groups:
    """Hears groups in a web process, and posts to them in a worker."""

    def __init__(
        self,
        engine: Engine,
        keyring: Keyring,
        keys: OrganisationKeyring,
        directory: Directory,
        clock: Clock,
        telegram_url: str,
    ) -> None:
        self._engine = engine
        self._keyring = keyring
        self._keys = keys
        self._directory = directory
        self._clock = clock
        self._telegram_url = telegram_url

    # --- for the web process ---

    def hear(self, view: ChannelView, arrival: Arrival) -> str:
        """What to say to somebody who spoke to us in a group; Unavailable: try again."""
        language = (arrival.language or view.default_language)[:2]
        wished = self._wish(view, arrival) if arrival.address and arrival.chat else None
        if wished is None:
            return say("group", language) + (f" {_link(view)}" if _link(view) else "")
        return say(wished.phrase, language, link=_link(view, wished.code))

    def _wish(self, view: ChannelView, arrival: Arrival) -> group_polls.Wished | None:
        try:
            catalogue = self._directory.read_catalogue(view.organisation_id)
            with transaction(self._engine, view.organisation_id) as db:
                return group_polls.wish(
                    db,
                    self._keys.open(view.organisation_id),
                    catalogue,
                    group_polls.Wanted(
                        address=arrival.address,
                        chat=str(arrival.chat),
                        channel_id=view.id,
                        code=arrival.entry or None,
                    ),
                    now=self._clock.now(),
                )
        except SQLAlchemyError as error:
            raise Unavailable from error

    def count(self, view: ChannelView, poll: PollCount) -> None:
        """Keep what Telegram counts of a poll; Unavailable: try again."""
        try:
            with transaction(self._engine, view.organisation_id) as db:
                keys = self._keys.open(view.organisation_id)
                now = self._clock.now()
                group_polls.record(db, keys, poll.id, poll.counts, closed=poll.closed, now=now)
        except SQLAlchemyError as error:
            raise Unavailable from error

    # --- for the worker ---

    def post(self) -> int:
        """Post what leaders asked for and stop what is over; return how many were moved."""
        with system_scope(self._engine) as db:
            wanted = select(GroupPoll.organisation_id).where(GroupPoll.status.in_(UNDER_WAY))
            organisations = db.scalars(wanted.distinct()).all()
        return sum(asyncio.run(self._post(one)) for one in organisations)

    async def _post(self, organisation_id: UUID) -> int:
        keys, now = self._keys.open(organisation_id), self._clock.now()
        catalogue = self._directory.read_catalogue(organisation_id)
        with transaction(self._engine, organisation_id) as db:
            postings = group_posting.claim(db, keys, catalogue, now=now)
            endings = group_posting.due_end(db, keys, now=now)
        async with open_client() as http:
            for posting in postings:
                await self._post_one(http, organisation_id, posting)
            for ending in endings:
                await self._stop_one(http, organisation_id, ending)
        return len(postings) + len(endings)

    async def _post_one(
        self, http: aiohttp.ClientSession, organisation_id: UUID, posting: Posting
    ) -> None:
        view = self._directory.read_channel(organisation_id, posting.channel_id)
        assert view is not None
        poll = NativePoll(
            posting.question,
            posting.options,
            say("group_poll_private", posting.language),
            _link(view, posting.code),
            posting.lasts,
        )
        try:
            told, message = await post_poll(http, view, self._telegram_url, posting.chat, poll)
        except SendError as error:
            logs.event("group_poll.not_posted", code=error.code)
            if not error.unknown:
                self._take_back(organisation_id, posting.id)
            return
        with transaction(self._engine, organisation_id) as db:
            keys = self._keys.open(organisation_id)
            group_posting.posted(db, keys, posting.id, told, message)

    def _take_back(self, organisation_id: UUID, poll_id: UUID) -> None:
        with transaction(self._engine, organisation_id) as db:
            group_posting.failed(db, self._keyring, poll_id, now=self._clock.now())

    async def _stop_one(
        self, http: aiohttp.ClientSession, organisation_id: UUID, ending: Ending
    ) -> None:
        """Stop a poll; one that Telegram has closed by itself keeps what it told of it before."""
        view = self._directory.read_channel(organisation_id, ending.channel_id)
        counted = None
        try:
            if view is not None:
                counted = await stop_poll(
                    http, view, self._telegram_url, ending.chat, ending.message
                )
        except SendError as error:
            logs.event("group_poll.not_stopped", code=error.code)
            if error.unknown or error.retryable or error.throttled:
                return
        with transaction(self._engine, organisation_id) as db:
            counts = counted.counts if counted else None
            group_posting.ended(db, ending.id, counts, now=self._clock.now())


def _link(view: ChannelView, code: str = "") -> str:
    name = str(view.sender or view.config.get("username") or "").lstrip("@")
    if not name:
        return ""
    return f"https://t.me/{name}" + (f"?start={code}" if code else "")
