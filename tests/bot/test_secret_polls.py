"""A secret poll keeps its promise: one vote each, linked to nobody, counted once (P-01, P-02)."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from flows.inputs import Pressed
from models import Ask, AskStatus, Ballot
from models.ballot_keys import BallotKeys, NotAVote, open_vote, seal_vote
from models.db import transaction
from services.asks import ballots
from services.asks.ballots import Cast
from tests.bot.conftest import Desk
from tests.bot.voters import close, invite, open_poll, whose

ONE, OTHER = "canary_amara", "canary_bilal"


def said(desk: Desk, person: int = 1, kind: str = "telegram") -> list[str]:
    """The phrases of the last message to somebody."""
    content = desk.scalar(
        "select content from messages where contact_id = :who and direction = 'out'"
        " order by id desc limit 1",
        who=whose(desk, person, kind),
    )
    return [part.get("say", part.get("ask")) for part in content["parts"]]


def counted(desk: Desk) -> tuple[int, int]:
    """How many votes and how many voters there are."""
    return (
        desk.scalar("select count(*) from ballots"),
        desk.scalar("select count(*) from voter_tags"),
    )


def test_a_vote_is_sealed_and_the_person_is_told_so(desk: Desk) -> None:
    ask_id = open_poll(desk)
    invite(desk, ask_id, 1)
    desk.hear("2")
    assert said(desk) == ["vote_taken"]
    assert counted(desk) == (1, 1)
    keys = desk.homeline.ballots.read(ask_id)
    assert open_vote(keys, desk.scalar("select sealed from ballots"), ask_id) == OTHER


@pytest.mark.parametrize("kind", ["telegram", "sms", "whatsapp"])
@pytest.mark.parametrize("word", ["1", "Amara", "amara", "AMARA "])
def test_digits_and_names_serve_on_every_channel(desk: Desk, kind: str, word: str) -> None:
    ask_id = open_poll(desk)
    invite(desk, ask_id, 1, kind)
    desk.hear(word, 1, kind=kind)
    assert said(desk, 1, kind) == ["vote_taken"]


def everything_of(desk: Desk, contact_id: UUID) -> dict[str, Any]:
    """Every row about somebody without what differs between any two people: ids, seals, hashes."""
    of_chance = ("_id", "id", "hash", "sealed", "wrapped_key", "key", "at", "_at", "seq", "until")
    rows = {}
    for table in ("contacts", "conversations", "flow_sessions", "answers", "messages", "profiles"):
        column = "id" if table == "contacts" else "contact_id"
        order = "t.id" if table in ("flow_sessions", "messages") else "1"
        found = desk.ask(
            f"select to_jsonb(t) from {table} t where {column} = :who order by {order}",
            who=contact_id,
        )
        rows[table] = [
            {
                name: None if name.endswith(of_chance) and value is not None else value
                for name, value in row[0].items()
                if name not in ("state", "origin")
            }
            for row in found
        ]
    return rows


def test_two_who_vote_differently_leave_the_same_behind(desk: Desk) -> None:
    """Whatever tells their votes apart would be a difference between their rows."""
    ask_id = open_poll(desk)
    one, other = invite(desk, ask_id, 1), invite(desk, ask_id, 2)
    desk.hear("Amara", 1)
    desk.hear("Bilal", 2)
    assert everything_of(desk, one) == everything_of(desk, other)


def test_no_table_but_the_flow_holds_a_choice(desk: Desk) -> None:
    ask_id = open_poll(desk)
    for person, word in enumerate(("Amara", "1", "Bilal", "3"), start=1):
        invite(desk, ask_id, person)
        desk.clock.advance(timedelta(minutes=1))
        desk.hear(word, person)
    desk.hear(Pressed(f"v1.speaker.{ONE}"), 1)
    desk.hear("Amara", 1)
    tables = desk.ask(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    )
    for (table,) in tables:
        held = desk.scalar(f"select count(*) from {table} t where t::text like '%canary_%'")
        assert table == "flow_versions" or held == 0, table
    kept = desk.ask(
        "select m.sealed, m.provider_id from messages m join flow_sessions s using (contact_id)"
        " where m.direction = 'in' and s.kind = 'poll' and m.created_at > s.started_at"
    )
    assert len(kept) == 6
    assert set(kept) == {(None, None)}, "neither words nor the provider's number of them"


def test_a_button_of_a_secret_poll_is_kept_nowhere_however_old(desk: Desk) -> None:
    """Its payload names the choice, whatever the person is asked by now."""
    ask_id = open_poll(desk)
    person = invite(desk, ask_id, 1)
    desk.change("update conversations set state = '{}', session_id = null")
    desk.hear(Pressed(f"v1.speaker.{OTHER}"))
    held = desk.ask(
        "select sealed, provider_id from messages where direction = 'in' and contact_id = :who"
        " order by id desc limit 1",
        who=person,
    )
    assert held == [(None, None)]
    assert counted(desk) == (0, 0), "it was no answer to anything that waits"


def test_all_votes_are_equally_long(desk: Desk) -> None:
    ask_id = open_poll(desk)
    public = desk.homeline.ballots.read(ask_id).public
    assert len({len(seal_vote(public, "x" * n, ask_id)) for n in range(1, 64)}) == 1
    with pytest.raises(ValueError, match="63"):
        seal_vote(public, "x" * 64, ask_id)


def test_the_first_vote_counts_and_the_second_is_told_kindly(desk: Desk) -> None:
    ask_id = open_poll(desk)
    invite(desk, ask_id, 1)
    desk.hear("1")
    for again in ("2", "Bilal", Pressed(f"v1.speaker.{OTHER}")):
        desk.hear(again)
        assert said(desk) == ["voted_already"]
    invite(desk, ask_id, 1)
    desk.hear("2")
    assert said(desk) == ["voted_already"]
    assert counted(desk) == (1, 1)


def test_a_misspelt_name_is_never_guessed(desk: Desk) -> None:
    """A guess that waits for "did you mean" would be a vote in the conversation's state."""
    ask_id = open_poll(desk)
    invite(desk, ask_id, 1)
    desk.hear("Amarra")
    assert counted(desk) == (0, 0)
    assert "guess" not in desk.scalar("select state->'session' from conversations")
    heard = "select sealed from messages where direction = 'in' order by id desc limit 1"
    assert desk.scalar(heard) is None


