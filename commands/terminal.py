"""What commands share: the parts of this process, and how they speak to the terminal."""

from collections.abc import Callable, Mapping
from typing import Any

import click
import orjson
from flask import current_app

from composition import Homeline


def homeline() -> Homeline:
    """Return the parts of this process."""
    found: Homeline = current_app.extensions["homeline"]
    return found


def as_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json`: one JSON object instead of sentences."""
    return click.option("--json", "json", is_flag=True, help="Print one JSON object.")(command)


def report(result: Mapping[str, object], sentence: str, *, json: bool) -> None:
    """Print what a command made, for a person or for a program."""
    click.echo(orjson.dumps(result, default=str).decode() if json else sentence)


def refuse(sentence: str) -> click.ClickException:
    """Return the error that ends a command with a sentence."""
    return click.ClickException(sentence)
