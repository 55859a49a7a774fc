"""What becomes of messages whose sender died, or of which nobody knows whether they went out."""

import pytest

from models.delivery_path import recover_messages
from models.walls import system_scope
from tests.bot.conftest import Desk
from tests.fakes.telegram import FakeTelegram

LOST = (
    "update messages set status = :status, attempts = :attempts, kind = :kind,"
    " leased_by = 'a worker that died', leased_until = clock_timestamp() - interval '9 seconds'"
    " where direction = 'out'"
)


def recover(desk: Desk) -> dict[str, int]:
    with system_scope(desk.engine) as db:
        return recover_messages(db.connection())


def lose(desk: Desk, kind: str = "question", status: str = "sending", attempts: int = 1) -> None:
    desk.hear("hello")
    desk.change(LOST, kind=kind, status=status, attempts=attempts)


@pytest.mark.parametrize("status", ["sending", "unknown"])
def test_a_question_nobody_has_answered_is_sent_again(desk: Desk, status: str) -> None:
    lose(desk, status=status)
    assert recover(desk) == {"question.queued": 1}
    assert desk.statuses() == [("queued", None)]


@pytest.mark.parametrize("status", ["sending", "unknown"])
def test_a_question_whose_person_has_written_since_counts_as_sent(desk: Desk, status: str) -> None:
    lose(desk, status=status)
    desk.change("update conversations set seq = seq + 1")
    assert recover(desk) == {"question.sent": 1}


def test_a_right_is_sent_again_once(desk: Desk) -> None:
    lose(desk, "rights")
    desk.change("update conversations set seq = seq + 1")
    assert recover(desk) == {"rights.queued": 1}
    desk.change(LOST, kind="rights", status="unknown", attempts=2)
    assert recover(desk) == {"rights.unknown": 1}
    assert recover(desk) == {}


def test_a_notice_is_sent_again_though_its_person_has_written_since(desk: Desk) -> None:
    lose(desk, "notice")
    desk.change("update conversations set seq = seq + 1")
    assert recover(desk) == {"notice.queued": 1}
    desk.change(LOST, kind="notice", status="unknown", attempts=3)
    assert recover(desk) == {"notice.unknown": 1}


def test_a_question_waits_while_an_answer_may_be_on_its_way(desk: Desk) -> None:
    lose(desk)
    desk.change("update messages set leased_until = clock_timestamp() - interval '7 seconds'")
    assert recover(desk) == {}


def test_a_broadcast_is_never_sent_again(desk: Desk) -> None:
    lose(desk, "broadcast")
    assert recover(desk) == {"broadcast.unknown": 1}
    assert recover(desk) == {}


def test_a_question_is_not_sent_again_for_ever(desk: Desk) -> None:
    lose(desk, attempts=4)
    assert recover(desk) == {"question.unknown": 1}


def test_a_lease_that_still_holds_is_left_alone(desk: Desk) -> None:
    lose(desk)
    desk.change("update messages set leased_until = clock_timestamp() + interval '1 minute'")
    assert recover(desk) == {}


def test_a_worker_that_was_slow_and_not_dead_has_the_last_word(
    desk: Desk, telegram: FakeTelegram
) -> None:
    """Its lease ran out, the row went back to the queue, and then it says: sent."""
    from datetime import timedelta

    from models.delivery_path import delivery_turn

    desk.hear("hello")
    with desk.homeline.open().delivery.connect() as plain:
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")
        lease = timedelta(seconds=8)
        claimed = delivery_turn(
            connection, "slow", done=[], wanted=5, lease=lease, now=desk.clock.now()
        )
        desk.change("update messages set leased_until = clock_timestamp() - interval '9 seconds'"
                    " where status = 'sending'")  # fmt: skip
        assert recover(desk) == {"question.queued": 1}
        row = {"org": claimed[0].organisation_id, "id": claimed[0].id, "status": "sent",
               "provider_id": "77", "at": desk.clock.now(), "refund": False}  # fmt: skip
        again = delivery_turn(
            connection, "slow", done=[row], wanted=5, lease=lease, now=desk.clock.now()
        )
    assert again == []
    assert desk.statuses() == [("sent", None)]


def test_our_own_retry_never_takes_back_what_the_provider_said(desk: Desk) -> None:
    from datetime import timedelta

    from models.delivery_path import delivery_turn

    desk.hear("hello")
    with desk.homeline.open().delivery.connect() as plain:
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")
        lease = timedelta(seconds=8)
        claimed = delivery_turn(
            connection, "one", done=[], wanted=5, lease=lease, now=desk.clock.now()
        )
        desk.change("update messages set status = 'delivered' where status = 'sending'")
        row = {"org": claimed[0].organisation_id, "id": claimed[0].id, "status": "queued",
               "due_at": desk.clock.now(), "refund": False}  # fmt: skip
        delivery_turn(connection, "one", done=[row], wanted=5, lease=lease, now=desk.clock.now())
    assert [status for status, _ in desk.statuses()] == ["delivered"]