def test_a_thousand_answers_of_one_person_count_once(desk: Desk) -> None:
    ask_id = open_poll(desk)
    contact_id = invite(desk, ask_id, 1)

    def cast(number: int) -> Cast:
        with transaction(desk.engine, desk.organisation_id) as db:
            value = (ONE, OTHER)[number % 2]
            return ballots.cast(db, desk.homeline.ballots, ask_id, contact_id, value)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(cast, range(1000)))
    assert outcomes.count(Cast.TAKEN) == 1
    assert outcomes.count(Cast.BEFORE) == 999
    assert counted(desk) == (1, 1)


def test_many_answers_at_once_through_two_web_processes_count_once(desk: Desk) -> None:
    ask_id = open_poll(desk)
    invite(desk, ask_id, 1)
    intakes = (desk.intake, desk.another_intake())

    def hear(number: int) -> None:
        arrival = desk.arrival(str(1 + number % 3), 1)
        intakes[number % 2].take(desk.views["telegram"], arrival)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hear, range(40)))
    intakes[1].close()
    assert counted(desk) == (1, 1)


def test_a_vote_that_cannot_be_taken_is_kept_nowhere_and_asked_for_again(desk: Desk) -> None:
    ask_id = open_poll(desk)
    invite(desk, ask_id, 1)
    folder = desk.homeline.settings.ballot_keys
    assert folder is not None
    (folder / f"{ask_id}.key").rename(folder / "away")
    taken = desk.hear("1")
    assert taken.say is not None
    assert "send it again" in taken.say
    assert counted(desk) == (0, 0)
    assert desk.scalar("select count(*) from quarantine") == 0
    (folder / "away").rename(folder / f"{ask_id}.key")
    desk.hear("1")
    assert counted(desk) == (1, 1)


def test_a_vote_after_the_close_is_not_kept(desk: Desk) -> None:
    ask_id = open_poll(desk)
    invite(desk, ask_id, 1)
    close(desk, ask_id)
    desk.hear("1")
    assert said(desk) == ["vote_too_late"]
    assert counted(desk) == (0, 0)


def test_opening_without_a_folder_for_keys_is_refused_in_words(desk: Desk) -> None:
    ask_id = open_poll(desk)
    with transaction(desk.engine, desk.organisation_id) as db:
        asked = db.scalars(select(Ask).where(Ask.id == ask_id)).one()
        with pytest.raises(ballots.NoBallotKeys, match="HOMELINE_BALLOT_KEYS"):
            ballots.prepare(db, BallotKeys(None), asked)
        with pytest.raises(ballots.NoBallotKeys):
            ballots.prepare(db, BallotKeys(Path("/proc/nowhere")), asked)


