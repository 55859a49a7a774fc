"""`flask sim`: a conversation in the terminal, printed as a transcript that can become a test."""

import sys
from pathlib import Path

import click

from commands.chats import CHANNELS, Act, Chat, Turn, act_written, parse, turn_written, written
from commands.playing import CannotPlay, Player
from commands.terminal import refuse
from flows import loader
from flows.errors import FlowError
from flows.sms import measure
from flows.wording import LANGUAGES, as_lines


@click.command("sim")
@click.argument("flow", default="registration-express")
@click.option("--channel", type=click.Choice(CHANNELS), default="telegram", show_default=True)
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", show_default=True)
def sim(flow: str, channel: str, lang: str) -> None:
    """Play a flow of the library, or of a file, on the bare engine; without a database.

    Type answers, or [Label] to press; Ctrl-D ends. Saved to tests/transcripts it is a test.
    """
    try:
        loaded = loader.load(loader.library().get(flow) or Path(flow))
    except (FlowError, OSError) as error:
        raise refuse(f"{flow}: {error}") from None
    player = Player(loaded, lang)
    header = {"flow": loaded.id, "language": lang}
    click.echo(written(Chat("Say here in one sentence what this conversation shows.", header)))
    while not player.ended:
        act = _next_act()
        if act is None:
            return
        try:
            turn = player.play(act)
        except CannotPlay as fault:
            click.echo(f"# {fault}\n")
            continue
        _print(turn, player, channel)


def _next_act() -> Act | None:
    """What the person does next, read from the terminal or a file; None at the end."""
    asking = sys.stdin.isatty()
    while True:
        if asking:
            click.echo("person: ", nl=False)
        line = sys.stdin.readline()
        if not line:
            return None
        if text := line.strip():
            break
    act = _act(text)
    if not asking or act.kind != "says":
        click.echo(act_written(act))
    return act


def _act(text: str) -> Act:
    if text.startswith("[") and text.endswith("]"):
        return Act("presses", text[1:-1])
    if text.startswith(("(", "person presses ", "person sends ", "person: ")):
        return parse(f"played\nflow: x\n\n{text}").turns[0].act
    return Act("says", text)


def _print(turn: Turn, player: Player, channel: str) -> None:
    """Print what came of an act; on SMS with what it costs."""
    click.echo(turn_written(turn).partition("\n")[2])
    if channel == "sms" and turn.shown:
        length = measure(as_lines(player.prompts[-1]))
        click.echo(f"# {length.units} units, {length.parts} part{'s' * (length.parts > 1)}\n")


COMMANDS = (sim,)
