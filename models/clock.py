"""What time it is: the real one, or in development one that can be moved."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import CheckConstraint, Engine, Interval, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

FURTHEST = timedelta(weeks=520)
"""How far the movable clock may go ahead, so that what is kept two years still has a date."""


class Clock(Protocol):
    """Whatever tells the time."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)


class ClockOffset(Base):
    """The one row that says how far the development clock is ahead, for everybody."""

    __tablename__ = "clock"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default=text("1"))
    offset: Mapped[timedelta] = mapped_column("offset", Interval)


class MovableClock:
    """A clock that all processes on one database share; the offset is read again after 0.2 s.

    Development and demo only: production uses SystemClock and never reads the table.
    """

    def __init__(self, engine: Engine, keep: float = 0.2) -> None:
        self._engine = engine
        self._keep = keep
        self._offset = timedelta()
        self._read_at = float("-inf")

    def now(self) -> datetime:
        """Return the moved present in UTC."""
        if time.monotonic() - self._read_at >= self._keep:
            self._look()
        return datetime.now(UTC) + self._offset

    def _look(self) -> None:
        """Read the offset; a clock that was read once goes on while the database is away."""
        try:
            with self._engine.connect() as connection:
                self._offset = connection.scalar(select(ClockOffset.offset)) or timedelta()
        except SQLAlchemyError:
            if self._read_at == float("-inf"):
                raise
        self._read_at = time.monotonic()

    def advance(self, step: timedelta) -> datetime:
        """Move the clock of every process ahead and return the new present.

        ValueError for a step backwards, as things due must not become undue, and for one too far.
        """
        if not timedelta() <= step <= FURTHEST:
            raise ValueError("the clock only moves forward, and ten years at most")
        ahead = ClockOffset.offset + step
        moved = insert(ClockOffset).values(id=1, offset=step)
        moved = moved.on_conflict_do_update(
            index_elements=[ClockOffset.id], set_={"offset": ahead}, where=ahead <= FURTHEST
        )
        with self._engine.begin() as connection:
            if connection.scalar(moved.returning(ClockOffset.id)) is None:
                raise ValueError("the clock is ten years ahead and goes no further")
        self._read_at = float("-inf")
        return self.now()
