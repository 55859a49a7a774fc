"""Who holds the database's files, its WAL and a backup links no vote of a secret poll (P-01)."""

import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from models.ballot_keys import NotAVote, PollKeys, open_vote
from services.asks import ballots
from tests.bot.conftest import Desk
from tests.bot.voters import close, invite, open_poll

TYPED = ("aMaRa", "BiLaL", "cHiDi")
"""Spelt as nobody else does, so that a byte of them in any file is this vote."""


def files(admin: Engine) -> dict[str, bytes]:
    """The content of every file of the server, tables and WAL, as a thief or a backup has it."""
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        folder = Path(str(connection.scalar(text("SHOW data_directory"))))
    found = {}
    for place in ("base", "pg_wal"):
        for file in sorted((folder / place).rglob("*")):
            if file.is_file():
                try:
                    found[str(file.relative_to(folder))] = file.read_bytes()
                except FileNotFoundError:  # a temporary file of another test
                    continue
    return found


def holding(mark: bytes, content: dict[str, bytes]) -> list[str]:
    """The files in which these bytes are."""
    return [name for name, held in content.items() if mark in held]


@pytest.fixture
def admin(_admin_engine: Engine) -> Engine:
    """The server's superuser, where its files can be read."""
    try:
        with _admin_engine.connect() as connection:
            folder = str(connection.scalar(text("SHOW data_directory")))
    except DBAPIError:
        pytest.skip("this role may not ask where the server keeps its files")
    if not os.access(Path(folder) / "base", os.R_OK | os.X_OK):
        pytest.skip("the server's files belong to somebody else")
    return _admin_engine


def test_stolen_files_before_and_after_the_close_link_no_vote(desk: Desk, admin: Engine) -> None:
    ask_id = open_poll(desk)
    voters = [invite(desk, ask_id, person) for person in (1, 2, 3)]
    for person, word in enumerate(TYPED, start=1):
        desk.hear(word, person)
    keys = desk.homeline.ballots.read(ask_id)
    paired = desk.ask(
        "select v.contact_id, b.sealed from conversations v join ballots b on b.xmin = v.xmin"
    )
    before = files(admin)
    close(desk, ask_id)
    now = desk.clock.now()
    ballots.settle(desk.engine, desk.homeline.ballots, (desk.organisation_id, ask_id), now=now)
    after = files(admin)

    assert {who for who, _ in paired} == set(voters), "the thief knows whose ballot is whose"
    for content in (before, after):
        assert holding(paired[0][1], content), "and has the ballots: the search can find"
        for mark in (keys.private, keys.tags, *(word.encode() for word in TYPED)):
            assert holding(mark, content) == []
            assert holding(mark.hex().encode(), content) == []
        assert holding(b"speaker.canary_", content) == [], "no button's payload either"
    guesses = (PollKeys(desk.homeline.keyring.new_key(desk.organisation_id, ask_id)[0], b""),)
    for _, sealed in paired:
        for guess in guesses:
            with pytest.raises(NotAVote):
                open_vote(guess, sealed, ask_id)
    assert desk.homeline.ballots.kept() == []
