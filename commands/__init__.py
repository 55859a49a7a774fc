"""The flask commands: every file of this folder offers its own in `COMMANDS`."""

import pkgutil
from importlib import import_module

from flask import Flask


def register(app: Flask) -> None:
    """Give the application the commands of every file in this folder."""
    for found in pkgutil.iter_modules(__path__):
        for command in getattr(import_module(f"{__name__}.{found.name}"), "COMMANDS", ()):
            app.cli.add_command(command)
