"""One turn over all sendings: everybody whose hour has come is queued, the next chunk written.

A worker takes turn after turn; several workers share the sendings by locking them one by one.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, exists, select
from sqlalchemy.orm import Session

from models.ask import Ask
from models.broadcast import Broadcast, BroadcastStatus, Recipient, RecipientStatus
from models.db import keep_plans_steady, transaction
from models.message import Lane, Message, MessageStatus
from models.organisation import Organisation
from models.walls import system_scope
from services.asks import asks, closing, findings
from services.audiences.eligibility import Sending
from services.broadcasts.ask_messages import Telling
from services.broadcasts.expanding import FIRST, expand, next_chunk, sending_of
from services.broadcasts.feeding import feed

ACTIVE = (BroadcastStatus.OPENING, BroadcastStatus.SENDING)
Key = tuple[UUID, UUID]
"""A sending's organisation and its id."""


@dataclass(slots=True)
class Caster:
    """What one worker remembers between its turns: how large the next chunk of each sending is."""

    engine: Engine
    _chunks: dict[Key, int] = field(default_factory=dict)
    _known: dict[Key, tuple[Sending, Telling]] = field(default_factory=dict)

    def turn(self, now: datetime) -> int:
        """Take one turn over all sendings; 0 when there was nothing to do."""
        running = self._running()
        for key in self._chunks.keys() | self._known.keys():
            if key not in running:
                self._chunks.pop(key, None)
                self._known.pop(key, None)
        return sum(self._expand(key, now) + self._feed(key, now) for key in running)

    def _running(self) -> list[Key]:
        with system_scope(self.engine) as db:
            rows = db.execute(
                select(Broadcast.organisation_id, Broadcast.id)
                .where(Broadcast.status.in_(ACTIVE))
                .order_by(Broadcast.starts_at)
            ).all()
        return [(organisation_id, broadcast_id) for organisation_id, broadcast_id in rows]

    def _feed(self, key: Key, now: datetime) -> int:
        with transaction(self.engine, key[0]) as db:
            keep_plans_steady(db)
            sending = _locked(db, key)
            if sending is None or sending.starts_at > now:
                return 0
            if key not in self._known:
                telling = telling_of(db, sending)
                if sending.kind.tells and not telling.released.get("final"):
                    return 0  # the result is not out yet
                self._known[key] = sending_of(db, sending), telling
            settled = feed(db, sending, *self._known[key], now=now)
            if not settled and sending.status is BroadcastStatus.SENDING and _is_done(db, sending):
                sending.status, sending.finished_at = BroadcastStatus.FINISHED, now
            return settled

    def _expand(self, key: Key, now: datetime) -> int:
        with transaction(self.engine, key[0]) as db:
            keep_plans_steady(db)
            sending = _locked(db, key)
            if sending is None or sending.status is not BroadcastStatus.OPENING:
                return 0
            chunk = self._chunks.get(key, FIRST)
            self._chunks[key] = next_chunk(chunk)
            expand(db, sending, chunk, now=now)
            return 1


def _locked(db: Session, key: Key) -> Broadcast | None:
    """Lock a sending that is under way and that no other worker works on."""
    return db.scalars(
        select(Broadcast)
        .where(
            Broadcast.organisation_id == key[0],
            Broadcast.id == key[1],
            Broadcast.status.in_(ACTIVE),
        )
        .with_for_update(key_share=True, skip_locked=True)
    ).one_or_none()


def _is_done(db: Session, sending: Broadcast) -> bool:
    """Whether nobody waits and nothing of it is in the outbox any more."""
    waits = exists().where(
        Recipient.organisation_id == sending.organisation_id,
        Recipient.broadcast_id == sending.id,
        Recipient.status == RecipientStatus.WAITING,
    )
    unsent = exists().where(
        Message.organisation_id == sending.organisation_id,
        Message.lane == Lane.BROADCASTS,
        Message.status.in_((MessageStatus.QUEUED, MessageStatus.SENDING)),
        Message.content["broadcast"].astext == str(sending.id),
    )
    return not db.scalar(select(waits | unsent))


def telling_of(db: Session, sending: Broadcast) -> Telling:
    """Return what a sending says to everybody it goes to."""
    ask = db.get_one(Ask, (sending.organisation_id, sending.ask_id))
    released = findings.newest(db, [ask.id]).get(ask.id, {}) if sending.kind.tells else {}
    flow = asks.flow_of(db, ask)
    organisation = db.scalars(select(Organisation)).one()
    why = dict.fromkeys(flow.languages, flow.purpose["why"])
    return Telling(
        kind=sending.kind,
        ask_id=ask.id,
        broadcast_id=sending.id,
        flow=flow,
        version_id=ask.flow_version_id,
        code=ask.code,
        asked_by=organisation.short_name,
        askers={one.id: one.name for one in asks.askers_of(db, ask)},
        about={**why, **flow.about},
        outcome=ask.report_back or {},
        promised_on=closing.promised_on(ask),
        released=released,
    )
