"""Fetching the voice notes that answer open questions: outside any transaction, a few at a time."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import aiohttp
from sqlalchemy import Engine

import logs
from bot.channels import VOICE
from bot.channels.base import SendError
from bot.channels.media import TOO_LARGE
from bot.channels.transport import open_client
from bot.directory import Directory
from models.sealed import Keyring
from services.people import recordings
from services.people.recordings import Waiting

Now = Callable[[], datetime]
TELLS: Mapping[str, str] = {TOO_LARGE: "voice_too_long"}


class Listener:
    """Fetches and keeps what is due; `urls` are the providers' APIs by kind of channel."""

    def __init__(
        self,
        engine: Engine,
        keyring: Keyring,
        directory: Directory,
        urls: Mapping[str, str],
        now: Now,
    ) -> None:
        self._engine = engine
        self._keyring = keyring
        self._directory = directory
        self._urls = urls
        self._now = now

    async def listen(self) -> int:
        """Fetch every voice note that is due; return how many were claimed."""
        waiting = await asyncio.to_thread(
            recordings.claim, self._engine, self._keyring, now=self._now()
        )
        if waiting:
            async with open_client() as http:
                await asyncio.gather(*(self._fetch(http, one) for one in waiting))
        return len(waiting)

    async def _fetch(self, http: aiohttp.ClientSession, waiting: Waiting) -> None:
        try:
            view = await self._directory.channel(waiting.organisation_id, waiting.channel_id)
            if view is None or view.kind not in VOICE:
                raise SendError("no_channel", "The channel is gone.")
            medium = await VOICE[view.kind](http, view, self._urls[view.kind], waiting.file)
        except SendError as error:
            logs.event("recording.missing", code=error.code)
            await asyncio.to_thread(self._settle, waiting, error)
            return
        await asyncio.to_thread(
            recordings.keep,
            self._engine,
            self._keyring,
            waiting,
            medium.content_type,
            medium.data,
            now=self._now(),
        )

    def _settle(self, waiting: Waiting, error: SendError) -> None:
        if error.retryable:
            recordings.put_off(self._engine, waiting, now=self._now())
        else:
            phrase = TELLS.get(error.code, "voice_lost")
            recordings.give_up(self._engine, waiting, phrase, now=self._now())
