"""The channels and catalogues of all organisations, read when needed and kept for a few seconds."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.channels.base import ChannelView
from models.address import Address
from models.channel import Channel, ChannelBudget, ContentObject
from models.db import transaction
from models.delivery_path import Claimed
from models.message import Direction, Message, MessageStatus
from services import channels
from services.catalogue import Catalogue, Catalogues, read_catalogue
from services.channels import OpenChannel
from services.errors import Unavailable
from services.organisations import OrganisationKeyring

KEPT_SECONDS = 5.0
Found = TypeVar("Found")


class Directory:
    """Finds channels by key or id; one for a process."""

    def __init__(self, engine: Engine, keys: OrganisationKeyring) -> None:
        self._engine = engine
        self._keys = keys
        self._lock = Lock()
        self._by_key: dict[str, tuple[float, ChannelView | None]] = {}
        self._by_id: dict[UUID, tuple[float, ChannelView | None]] = {}
        self._catalogues = Catalogues()
        self._reading: dict[UUID, asyncio.Future[Any]] = {}

    # --- for the web process ---

    def by_key(self, key: str) -> ChannelView | None:
        """The channel whose webhook path ends in this key, or None; Unavailable: try again."""
        kept = self._by_key.get(key)
        if kept and time.monotonic() - kept[0] < KEPT_SECONDS:
            return kept[1]
        try:
            view = self._read_by_key(key)
        except SQLAlchemyError as error:
            if kept:
                return kept[1]
            raise Unavailable from error
        if view is not None:  # a stranger's guesses are not kept
            with self._lock:
                self._by_key[key] = (time.monotonic(), view)
        return view

    def _read_by_key(self, key: str) -> ChannelView | None:
        found = channels.find(self._engine, self._keys, key)
        return _view(found) if found else None

    def read_channel(self, organisation_id: UUID, channel_id: UUID) -> ChannelView | None:
        """The channel with this id as it is now, or None."""
        with transaction(self._engine, organisation_id) as db:
            channel = db.get(Channel, (organisation_id, channel_id))
        if channel is None:
            return None
        return _view(channels.open_channel(self._keys.open(organisation_id), channel))

    # --- for the delivery loop, which must not wait for the database in its own thread ---

    async def channel(self, organisation_id: UUID, channel_id: UUID) -> ChannelView | None:
        """The channel with this id, at most a few seconds old."""
        kept = self._by_id.get(channel_id)
        if kept and time.monotonic() - kept[0] < KEPT_SECONDS:
            return kept[1]
        return await self._together(
            channel_id, lambda: self._keep_channel(organisation_id, channel_id)
        )

    def _keep_channel(self, organisation_id: UUID, channel_id: UUID) -> ChannelView | None:
        view = self.read_channel(organisation_id, channel_id)
        self._by_id[channel_id] = (time.monotonic(), view)
        return view

    async def catalogue(self, organisation_id: UUID, version_id: UUID | None) -> Catalogue:
        """A catalogue that holds this published version, if it exists at all."""
        kept = self._catalogues.newest(organisation_id)
        if kept and (version_id is None or kept.version(version_id)):
            return kept
        return await self._together(organisation_id, lambda: self.read_catalogue(organisation_id))

    async def _together(self, wanted: UUID, read: Callable[[], Found]) -> Found:
        """Read once for all who want the same at the same moment: a burst of sends does."""
        reading = self._reading.get(wanted)
        if reading is None or reading.get_loop() is not asyncio.get_running_loop():
            reading = self._reading[wanted] = asyncio.ensure_future(asyncio.to_thread(read))
            reading.add_done_callback(lambda _: self._reading.pop(wanted, None))
        found: Found = await asyncio.shield(reading)
        return found

    def read_catalogue(self, organisation_id: UUID) -> Catalogue:
        """The catalogue as it is now."""
        catalogue = read_catalogue(self._engine, organisation_id)
        self._catalogues.keep(catalogue)
        return catalogue

    async def pause_channel(self, view: ChannelView, *, seconds: float) -> None:
        """Send nothing on this channel for a while: its provider asked for it."""
        until = func.clock_timestamp() + timedelta(seconds=seconds)
        await self.inside(
            view.organisation_id,
            lambda db: db.execute(
                update(ChannelBudget)
                .where(ChannelBudget.channel_id == view.id)
                .values(paused_until=until)
            ),
        )

    async def stop_channel(self, view: ChannelView) -> None:
        """Send nothing on this channel until somebody repairs it."""
        await self.inside(
            view.organisation_id,
            lambda db: db.execute(
                update(Channel).where(Channel.id == view.id).values(status="stopped")
            ),
        )

    async def close_address(self, message: Claimed, status: str) -> None:
        """Mark an address that cannot be written to, and cancel what is queued for it."""
        await self.inside(
            message.organisation_id, lambda db: close_address(db, message.address_id, status)
        )

    async def inside(self, organisation_id: UUID, work: Callable[[Session], Found]) -> Found:
        """What some work in a transaction of an organisation returns."""

        def go() -> Found:
            with transaction(self._engine, organisation_id) as db:
                return work(db)

        return await asyncio.to_thread(go)


def _view(channel: OpenChannel) -> ChannelView:
    return ChannelView(
        id=channel.id,
        organisation_id=channel.organisation_id,
        kind=channel.kind,
        key=channel.key,
        sender=channel.sender,
        credentials=channel.credentials,
        config=channel.config,
        stop_reply=channel.stop_reply,
        default_language=channel.default_language,
    )


def close_address(db: Session, address_id: UUID, status: str) -> None:
    """Mark an address blocked, dead or opted_out; what was queued for it is canceled."""
    db.execute(update(Address).where(Address.id == address_id).values(status=status))
    db.execute(
        update(Message)
        .where(
            Message.address_id == address_id,
            Message.direction == Direction.OUT,
            Message.status == MessageStatus.QUEUED,
        )
        .values(status=MessageStatus.CANCELED, error_code=status)
    )


class StoredContents:
    """The ContentStore of the WhatsApp channel, on the table ``content_objects``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: dict[tuple[UUID, str], str] = {}

    async def find(self, view: ChannelView, digest: str) -> str | None:
        """The content id kept for this channel and shape, or None."""
        if (view.id, digest) not in self._kept:
            found = await asyncio.to_thread(self._read, view, digest)
            if found is None:
                return None
            self._kept[view.id, digest] = found
        return self._kept[view.id, digest]

    async def keep(self, view: ChannelView, digest: str, sid: str) -> None:
        """Keep the content id; the first one kept for a shape stays."""
        await asyncio.to_thread(self._write, view, digest, sid)

    async def forget(self, view: ChannelView, digest: str, sid: str) -> None:
        """Forget this content id of a shape; one that another process made meanwhile stays."""
        self._kept.pop((view.id, digest), None)
        await asyncio.to_thread(self._delete, view, sid)

    def _delete(self, view: ChannelView, sid: str) -> None:
        gone = delete(ContentObject).where(
            ContentObject.channel_id == view.id, ContentObject.sid == sid
        )
        with transaction(self._engine, view.organisation_id) as db:
            db.execute(gone)

    def _read(self, view: ChannelView, digest: str) -> str | None:
        with transaction(self._engine, view.organisation_id) as db:
            return db.scalar(
                select(ContentObject.sid).where(
                    ContentObject.channel_id == view.id,
                    ContentObject.digest == bytes.fromhex(digest),
                )
            )

    def _write(self, view: ChannelView, digest: str, sid: str) -> None:
        row = insert(ContentObject).values(
            organisation_id=view.organisation_id,
            channel_id=view.id,
            digest=bytes.fromhex(digest),
            sid=sid,
            created_at=func.now(),
        )
        with transaction(self._engine, view.organisation_id) as db:
            db.execute(row.on_conflict_do_nothing())
