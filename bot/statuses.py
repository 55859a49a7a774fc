"""Status callbacks: what a provider says became of a message; statuses only move up.

Two or three come for each message that is sent, and their provider waits a few seconds for each:
those that wait at the same moment are recorded together, so that a large sending does not keep
members' messages waiting behind its own callbacks. A failure is recorded alone, in one transaction
with what follows from it: whoever hears of it twice finds both done, or neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

import logs
from bot.batches import Batches
from bot.channels.base import ChannelView, StatusUpdate
from bot.channels.twilio_errors import error_for
from bot.directory import close_address
from bot.own_connection import OwnConnection
from bot.patience import Patience
from models.clock import Clock
from models.db import transaction
from models.delivery_path import record_status, record_statuses
from models.message_path import is_away
from services.errors import Unavailable
from services.messages.outside import OUTSIDE, say_again

GOOD = frozenset({"sent", "delivered", "read"})


@dataclass(frozen=True, slots=True)
class _Told:
    """Good news of one message."""

    view: ChannelView
    update: StatusUpdate
    reference: UUID


class Statuses:
    """Records status callbacks for one web process."""

    def __init__(self, engine: Engine, path_engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._connection = OwnConnection(path_engine)
        self._patience = Patience()
        self._batches: Batches[_Told, bool] = Batches(self._together)

    def record(self, view: ChannelView, update: StatusUpdate) -> None:
        """Take in one callback; one of an unknown message is ignored. Unavailable: try again."""
        self._patience.run(lambda: self._take(view, update), waits=False)

    def close(self) -> None:
        """Give up the leader's connection; the next callbacks make a new one."""
        self._connection.give_up()

    def _take(self, view: ChannelView, update: StatusUpdate) -> None:
        try:
            if not self._stands(view, update):
                with transaction(self._engine, view.organisation_id) as db:
                    self._record(db, view, update)
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            raise Unavailable from error

    # --- many at once, led by one thread ---

    def _stands(self, view: ChannelView, update: StatusUpdate) -> bool:
        """Whether it could be recorded together with others."""
        reference = _uuid(update.reference)
        if reference is None or update.status not in GOOD:
            return False
        told = _Told(view, update, reference)
        return self._batches.handle(told, group=(view.organisation_id, view.id), place=reference)

    def _together(self, batch: Sequence[_Told]) -> list[bool | BaseException]:
        view = batch[0].view
        rows = [
            {
                "reference": told.reference,
                "provider": told.update.provider_id,
                "reported": told.update.status,
            }
            for told in batch
        ]
        try:
            stand = record_statuses(self._connection.get(), view.organisation_id, view.id, rows)
        except SQLAlchemyError as error:
            # Whatever it was, the next batch begins on a connection that is known to be good.
            self._connection.give_up()
            if is_away(error):
                raise
            logs.event("batch.split", error=type(error).__name__, count=len(batch))
            return [False for _ in batch]
        return [told.reference in stand for told in batch]

    # --- one alone ---

    def _record(self, db: Session, view: ChannelView, update: StatusUpdate) -> None:
        reported = record_status(
            db.connection(),
            view.organisation_id,
            view.id,
            reference=_uuid(update.reference),
            provider_id=update.provider_id,
            status=update.status,
            error_code=update.error_code,
        )
        if reported is None or not reported.moved or update.status != "failed":
            return
        if update.error_code == OUTSIDE:
            say_again(db, view.id, update.provider_id, now=self._clock.now())
            return
        state = _address_state(update.error_code)
        if state is not None:
            close_address(db, reported.address_id, state)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _address_state(error_code: str | None) -> str | None:
    """What a failure says of the address, by the same table as a refused request."""
    if error_code is None or not error_code.isdigit():
        return None
    error = error_for(int(error_code))
    if error.opted_out:
        return "opted_out"
    return "blocked" if error.blocked else "dead" if error.dead else None
