"""`flask transcripts run`: golden conversations, played on the engine and through everything."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click
from flask.cli import AppGroup

from commands.terminal import homeline, refuse

group = AppGroup("transcripts", help="Golden conversations: see tests/transcripts/README.md.")


@group.command("run")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--accept", is_flag=True, help="Rewrite the expected lines; review the difference.")
def run(path: Path | None, accept: bool) -> None:
    """Play every transcript, or those of a file or folder; the exit code tells how it went."""
    if find_spec("pytest") is None:
        raise refuse("Transcripts need what requirements-dev.txt names.")
    command = [sys.executable, "-m", "pytest", "-q", "tests/transcripts"]
    command += ["--accept"] * accept + (["--chat", str(path.absolute())] if path else [])
    done = subprocess.run(command, cwd=homeline().root, check=False)
    raise click.exceptions.Exit(done.returncode)


COMMANDS = (group,)
