"""`flask worker`: the same as `python -m jobs`."""

import os
import sys

import click
from flask.cli import with_appcontext

from commands.terminal import homeline


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Send messages and do what is due, until told to stop."""
    os.chdir(homeline().root)
    os.execv(sys.executable, [sys.executable, "-m", "jobs"])  # noqa: S606 - no shell is wanted


COMMANDS = (worker,)