def settle(desk: Desk, ask_id: UUID) -> None:
    ballots.settle(
        desk.engine, desk.homeline.ballots, (desk.organisation_id, ask_id), now=desk.clock.now()
    )


def vote(desk: Desk, ask_id: UUID, words: tuple[str, ...]) -> None:
    for person, word in enumerate(words, start=1):
        invite(desk, ask_id, person)
        desk.hear(word, person)


def test_after_the_close_there_are_totals_and_nothing_to_open(desk: Desk) -> None:
    ask_id = open_poll(desk)
    vote(desk, ask_id, ("1", "Bilal", "2"))
    sealed = [row[0] for row in desk.ask("select sealed from ballots")]
    settle(desk, ask_id)
    assert counted(desk) == (3, 3), "an open poll is not settled"
    close(desk, ask_id)
    settle(desk, ask_id)
    assert desk.ask("select tally, status from asks") == [({ONE: 1, OTHER: 2}, "closed")]
    assert counted(desk) == (0, 0)
    assert desk.scalar("select count(*) from ballot_boxes") == 0
    assert desk.homeline.ballots.kept() == []
    other = desk.homeline.ballots.make(ask_id)
    for each in sealed:
        with pytest.raises(NotAVote):
            open_vote(other, each, ask_id)


class Killed(BaseException):
    """The process is gone."""


def killed_at(step: int, work: Callable[[], None]) -> bool:
    """Do the work in a process that dies at this line of ours; False when there are fewer lines."""
    left = step
    files = {ballots.__file__, sys.modules[BallotKeys.__module__].__file__}

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            left -= 1
            if left < 0:
                sys.settrace(None)
                raise Killed
        return trace

    sys.settrace(trace)
    try:
        work()
    except Killed:
        return True
    finally:
        sys.settrace(None)
    return False


def test_a_closer_killed_at_any_step_publishes_once_and_leaves_no_key(desk: Desk) -> None:
    ask_id = open_poll(desk)
    vote(desk, ask_id, ("1", "2"))
    votes = desk.ask("select sealed from ballots")
    close(desk, ask_id)
    steps = 0
    while killed_at(steps, lambda: settle(desk, ask_id)):
        steps += 1
        status, left = desk.ask("select status, (select count(*) from ballots) from asks")[0]
        assert (status, left) in ((AskStatus.CLOSING, 2), (AskStatus.CLOSED, 0))
        if status == AskStatus.CLOSING:
            assert desk.homeline.ballots.read(ask_id).public, "the key goes after the totals stand"
    assert steps > 20
    assert len(votes) == 2
    assert desk.ask("select tally from asks") == [({ONE: 1, OTHER: 1},)]
    assert desk.scalar("select count(*) from audit_events where action = 'ballots.counted'") == 1
    assert desk.homeline.ballots.kept() == []


def test_votes_that_do_not_match_the_voters_are_not_published(desk: Desk) -> None:
    ask_id = open_poll(desk)
    vote(desk, ask_id, ("1", "2"))
    public = desk.homeline.ballots.read(ask_id).public
    with transaction(desk.engine, desk.organisation_id) as db:
        stuffed = seal_vote(public, ONE, ask_id)
        box = {"organisation_id": desk.organisation_id, "ask_id": ask_id}
        db.add(Ballot(**box, id=UUID(int=7), sealed=stuffed))
    close(desk, ask_id)
    with pytest.raises(ballots.CountsDiffer):
        settle(desk, ask_id)
    assert desk.ask("select status, tally from asks") == [("closing", None)]
    ballots.settle_all(desk.engine, desk.homeline.ballots, now=desk.clock.now())
    assert desk.ask("select status, tally from asks") == [("closing", None)]


def test_the_sweep_ends_what_is_closing_and_removes_keys_left_behind(desk: Desk) -> None:
    ask_id = open_poll(desk)
    vote(desk, ask_id, ("3",))
    close(desk, ask_id)
    ballots.settle_all(desk.engine, desk.homeline.ballots, now=desk.clock.now())
    assert desk.ask("select status, tally from asks") == [("closed", {"canary_chidi": 1})]
    desk.homeline.ballots.make(ask_id)
    ballots.settle_all(desk.engine, desk.homeline.ballots, now=desk.clock.now())
    assert desk.homeline.ballots.kept() == []
