"""Status callbacks: what a provider says became of a message; statuses only move up."""

from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.base import ChannelView, StatusUpdate
from bot.channels.twilio_errors import error_for
from bot.directory import close_address
from models.clock import Clock
from models.db import transaction
from models.delivery_path import record_status
from models.message_path import is_away
from services.errors import Unavailable
from services.messages.outside import OUTSIDE, say_again


class Statuses:
    """Records status callbacks for one web process."""

    def __init__(self, engine: Engine, path_engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._path_engine = path_engine
        self._clock = clock

    def record(self, view: ChannelView, update: StatusUpdate) -> None:
        """Take in one callback; one of an unknown message is ignored. Unavailable: try again."""
        try:
            with self._path_engine.connect() as plain:
                connection = plain.execution_options(isolation_level="AUTOCOMMIT")
                self._record(connection, view, update)
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            raise Unavailable from error

    def _record(self, connection: Connection, view: ChannelView, update: StatusUpdate) -> None:
        reported = record_status(
            connection,
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
            with transaction(self._engine, view.organisation_id) as db:
                say_again(db, view.id, update.provider_id, now=self._clock.now())
            return
        state = _address_state(update.error_code)
        if state is not None:
            with transaction(self._engine, view.organisation_id) as db:
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
