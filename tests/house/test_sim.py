from pathlib import Path

import pytest
from click.testing import CliRunner

from commands.chats import parse, written
from commands.playing import Player
from commands.sim import sim
from flows.loader import library, load

REGISTRATION = "hello\n[English]\nI agree\n"
POLL = "hello\nhours please\n[Saturday]\n"


@pytest.mark.parametrize(
    ("flow", "typed", "runs"),
    [
        ("registration-express", REGISTRATION, ("engine", "full")),
        ("passport-hours", POLL, ("engine",)),
    ],
)
@pytest.mark.parametrize("channel", ["telegram", "whatsapp", "sms"])
def test_a_conversation_in_the_terminal_is_a_transcript_that_plays(
    flow: str, typed: str, runs: tuple[str, ...], channel: str
) -> None:
    told = CliRunner().invoke(sim, [flow, "--channel", channel], input=typed)
    assert told.exit_code == 0
    chat = parse(told.stdout)
    assert written(chat) == told.stdout
    assert (chat.flow, chat.runs, len(chat.turns)) == (flow, runs, 3)
    player = Player(load(library()[flow]), chat.language)
    assert [player.play(turn.act) for turn in chat.turns] == list(chat.turns)
    assert ("part" in told.stderr) == (channel == "sms")


def test_what_cannot_be_done_is_told_beside_and_the_conversation_goes_on() -> None:
    told = CliRunner().invoke(sim, ["passport-hours"], input="hello\n[Sunday]\n[Saturday]\n")
    assert "Sunday" in told.stderr
    assert len(parse(told.stdout).turns) == 2


def test_a_flow_with_a_fault_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "faulty.yaml"
    file.write_text("flow: faulty\nkind: poll\nlanguages: [en]\n", encoding="utf-8")
    told = CliRunner().invoke(sim, [str(file)])
    assert told.exit_code != 0
    assert "questions" in told.output
