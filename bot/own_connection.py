"""One connection in a thread of its own, for a loop that must not wait for the database."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

Result = TypeVar("Result")


class OwnConnection:
    """Runs statements one after the other, in autocommit mode; after an error it connects anew."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._thread = ThreadPoolExecutor(1, name)
        self._connection: Connection | None = None

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """What ``work`` makes of the connection; raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, work)

    def close(self) -> None:
        """Give the connection up, once all that was asked for is done."""
        self._thread.submit(self._give_up)
        self._thread.shutdown()

    def _work(self, work: Callable[[Connection], Result]) -> Result:
        try:
            if self._connection is None:
                self._connection = self._engine.connect().execution_options(
                    isolation_level="AUTOCOMMIT"
                )
            return work(self._connection)
        except SQLAlchemyError:
            # Whatever it was, the next one begins on a connection that is known to be good.
            self._give_up()
            raise

    def _give_up(self) -> None:
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.invalidate()
                self._connection.close()
            self._connection = None
