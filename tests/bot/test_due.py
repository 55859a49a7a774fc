"""The one reminder of somebody who fell silent, by day where they live."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.conversation import dues
from services.conversation.dues import PAUSES, out_of_quiet_hours
from tests.bot.conftest import Desk

ZONES = (
    "Africa/Nairobi",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Europe/Berlin",
    "Pacific/Kiritimati",
    None,
    "No/Where",
)
REMINDERS = (
    "select count(*) from messages where direction = 'out' and content::text like '%reminder%'"
)


def begin(desk: Desk, kind: str = "telegram") -> None:
    for said in ("hello", "1", "1"):
        desk.hear(said, kind=kind)


def run(desk: Desk) -> int:
    line = desk.homeline
    return dues.run(line.engine, line.directory.read_catalogue, now=desk.clock.now())


def reminders(desk: Desk) -> int:
    return int(desk.scalar(REMINDERS))


def move_to(desk: Desk, day: int, hour: int, minute: int = 0) -> None:
    desk.clock.present = datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def test_there_is_one_reminder_and_no_second(desk: Desk) -> None:
    begin(desk)  # Monday 2 March, 09:00 UTC
    move_to(desk, 3, 4)
    run(desk)
    assert reminders(desk) == 0
    move_to(desk, 3, 9)
    run(desk)
    assert reminders(desk) == 1
    for _ in range(12):
        desk.clock.advance(timedelta(hours=23))
        run(desk)
    assert reminders(desk) == 1
    assert desk.scalar("select count(*) from due where kind = 'reminder'") == 0


def test_it_asks_the_question_that_waits_and_the_answer_counts(desk: Desk) -> None:
    begin(desk)
    move_to(desk, 3, 9)
    run(desk)
    assert desk.scalar("select question from messages order by id desc limit 1") == "country"
    desk.hear("Kenya")
    assert desk.scalar("select value from answers where question = 'country'") == "KE"


def test_who_has_written_since_is_reminded_later(desk: Desk) -> None:
    begin(desk)
    move_to(desk, 2, 20)
    desk.hear("Kenya")
    move_to(desk, 3, 9)
    run(desk)
    assert reminders(desk) == 0
    move_to(desk, 3, 16)
    run(desk)
    assert reminders(desk) == 1


@pytest.mark.parametrize("deed", ["STOP", "finish", "refuse"])
def test_nobody_is_reminded_who_stopped_or_finished(desk: Desk, deed: str) -> None:
    begin(desk)
    for said in {"STOP": ["STOP"], "finish": ["Kenya", "1", "Nairobi"], "refuse": ["STOP"]}[deed]:
        desk.hear(said)
    move_to(desk, 4, 12)
    run(desk)
    assert reminders(desk) == 0


def test_on_sms_it_comes_after_a_day(desk: Desk) -> None:
    begin(desk, "sms")
    move_to(desk, 3, 8, 59)
    run(desk)
    assert reminders(desk) == 0
    move_to(desk, 3, 9, 1)
    run(desk)
    assert reminders(desk) == 1


def test_the_night_is_quiet_where_they_live(desk: Desk) -> None:
    begin(desk)
    desk.change("update profiles set time_zone = 'America/Los_Angeles'")
    move_to(desk, 3, 9)  # 01:00 there
    run(desk)
    assert reminders(desk) == 0
    move_to(desk, 3, 15, 59)
    run(desk)
    assert reminders(desk) == 0
    move_to(desk, 3, 16)
    run(desk)
    assert reminders(desk) == 1


@pytest.mark.parametrize("zone", ZONES)
def test_no_instant_of_a_year_falls_into_the_night(zone: str | None) -> None:
    there = ZoneInfo(zone) if zone and zone != "No/Where" else UTC
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(366 * 4):
        moment += timedelta(hours=6, minutes=1)
        given = out_of_quiet_hours(moment, zone)
        assert 8 <= given.astimezone(there).hour < 20
        assert timedelta(0) <= given - moment <= timedelta(hours=13)


def test_a_row_that_cannot_be_done_does_not_hold_up_those_behind_it(desk: Desk) -> None:
    begin(desk)
    desk.change("update conversations set state = jsonb_set(state, '{session}', '{\"flow\": 7}')")
    for said in ("hello", "1", "1"):
        desk.hear(said, 2)
    move_to(desk, 3, 9)
    run(desk)
    assert reminders(desk) == 1
    assert desk.ask(
        "select attempts, due_at > :now from due where kind = 'reminder'", now=desk.clock.now()
    ) == [(1, True)]
    for pause in (*PAUSES, timedelta(hours=12)):  # the last pause but one ends in the night
        desk.clock.advance(pause)
        run(desk)
    assert desk.scalar("select count(*) from due where kind = 'reminder'") == 0
