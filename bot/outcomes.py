"""Sending one claimed message, and what its outcome means for message, address and channel."""

import asyncio
import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp

import logs
from bot.budgets import ChatPace, Windows
from bot.channels import CHANNELS
from bot.channels.base import ChannelView, ContentStore, Delivery, ReadyTemplate, SendError
from bot.directory import Directory
from bot.last_look import unwanted
from flows.templates import named_in, names_in
from flows.wording import Prompt, say
from models.clock import Clock
from models.delivery_path import Claimed
from models.sealed import Keyring, open_sealed
from services.broadcasts.hours import next_permitted
from services.messages.outside import OUTSIDE, is_closed, mark_template, move_to_sms
from services.messages.rendering import body_for, read_told, render, told_openly, with_link
from services.messages.templates import find_approved

CHAT_PACE = {"telegram": (1.0, 3.0)}
# Seconds; quick at first for somebody who waits, and the last try after 23 to 25 hours.
RETRY_AFTER = (2, 10, 60, 300, 900, 3600, 7200, 21600, 50400)
PAUSE_CHANNEL_FROM = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message, as the row that records it."""

    status: str
    provider_id: str | None = None
    error_code: str | None = None
    text_hash: bytes | None = None
    due_at: datetime | None = None
    at: datetime | None = None
    refund: bool = False

    def row(self, message: Claimed) -> dict[str, Any]:
        """The JSON-ready row for ``models.delivery_path``."""
        return self.of(message.organisation_id, message.id)

    def of(self, organisation_id: UUID, message_id: UUID) -> dict[str, Any]:
        """The same for a message of which only this is known."""
        return {
            "org": organisation_id,
            "id": message_id,
            "status": self.status,
            "provider_id": self.provider_id,
            "error_code": self.error_code,
            "text_hash": f"\\x{self.text_hash.hex()}" if self.text_hash else None,
            "due_at": self.due_at,
            "at": self.at,
            "refund": self.refund,
        }


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the providers are reached, and where they reach us."""

    telegram: str
    twilio: str
    public: str

    def of(self, channel_kind: str) -> str:
        """The provider's API base for a channel kind; empty for the simulator."""
        return {"telegram": self.telegram, "sms": self.twilio, "whatsapp": self.twilio}.get(
            channel_kind, ""
        )


