"""Ids, instants and the clock."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from models import ClockOffset, Contact
from models.base import new_id
from models.clock import MovableClock, SystemClock
from tests.factories import Factory


class TestIds:
    def test_sort_in_the_order_they_were_made(self) -> None:
        ids = [new_id() for _ in range(5000)]
        assert ids == sorted(ids)
        assert len(set(ids)) == 5000

    def test_are_uuids_of_version_7(self) -> None:
        made = new_id()
        assert (made.version, made.variant) == (7, "specified in RFC 4122")

    def test_carry_their_moment(self, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
        # Ids made before, perhaps on a clock far ahead, would push this one behind them.
        monkeypatch.setattr("models.base._last_id", 0)
        assert new_id(now).int >> 80 == int(now.timestamp() * 1000)


class TestInstants:
    def test_come_back_in_utc(self, make: Factory) -> None:
        elsewhere = datetime(2026, 3, 2, 12, 0, tzinfo=timezone(timedelta(hours=2)))
        contact = make.contact()
        contact.last_seen_at = elsewhere
        make.db.flush()
        make.db.execute(text("SET LOCAL timezone = 'Africa/Johannesburg'"))
        make.db.expire_all()
        read = make.db.scalars(select(Contact.last_seen_at)).one()
        assert read == elsewhere
        assert read.tzinfo is UTC

    def test_without_a_zone_are_refused(self, make: Factory) -> None:
        make.contact().last_seen_at = datetime(2026, 3, 2, 12, 0)  # noqa: DTZ001 - what is refused
        with pytest.raises(StatementError, match="time zone"):
            make.db.flush()


class TestWords:
    def test_an_unknown_one_is_refused_on_the_way_in(self, make: Factory) -> None:
        make.contact().status = "sleeping"  # type: ignore[assignment]
        with pytest.raises(StatementError, match="sleeping"):
            make.db.flush()

    def test_an_unknown_one_is_refused_by_the_database(self, make: Factory) -> None:
        make.contact()
        with pytest.raises(IntegrityError, match="ck_contacts_status"):
            make.db.execute(text("UPDATE contacts SET status = 'sleeping'"))


class TestClocks:
    def test_all_processes_read_the_same_moved_time(self, engine: Engine) -> None:
        one, other = MovableClock(engine, keep=0), MovableClock(engine, keep=0)
        assert abs(one.now() - SystemClock().now()) < timedelta(seconds=10)
        one.advance(timedelta(days=6))
        one.advance(timedelta(hours=1))
        ahead = other.now() - SystemClock().now()
        assert abs(ahead - timedelta(days=6, hours=1)) < timedelta(seconds=10)

    def test_whoever_moves_it_sees_it_at_once(self, engine: Engine) -> None:
        clock = MovableClock(engine, keep=3600)
        before = clock.now()
        assert clock.advance(timedelta(days=1)) - before >= timedelta(days=1)

    def test_it_never_goes_back(self, engine: Engine) -> None:
        with pytest.raises(ValueError, match="forward"):
            MovableClock(engine).advance(timedelta(days=-1))

    def test_there_is_one_offset(self, engine: Engine) -> None:
        MovableClock(engine).advance(timedelta(days=1))
        with engine.begin() as connection:
            assert len(connection.execute(select(ClockOffset)).all()) == 1
            with pytest.raises(IntegrityError, match="one_row"):
                connection.execute(text("INSERT INTO clock VALUES (2, '1 day')"))
