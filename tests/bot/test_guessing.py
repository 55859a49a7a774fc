"""Guessing the six digits that join two addresses, with many tries at one moment (A-06).

The tries come through four web processes, since one alone takes a chat's messages in turn.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from bot.inbound import Intake
from services.errors import Unavailable
from tests.bot.conftest import Desk

PROCESSES = 4
CODE = "482913"


@pytest.fixture
def intakes(desk: Desk, path_engine: Engine) -> Iterator[list[Intake]]:
    line = desk.homeline
    more = [
        Intake(
            *(line.engine, path_engine, line.keyring, line.keys),
            *(desk.clock, line.ringer, line.ballots),
        )
        for _ in range(PROCESSES - 1)
    ]
    yield [desk.intake, *more]
    for each in more:
        each.close()


def given_out(desk: Desk) -> str:
    """Somebody half registered by SMS asks for six digits; they are where only they can read."""
    for said in ("hello", "1", "1", "Kenya", "MENU", "7"):
        desk.hear(said, 7, kind="sms")
    with pytest.MonkeyPatch.context() as known:
        known.setattr("services.people.link_codes.new_digits", lambda *_: CODE)
        desk.hear("2", 7, kind="sms")
    assert desk.scalar("select count(*) from link_codes") == 1
    return CODE


def guesses(code: str, count: int) -> list[str]:
    return [f"{(int(code) + 1 + by) % 10**6:06d}" for by in range(count)]


def all_at_once(desk: Desk, intakes: list[Intake], tries: list[tuple[int, str]]) -> None:
    arrivals = [desk.arrival(code, person) for person, code in tries]

    def send(place: int) -> bool:
        while True:
            try:
                intake = intakes[place % PROCESSES]
                return intake.take(desk.views["telegram"], arrivals[place]).repeated
            except Unavailable:  # the provider says it again
                continue

    with ThreadPoolExecutor(len(tries)) as pool:
        assert not any(pool.map(send, range(len(tries))))


def test_fifty_tries_at_one_moment_are_counted_one_by_one(
    desk: Desk, intakes: list[Intake]
) -> None:
    """A-06: the sixth is not looked at, in whichever process and however close to the fifth."""
    code = given_out(desk)
    all_at_once(desk, intakes, [(21, guess) for guess in guesses(code, 50)])
    assert desk.scalar("select count(*) from link_tries") == 5
    desk.hear(code, 21)
    assert desk.scalar("select count(*) from link_codes") == 1, "the right one is not looked at"
    assert desk.scalar("select count(*) from contacts where status <> 'merged'") == 2


def test_the_right_code_among_fifty_at_one_moment_joins_at_most_once(
    desk: Desk, intakes: list[Intake]
) -> None:
    """A-06: sixty people use one code together; one of them is joined and the code is gone."""
    code = given_out(desk)
    all_at_once(desk, intakes, [(100 + person, code) for person in range(60)])
    joined = desk.scalar(
        "select count(*) from addresses where scheme = 'telegram' and contact_id in"
        " (select contact_id from addresses where scheme = 'sms')"
    )
    assert joined == 1
    assert desk.scalar("select count(*) from link_codes") == 0


def test_many_accounts_at_one_moment_are_held_up_together(
    desk: Desk, intakes: list[Intake]
) -> None:
    """A-06: a hundred wrong ones of all, and those that were on their way in other processes."""
    code = given_out(desk)
    desk.change("update channel_budgets set unconsented_limit = 1000")
    tries = [(200 + place // 3, guess) for place, guess in enumerate(guesses(code, 135))]
    all_at_once(desk, intakes, tries)
    counted = desk.scalar("select count(*) from link_tries")
    assert 100 <= counted < 100 + PROCESSES
    desk.hear(code, 999)
    assert desk.scalar("select count(*) from link_codes") == 1
