"""Members register at once on three channels, on the real processes, while things go wrong.

Every delivery comes one to five times, shuffled and partly at the same instant. Two web and two
worker processes share one database. Nothing here is mocked: only the providers are made up.
"""

from pathlib import Path

from tests.chaos.account import Account, account_of, figures
from tests.chaos.blows import blows
from tests.chaos.conftest import Size
from tests.chaos.storm import Storm, storm

LONGEST_SILENCE = 60.0


def test_each_gets_each_question_once_and_in_order_and_every_answer_is_stored(
    tmp_path: Path, size: Size
) -> None:
    """D-01: repeated, shuffled and in parallel; the state is that of one ordered run."""
    with storm(tmp_path / "house", size.members, seed=size.seed) as run:
        run.begin(size.spread)
        run.run(size.seconds)
        account = told(run)
        assert_what_was_said_is_what_is_stored(run, account)
        assert account.out_of_order == {}
        assert run.nudges == 0
        assert_nothing_failed(run)


def test_killed_and_restarted_at_random_everybody_finishes(tmp_path: Path, size: Size) -> None:
    """K-01: kill -9 of web, worker and database; nothing acknowledged is lost, nothing doubled."""
    think = (0.1, 1.2) if size.small else (1.0, 6.0)
    pauses = (0.7, 1.5) if size.small else (5.0, 12.0)
    with storm(tmp_path / "house", size.members, seed=size.seed, think=think) as run:
        run.take_their_time()
        run.begin(size.spread)
        strikes = blows(run, size.seed, pauses, size.blows)
        run.run(2 * size.seconds, blows=strikes, patience=20 if size.small else 30)
        account = told(run)
        assert_what_was_said_is_what_is_stored(run, account)
        assert account.led_back == {}
        assert account.longest_silence < LONGEST_SILENCE
        assert [text for m in run.members for text in m.strange] == []
        assert_nothing_failed(run)


def told(run: Storm) -> Account:
    """The account of the run, printed beside its figures."""
    account = account_of(run)
    print(figures(run))
    print(account)
    for kind in ("unfinished", "wrong", "led_back"):
        if who := getattr(account, kind):
            print(kind, who)
    return account


def assert_what_was_said_is_what_is_stored(run: Storm, account: Account) -> None:
    assert account.unfinished == {}
    assert account.lost == set()
    assert account.doubled == []
    assert account.wrong == {}
    assert account.begun_anew == []
    many = len(run.members)
    assert account.finished == many
    assert run.house.ask("select count(*) from contacts") == [(many,)]
    assert run.house.ask("select status, count(*) from flow_sessions group by 1") == [
        ("complete", many)
    ]
    unpaired = (
        "select count(*) from messages m where direction = 'in'"
        " and not exists (select 1 from receipts r where r.channel_id = m.channel_id)"
    )
    assert run.house.ask(unpaired) == [(0,)]


def assert_nothing_failed(run: Storm) -> None:
    assert run.house.ask("select count(*) from quarantine") == [(0,)]
    failed = (
        "select error_code from messages where status in ('failed', 'canceled')"
        " and error_code <> 'superseded'"  # asked anew before the first try could be repeated
    )
    assert run.house.ask(failed) == []
    for name in ("request.failed", "message.quarantined", "message.failed", "delivery.unrecorded"):
        assert run.house.events(name) == []
