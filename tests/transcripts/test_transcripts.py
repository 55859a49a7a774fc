"""Every transcript is played, on the bare engine and through everything on every channel."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from commands.chats import Chat, parse, written
from commands.playing import Player
from flows import loader
from tests.conftest import MovedByHand, Urls
from tests.transcripts.door import FrontDoor
from tests.transcripts.full import FullRun
from tests.transcripts.phones import new_number, phone_for
from tests.transcripts.stage import Fakes, staged


def test_a_conversation_goes_as_written(
    chat_file: Path, run: str, request: pytest.FixtureRequest
) -> None:
    expected = chat_file.read_text(encoding="utf-8")
    chat = parse(expected)
    played = _on_engine(chat) if run == "engine" else _through_everything(chat, run, request)
    if request.config.getoption("--accept"):
        chat_file.write_text(written(played), encoding="utf-8")
    else:
        assert written(played).splitlines() == written(chat).splitlines()


def test_a_file_is_laid_out_as_it_would_be_written(each_file: Path) -> None:
    text = each_file.read_text(encoding="utf-8")
    assert written(parse(text)) == text


def _on_engine(chat: Chat) -> Chat:
    player = Player(loader.load(loader.library()[chat.flow]), chat.language)
    turns = [replace(player.play(turn.act), notes=turn.notes) for turn in chat.turns]
    return replace(chat, turns=tuple(turns))


def _through_everything(chat: Chat, kind: str, request: pytest.FixtureRequest) -> Chat:
    urls: Urls = request.getfixturevalue("urls")
    _: Engine = request.getfixturevalue("engine")  # empties the tables afterwards
    clock: MovedByHand = request.getfixturevalue("clock")
    door: FrontDoor = request.getfixturevalue("front_door")
    fakes: Fakes = request.getfixturevalue("fakes")
    data: Path = request.getfixturevalue("tmp_path")
    with staged(urls, data, clock, door, fakes) as stage:
        stage.furnish(kind, chat)
        phone = phone_for(stage, kind, chat.language, new_number(chat.number))
        return replace(chat, turns=tuple(FullRun(stage, phone, kind, chat.language).play(chat)))
