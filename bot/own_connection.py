"""Connections that stay with one user, for paths on which taking one out each time is too dear."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

Result = TypeVar("Result")


class OwnConnection:
    """One connection in autocommit mode, made when first needed; for one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def get(self) -> Connection:
        """The connection; raises SQLAlchemy's errors where none can be had."""
        if self._connection is None or self._connection.closed:
            self._connection = self._engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            )
        return self._connection

    def give_up(self) -> None:
        """Close the connection, which its engine cannot; whoever asks next gets another one."""
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.invalidate()
                self._connection.close()
            self._connection = None


class DatabaseThread:
    """A connection in a thread of its own, for a loop that must not wait for the database."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._connection = OwnConnection(engine)
        self._thread = ThreadPoolExecutor(1, name)

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """What ``work`` makes of the connection; raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, work)

    def close(self) -> None:
        """Give the connection up, once all that was asked for is done."""
        self._thread.submit(self._connection.give_up)
        self._thread.shutdown()

    def _work(self, work: Callable[[Connection], Result]) -> Result:
        try:
            return work(self._connection.get())
        except SQLAlchemyError:
            # Whatever it was, the next one begins on a connection that is known to be good.
            self._connection.give_up()
            raise
