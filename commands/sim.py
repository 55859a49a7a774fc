"""`flask sim`: a conversation in the terminal, printed as a transcript that can become a test."""

import sys
from pathlib import Path
from typing import Final

import click

from commands.chats import CHANNELS, Act, Chat, Turn, parse, turn_written, written
from commands.playing import CannotPlay, Player
from commands.terminal import refuse
from flows import loader
from flows.errors import FlowError
from flows.flow import Flow
from flows.sms import measure
from flows.wording import LANGUAGES, as_lines

_INTENT: Final = "Say here in one sentence what this conversation shows."


@click.command("sim")
@click.argument("flow", default="registration-express")
@click.option("--channel", type=click.Choice(CHANNELS), default="telegram", show_default=True)
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", show_default=True)
def sim(flow: str, channel: str, lang: str) -> None:
    """Play a flow of the library, or of a file, on the bare engine; without a database.

    The first line begins it, whatever it says; then type answers, or [Label] to press. Ctrl-D ends.
    What goes to standard output, saved to tests/transcripts, is a test.
    """
    try:
        loaded = loader.load(loader.library().get(flow) or Path(flow))
    except (FlowError, OSError) as error:
        raise refuse(f"{flow}: {error}") from None
    player = Player(loaded, lang)
    click.echo(written(Chat(_INTENT, _header(loaded, lang))), nl=False)
    while not player.ended:
        act = _next_act()
        if act is None:
            return
        try:
            turn = player.play(act)
        except CannotPlay as fault:
            click.echo(f"# {fault}", err=True)
            continue
        _print(turn, player, channel)


def _header(flow: Flow, language: str) -> dict[str, str]:
    """Only a registration begins by a stranger's message; the engine alone plays the others."""
    header = {"flow": flow.id, "language": language}
    return header if flow.kind == "registration" else header | {"runs": "engine"}


def _next_act() -> Act | None:
    """What the person does next, read from the terminal or a file; None at the end."""
    while True:
        if sys.stdin.isatty():
            click.echo("\nperson: ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            return None
        if text := line.strip():
            return _act(text)


def _act(text: str) -> Act:
    if text.startswith("[") and text.endswith("]"):
        return Act("presses", text[1:-1])
    if text.startswith(("(", "person presses ", "person sends ", "person: ")):
        return parse(f"played\nflow: x\n\n{text}").turns[0].act
    return Act("says", text)


def _print(turn: Turn, player: Player, channel: str) -> None:
    """Print the turn, without the line that was just typed there; on SMS with what it costs."""
    typed = turn.act.kind == "says" and sys.stdin.isatty() and sys.stdout.isatty()
    lines = turn_written(turn)
    click.echo(lines.partition("\n")[2] if typed else f"\n{lines}", nl=False)
    if channel == "sms" and turn.shown:
        length = measure(as_lines(player.prompts[-1]))
        parts = f"{length.parts} part{'s' * (length.parts > 1)}"
        click.echo(f"# {length.units} units, {parts}", err=True)


COMMANDS = (sim,)
