"""What a killed worker had claimed and not begun to send is sent by another."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from bot import begun
from bot.begun import Begun, left_behind
from bot.outcomes import Outcome
from bot.taking_over import note_outcome, take_over
from models.delivery_path import Claimed, delivery_turn, give_back
from tests.bot.conftest import Desk

ROOT = Path(__file__).parents[2]
WORKER = """
import sys, uuid, pathlib
from bot.begun import Begun
note = Begun(pathlib.Path(sys.argv[1]), "worker-that-dies")
for one in sys.argv[2:]:
    note.begin(uuid.UUID(one))
note.forget([uuid.UUID(sys.argv[2])])
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[UUID]]]:
    """A process that began three messages and had the first one recorded."""
    ids = [uuid4() for _ in range(3)]
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path), *map(str, ids)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    yield process, ids
    process.kill()
    process.wait()
    process.stdout.close()
    if process.stdin:
        process.stdin.close()


def test_the_note_of_a_living_worker_is_left_alone(
    tmp_path: Path, worker: tuple[subprocess.Popen[str], list[UUID]]
) -> None:
    assert list(left_behind(tmp_path)) == []


def test_the_note_of_a_killed_worker_names_what_it_had_begun(
    tmp_path: Path, worker: tuple[subprocess.Popen[str], list[UUID]]
) -> None:
    process, ids = worker
    process.kill()
    process.wait()
    (left,) = left_behind(tmp_path)
    assert left.worker == "worker-that-dies"
    assert set(left.begun) == set(ids[1:])
    left.remove()
    assert list(left_behind(tmp_path)) == []


def test_a_note_from_before_the_machine_started_is_not_believed(
    tmp_path: Path,
    worker: tuple[subprocess.Popen[str], list[UUID]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process, _ = worker
    process.kill()
    process.wait()
    another = tmp_path / "boot"
    another.write_text("another start of the machine")
    monkeypatch.setattr(begun, "BOOT", another)  # the machine cannot be started anew
    assert list(left_behind(tmp_path)) == []
    assert list(begun.notes_folder(tmp_path).iterdir()) == []


def test_a_note_that_had_no_room_is_not_believed(tmp_path: Path) -> None:
    note = Begun(tmp_path, "busy")
    for number in range(begun.SLOTS + 1):
        note.begin(UUID(int=number + 1))
    (path,) = begun.notes_folder(tmp_path).iterdir()
    assert begun._read(path, path.read_bytes()) is None
    note.close()


def claim(desk: Desk, worker: str) -> list[UUID]:
    with desk.homeline.open().delivery.connect() as plain:
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")
        rows = delivery_turn(
            connection, worker, done=[], wanted=9, lease=timedelta(minutes=5), now=desk.clock.now()
        )
    return [row.id for row in rows]


def test_what_was_not_begun_is_queued_again_as_if_never_claimed(desk: Desk) -> None:
    for person in (1, 2):
        desk.hear("hello", person)
    first, _ = claim(desk, "dead")
    with desk.homeline.open().delivery.connect() as plain:
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")
        assert give_back(connection, "another", [first]) == (0, 0)
        assert give_back(connection, "dead", [first]) == (1, 1)
    found = "select status, attempts, id = :first from messages where direction = 'out' order by id"
    assert desk.ask(found, first=first) == [("sending", 1, True), ("queued", 0, False)]


def test_the_next_worker_sends_at_once_what_the_killed_one_never_touched(
    desk: Desk, tmp_path: Path, worker: tuple[subprocess.Popen[str], list[UUID]]
) -> None:
    desk.hear("hello", kind="sms")
    assert len(claim(desk, "worker-that-dies")) == 1
    process, _ = worker
    process.kill()
    process.wait()
    desk.notes = tmp_path
    desk.deliver(until=lambda: desk.statuses() == [("sent", None)])
    assert desk.statuses() == [("sent", None)]


TAKER = """
import sys, uuid, pathlib
from datetime import UTC, datetime
from bot.begun import Begun, Taken
note = Begun(pathlib.Path(sys.argv[1]), "worker-that-dies")
first, second, owner = (uuid.UUID(one) for one in sys.argv[2:])
for one in (first, second):
    note.begin(one)
note.taken(Taken(first, owner, "SM1", b"h" * 32, datetime(2026, 7, 1, tzinfo=UTC)))
"""


def test_what_the_provider_had_taken_is_recorded_and_not_in_doubt(
    desk: Desk, tmp_path: Path
) -> None:
    for person in (1, 2):
        desk.hear("hello", person, kind="sms")
    taken, begun_only = claim(desk, "worker-that-dies")
    arguments = [str(one) for one in (tmp_path, taken, begun_only, desk.organisation_id)]
    subprocess.run([sys.executable, "-c", TAKER, *arguments], cwd=ROOT, check=True)
    (left,) = left_behind(tmp_path)
    assert set(left.begun) == {taken, begun_only}
    assert [one.message_id for one in left.taken] == [taken]
    with desk.homeline.open().delivery.connect() as plain:
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")
        assert take_over(left, connection) == (0, 1)
    found = desk.ask(
        "select status, provider_id, encode(text_hash, 'escape') from messages"
        " where direction = 'out' order by id = :taken desc",
        taken=taken,
    )
    assert found == [("sent", "SM1", "h" * 32), ("sending", None, None)]


def test_what_did_not_leave_is_struck_out_before_the_database_knows(tmp_path: Path) -> None:
    note = Begun(tmp_path, "busy")
    waiting, unknown = UUID(int=1), UUID(int=2)
    for one in (waiting, unknown):
        note.begin(one)
    note_outcome(note, claimed(waiting), Outcome("queued", error_code="20429", refund=True))
    note_outcome(note, claimed(unknown), Outcome("unknown", error_code="timeout"))
    (path,) = begun.notes_folder(tmp_path).iterdir()
    left = begun._read(path, path.read_bytes())
    assert left is not None
    assert left.begun == (unknown,)
    note.close()


def claimed(message_id: UUID) -> Claimed:
    nothing: dict[str, Any] = dict.fromkeys(Claimed.__dataclass_fields__)
    return Claimed(**{**nothing, "id": message_id})