class Sender:
    """Sends claimed messages and says what became of each."""

    def __init__(
        self,
        directory: Directory,
        keyring: Keyring,
        clock: Clock,
        endpoints: Endpoints,
        contents: ContentStore,
    ) -> None:
        self._directory = directory
        self._keyring = keyring
        self._clock = clock
        self._endpoints = endpoints
        self._contents = contents
        self._pace = ChatPace()
        self.windows = Windows()

    async def send(self, http: aiohttp.ClientSession, message: Claimed) -> Outcome:
        """The outcome of sending one message; raises only on our own mistakes."""
        if reason := unwanted(message):
            return Outcome("canceled", error_code=reason)
        view = await self._directory.channel(message.organisation_id, message.channel_id)
        if view is None:
            return Outcome("failed", error_code="channel_gone")
        # Nothing may fail between the provider's answer and the record of it: ask the time before.
        now = self._clock.now()
        if (morning := next_permitted(message.content, now)) > now:
            return Outcome("queued", error_code="night", due_at=morning, refund=True)
        if wait := self._chat_wait(view, message):
            return Outcome("queued", due_at=now + timedelta(seconds=wait), refund=True)
        if is_closed(view.kind, message.window_until, now):
            return await self._outside(http, view, message, now)
        if message.content.get("by_template"):
            await self._mark(message, by_template=False)
        delivery = self._delivery(view, message, await self._prompt(message))
        return await self._say(http, view, message, delivery, now)

    async def _say(
        self,
        http: aiohttp.ClientSession,
        view: ChannelView,
        message: Claimed,
        delivery: Delivery,
        now: datetime,
    ) -> Outcome:
        text_hash = hashlib.sha256(body_for(view.kind, delivery.prompt).encode()).digest()
        try:
            provider_id = await self._timed(http, view, delivery)
        except SendError as error:
            if error.code == OUTSIDE and delivery.template is None:
                return await self._outside(http, view, message, now)
            return await self._not_sent(view, message, error, now)
        return Outcome("sent", provider_id=provider_id, text_hash=text_hash, at=now)

    async def _outside(
        self, http: aiohttp.ClientSession, view: ChannelView, message: Claimed, now: datetime
    ) -> Outcome:
        """Say it where WhatsApp takes templates only: by one, or by SMS, or not at all."""
        delivery = await self._by_template(view, message)
        if delivery is not None:
            await self._mark(message, by_template=True)
            return await self._say(http, view, message, delivery, now)
        moved = await self._directory.inside(
            message.organisation_id, lambda db: move_to_sms(db, message.id)
        )
        if moved:
            return Outcome("queued", due_at=now, refund=True)
        return Outcome("failed", error_code="window_closed")

    async def _by_template(self, view: ChannelView, message: Claimed) -> Delivery | None:
        template = named_in(message.content, message.language)
        if template is None:
            return None
        catalogue = await self._directory.catalogue(
            message.organisation_id, message.flow_version_id
        )
        names = names_in(message.content, catalogue.names(message.content.get("office")))
        variables = template.values(names)
        sid = await self._directory.inside(
            message.organisation_id, lambda db: find_approved(db, view.id, template)
        )
        if sid is None or variables is None:
            return None
        delivery = self._delivery(view, message, template.prompt(names))
        return replace(delivery, template=ReadyTemplate(sid, variables))

    async def _mark(self, message: Claimed, *, by_template: bool) -> None:
        await self._directory.inside(
            message.organisation_id,
            lambda db: mark_template(db, message.id, by_template=by_template),
        )

    def later(self, seconds: float) -> Outcome:
        """The outcome of a message that could not be tried yet: it waits a moment, at no cost."""
        due_at = self._clock.now() + timedelta(seconds=seconds)
        return Outcome("queued", error_code="waiting", due_at=due_at, refund=True)

    async def _timed(
        self, http: aiohttp.ClientSession, view: ChannelView, delivery: Delivery
    ) -> str:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await CHANNELS[view.kind].send(http, view, delivery, self._contents)
        finally:
            now = loop.time()
            self.windows.took(view.id, now - began, now)

    def _chat_wait(self, view: ChannelView, message: Claimed) -> float:
        rate, burst = CHAT_PACE.get(view.kind, (0.0, 0.0))
        rate = float(str(view.config.get("chat_rate", rate)))
        if not rate:
            return 0.0
        now = asyncio.get_running_loop().time()
        return self._pace.wait(message.address_id, now, rate=rate, burst=max(burst, rate))

    async def _prompt(self, message: Claimed) -> Prompt:
        catalogue = await self._directory.catalogue(
            message.organisation_id, message.flow_version_id
        )
        version = message.flow_version_id
        published = catalogue.version(version) if version else None
        office = message.content.get("office")
        return render(
            {name: part for name, part in message.content.items() if name != "by_template"},
            flow=published.flow if published else None,
            language=message.language,
            names=catalogue.names(office),
            told=with_link(self._told(message), self._endpoints.public),
        )

    def _told(self, message: Claimed) -> dict[str, str]:
        """What the message says to this person alone, or in an officer's own words."""
        if message.sealed is None:
            return told_openly(message.content)
        return read_told(self._open(message, message.sealed, "messages", message.id))

    def _delivery(self, view: ChannelView, message: Claimed, prompt: Prompt) -> Delivery:
        edit = bool(message.content.get("edit"))
        return Delivery(
            address=self._address(message),
            prompt=prompt,
            reference=str(message.id),
            edits=message.edits if edit else None,
            closes=None if edit else message.edits,
            url_base=self._endpoints.of(view.kind),
            public_url=self._endpoints.public,
            parting=say("parting", message.language) if message.content.get("unkeys") else "",
        )

    def _address(self, message: Claimed) -> str:
        return self._open(message, message.sealed_address, "addresses", message.address_id).decode()

    def _open(self, message: Claimed, sealed: bytes, table: str, row_id: UUID) -> bytes:
        key = self._keyring.unwrap(message.wrapped_key, message.organisation_id, message.contact_id)
        return open_sealed(
            key,
            sealed,
            table=table,
            column="sealed",
            organisation_id=message.organisation_id,
            row_id=row_id,
        )

    async def _not_sent(
        self, view: ChannelView, message: Claimed, error: SendError, now: datetime
    ) -> Outcome:
        logs.event(
            "message.not_sent", channel_kind=view.kind, code=error.code, attempts=message.attempts
        )
        if error.throttled:
            return await self._throttled(view, error, now)
        if error.unknown:
            return Outcome("unknown", error_code=error.code)
        await self._follow(view, message, error)
        if error.retryable and message.attempts <= len(RETRY_AFTER):
            due_at = now + timedelta(seconds=_pause(message, error))
            return Outcome("queued", error_code=error.code, due_at=due_at)
        return Outcome("failed", error_code=error.code)

    async def _throttled(self, view: ChannelView, error: SendError, now: datetime) -> Outcome:
        """Waiting for a provider is no attempt; a long wait holds the whole channel."""
        wait = (error.retry_after or 1.0) * random.uniform(1.0, 1.1)  # noqa: S311 - jitter
        if wait > PAUSE_CHANNEL_FROM:
            await self._directory.pause_channel(view, seconds=wait)
        due_at = now + timedelta(seconds=wait)
        return Outcome("queued", error_code=error.code, due_at=due_at, refund=True)

    async def _follow(self, view: ChannelView, message: Claimed, error: SendError) -> None:
        """Let the address and the channel follow what the provider told of them."""
        states: Mapping[str, bool] = {
            "opted_out": error.opted_out,
            "blocked": error.blocked,
            "dead": error.dead,
        }
        for status, holds in states.items():
            if holds:
                await self._directory.close_address(message, status)
        if error.stops_channel:
            await self._directory.stop_channel(view)


def _pause(message: Claimed, error: SendError) -> float:
    """Seconds until the next try, with jitter, so that an outage does not end in a stampede."""
    usual = RETRY_AFTER[min(message.attempts, len(RETRY_AFTER)) - 1]
    return (error.retry_after or usual) * random.uniform(1.0, 1.07)  # noqa: S311 - jitter
