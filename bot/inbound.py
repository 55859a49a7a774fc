"""Taking messages in: the waiting batch, the decision of each, one transaction for all.

    take_many -> per message: open_scene, handle, rows_of -> apply_many -> commit

A message that cannot be handled with the others is handled alone, by the same steps; one that
fails alone is kept sealed in quarantine and answered kindly, so that it is never lost and never
blocks its chat.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

import logs
from bot import kept
from bot.batches import Batches
from bot.channels.base import Arrival, ChannelView
from bot.metrics import BATCH, QUARANTINED
from flows.inputs import Attachment, Pin, Pressed, Text
from flows.wording import say
from models.clock import Clock
from models.message_path import (
    AlreadyTaken,
    ConversationMoved,
    Standing,
    apply_many,
    take_many,
)
from models.sealed import Keyring, keyed_hash
from services import erasing, quarantine
from services.catalogue import Catalogue, Catalogues, read_catalogue
from services.changes import Rows, gather, rows_of
from services.conversations import handle
from services.errors import Unavailable
from services.organisations import OrganisationKeyring
from services.rendering import body_as_sent
from services.scene import Heard, Line, Scene, open_scene

ATTEMPTS = 6
POOL_GONE = (OperationalError, InterfaceError)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one arrival: a repeat has no effect; ``say`` is to be answered at once.

    Only what cannot go through the outbox is answered at once: the receipt of an erasure, whose
    address is gone by then.
    """

    repeated: bool = False
    say: str | None = None
    woke: bool = False


@dataclass(frozen=True, slots=True)
class Knock:
    """One arrival at one channel, with its keyed hashes."""

    arrival: Arrival
    line: Line
    heard: Heard


