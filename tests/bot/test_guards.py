"""Nobody is answered without end: 30 replies in ten minutes, a budget for strangers."""

from datetime import timedelta

from bot.metrics import GUARDED
from tests.bot.conftest import Desk

OUT = "select count(*) from messages where direction = 'out'"


def guarded(kind: str) -> float:
    value: float = GUARDED.labels(kind)._value.get()
    return value


def test_after_thirty_replies_in_ten_minutes_there_is_silence(desk: Desk) -> None:
    before = guarded("telegram")
    for _ in range(35):
        desk.hear("what?")
    assert desk.scalar(OUT) == 30
    assert desk.scalar("select count(*) from messages where direction = 'in'") == 35
    assert guarded("telegram") == before + 5


def test_stop_is_confirmed_even_then(desk: Desk) -> None:
    desk.register()
    for _ in range(30):
        desk.hear("what?")
    spoken = desk.scalar(OUT)
    desk.hear("STOP")
    assert desk.scalar(OUT) == spoken + 1
    assert desk.scalar("select status from contacts") == "stopped"


def test_when_the_ten_minutes_are_over_there_are_replies_again(desk: Desk) -> None:
    for _ in range(31):
        desk.hear("what?")
    desk.clock.advance(timedelta(minutes=10, seconds=1))
    desk.hear("are you there?")
    assert desk.scalar(OUT) == 31


def test_others_are_answered_meanwhile(desk: Desk) -> None:
    for _ in range(31):
        desk.hear("what?", 1)
    assert desk.hear("hello", 2).answered


def test_strangers_share_a_daily_budget_and_members_do_not(desk: Desk) -> None:
    desk.register(1)
    used = desk.scalar("select max(unconsented_used) from channel_budgets")
    desk.change("update channel_budgets set unconsented_limit = :n", n=used + 2)
    assert [desk.hear("hello", person).answered for person in (2, 3, 4)] == [True, True, False]
    assert desk.hear("anything", 1).answered
    desk.clock.advance(timedelta(days=1))
    assert desk.hear("hello again", 4).answered


def test_a_stranger_beyond_the_budget_is_heard_all_the_same(desk: Desk) -> None:
    desk.change("update channel_budgets set unconsented_limit = 0")
    assert not desk.hear("STOP", 9, kind="sms").repeated
    assert desk.scalar("select status from contacts") == "stopped"