class Intake:
    """Takes arrivals in for one web process."""

    def __init__(
        self,
        engine: Engine,
        path_engine: Engine,
        keyring: Keyring,
        keys: OrganisationKeyring,
        clock: Clock,
        ring: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._path_engine = path_engine
        self._keyring = keyring
        self._keys = keys
        self._clock = clock
        self._ring = ring
        self._catalogues = Catalogues()
        self._connection: Connection | None = None
        self._batches: Batches[Knock, Taken] = Batches(self._work)

    def take(self, view: ChannelView, arrival: Arrival) -> Taken:
        """Take one arrival in; returns after the commit that holds it. Unavailable: try again."""
        knock = self._knock(view, arrival)
        taken = self._batches.handle(
            knock, group=(view.organisation_id, view.id), place=knock.heard.address_hash
        )
        if taken.woke:
            self._ring()
        return taken

    def _knock(self, view: ChannelView, arrival: Arrival) -> Knock:
        index = self._keys.open(view.organisation_id).index
        number = arrival.number
        heard = Heard(
            kind=arrival.kind,
            input=arrival.input,
            body=_body(arrival),
            entry=arrival.entry,
            language=arrival.language,
            scheme=arrival.address.partition(":")[0],
            address=arrival.address,
            address_hash=keyed_hash(index, "address", arrival.address),
            number_hash=keyed_hash(index, "number", number) if number else None,
            receipt=keyed_hash(index, "receipt", arrival.receipt),
            provider_id=arrival.provider_id,
            pressed_message=arrival.pressed_message,
        )
        line = Line(
            view.id, view.organisation_id, view.kind, view.stop_reply, view.default_language
        )
        return Knock(arrival, line, heard)

    # --- one batch, led by one thread ---

    def _work(self, knocks: Sequence[Knock]) -> list[Taken | BaseException]:
        now = self._clock.now()
        BATCH.observe(len(knocks))
        try:
            return list(self._together(knocks, now))
        except POOL_GONE:
            # One quick try each: most often only this connection was lost.
            self._forget_connection()
        except Exception as error:  # noqa: BLE001 - each is handled alone and reports there
            if len(knocks) > 1:
                logs.event("batch.split", error=type(error).__name__, count=len(knocks))
        return [self._alone(knock) for knock in knocks]

    def _together(self, knocks: Sequence[Knock], now: datetime) -> list[Taken]:
        """Handle a batch by two statements; raises when any of it must be handled alone."""
        standings = self._standings(knocks, now)
        taken: list[Taken] = []
        written: list[Rows] = []
        for knock, standing in zip(knocks, standings, strict=True):
            if standing.repeated:
                taken.append(Taken(repeated=True))
                continue
            scene, rows = self._play(knock, standing, now)
            if scene.erase:
                raise ConversationMoved
            written.append(rows)
            taken.append(Taken(woke=bool(rows.outgoing)))
        self._write(knocks[0], written, now)
        return taken

    def _play(self, knock: Knock, standing: Standing, now: datetime) -> tuple[Scene, Rows]:
        catalogue = self._catalogue(knock.line, standing)
        scene = open_scene(knock.heard, knock.line, standing, catalogue, now)
        handle(scene)
        return scene, rows_of(scene, self._keyring, body_as_sent)

    def _alone(self, knock: Knock) -> Taken | BaseException:
        """Handle one message by itself; whatever it does, it hurts nobody else."""
        for _ in range(ATTEMPTS):
            now = self._clock.now()
            try:
                return self._once(knock, now)
            except ConversationMoved:
                continue
            except AlreadyTaken:
                return Taken(repeated=True)
            except POOL_GONE:
                self._forget_connection()
                return Unavailable()
            except Exception as error:  # noqa: BLE001 - kept, told once, tried again by a sweep
                return self._keep(knock, error, now)
        return Unavailable()

    def _once(self, knock: Knock, now: datetime) -> Taken:
        standing = self._standings([knock], now)[0]
        if standing.repeated:
            return Taken(repeated=True)
        scene, rows = self._play(knock, standing, now)
        if scene.erase:
            number = erasing.erase(self._engine, scene, now=now)
            return Taken(say=say("erased", scene.language, receipt=number))
        self._write(knock, [rows], now)
        return Taken(woke=bool(rows.outgoing))

    # --- what cannot be handled ---

    def _keep(self, knock: Knock, error: Exception, now: datetime) -> Taken | BaseException:
        """Keep a message that failed alone; the person is told kindly and need not repeat it."""
        QUARANTINED.labels(knock.line.kind).inc()
        logs.event(
            "message.quarantined",
            level="error",
            channel_kind=knock.line.kind,
            error=type(error).__name__,
            line=_place(error),
        )
        try:
            quarantine.keep(
                self._engine,
                self._keys,
                quarantine.Failed(
                    organisation_id=knock.line.organisation_id,
                    channel_id=knock.line.id,
                    receipt_key=knock.heard.receipt,
                    address_hash=knock.heard.address_hash,
                    payload=kept.to_bytes(knock.arrival),
                    error_code=type(error).__name__,
                    again=True,
                ),
                now=now,
            )
        except SQLAlchemyError:
            return Unavailable()
        return Taken(say=say("failed", knock.line.default_language))

    def keep_unreadable(self, view: ChannelView, body: bytes) -> None:
        """Keep what a provider signed but no channel can read; nobody tries it again."""
        digest = hashlib.sha256(body).hexdigest()
        quarantine.keep(
            self._engine,
            self._keys,
            quarantine.Failed(
                organisation_id=view.organisation_id,
                channel_id=view.id,
                receipt_key=keyed_hash(self._keys.open(view.organisation_id).index, "body", digest),
                address_hash=None,
                payload=body,
                error_code="unreadable",
                again=False,
            ),
            now=self._clock.now(),
        )

    def take_again(self, view: ChannelView, waiting: quarantine.Kept) -> bool:
        """Try a kept message once more; True when it has had its effect."""
        knock = self._knock(view, kept.from_bytes(waiting.payload))
        again = replace(
            knock,
            heard=replace(knock.heard, receipt=quarantine.second_receipt(knock.heard.receipt)),
        )
        for _ in range(ATTEMPTS):
            try:
                taken = self._once(again, self._clock.now())
            except ConversationMoved:
                continue
            except AlreadyTaken:
                return True
            except Exception as error:  # noqa: BLE001 - it stays kept
                logs.event("message.failed", kind="quarantined", error=type(error).__name__)
                return False
            if taken.woke:
                self._ring()
            return True
        return False

    # --- the two statements ---

    def _standings(self, knocks: Sequence[Knock], now: datetime) -> list[Standing]:
        line = knocks[0].line
        return take_many(
            self._connected(),
            line.organisation_id,
            line.id,
            address_hashes=[k.heard.address_hash for k in knocks],
            receipt_keys=[k.heard.receipt for k in knocks],
            today=now.date(),
        )

    def _write(self, knock: Knock, written: Sequence[Rows], now: datetime) -> None:
        if written:
            line = knock.line
            batch = gather(written, now)
            apply_many(self._connected(), line.organisation_id, line.id, batch)

    def _catalogue(self, line: Line, standing: Standing) -> Catalogue:
        found = self._catalogues.find(line.organisation_id, standing.catalogue_version)
        if found is None:
            found = read_catalogue(self._engine, line.organisation_id)
            self._catalogues.keep(found)
        return found

    def _connected(self) -> Connection:
        """The leader's one connection; there is one leader, so nobody shares it."""
        if self._connection is None or self._connection.closed:
            self._connection = self._path_engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            )
        return self._connection

    def _forget_connection(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def _body(arrival: Arrival) -> str:
    """What the person sent, for the record that is sealed; a pin is not kept (design 5)."""
    match arrival.input:
        case Text(text):
            return text
        case Pressed(payload):
            return payload
        case Pin():
            return "(location)"
        case Attachment(kind=kind):
            return f"({kind})"
        case _:
            return ""


def _place(error: BaseException) -> str:
    """The file and line an error came from: enough to find it, and no value of it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
