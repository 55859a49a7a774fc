"""What commands share: the parts of this process, and how they speak to the terminal."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import click
import orjson
from flask import current_app
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from composition import Homeline
from models.db import transaction
from models.walls import RoleTooStrong, system_scope
from private_server import PrivateServerError
from services import organisations
from services.errors import AppError, Invalid


def homeline() -> Homeline:
    """Return the parts of this process."""
    found: Homeline = current_app.extensions["homeline"]
    return found


def as_json(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json`: one JSON object instead of sentences."""
    return click.option("--json", "json", is_flag=True, help="Print one JSON object.")(command)


def for_organisation(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--organisation`: an id, a name or a short name."""
    return click.option(
        "--organisation", required=True, metavar="O", help="Its id, name or short name."
    )(command)


def report(result: Mapping[str, object], sentence: str, *, json: bool) -> None:
    """Print what a command made, for a person or for a program."""
    click.echo(orjson.dumps(result, default=str).decode() if json else sentence)


def refuse(sentence: str) -> click.ClickException:
    """Return the error that ends a command with a sentence."""
    return click.ClickException(sentence)


_REFUSALS = {
    "42P01": "The tables are missing: run `flask db upgrade`.",
    "42703": "The tables lack what this code needs: run `flask db upgrade`. If that is done, they "
    "were made between two versions: choose another HOMELINE_DATA, or an empty database.",
    "42501": "The role of DATABASE_URL may not use the tables: as a superuser, grant homeline_app "
    "to it (docs/operations.md, Database).",
}
"""What PostgreSQL refuses, by SQLSTATE: undefined table or column, insufficient privilege."""


@contextmanager
def sentences() -> Iterator[None]:
    """Turn what services and the database refuse into a sentence and exit code 1."""
    try:
        yield
    except Invalid as error:
        faults = [f"{place}: {told}" for place, told in error.faults if told != error.sentence]
        raise refuse("\n".join([error.sentence, *faults])) from None
    except AppError as error:
        raise refuse(error.sentence) from None
    except (RoleTooStrong, PrivateServerError) as error:
        raise refuse(str(error)) from None
    except OperationalError:
        raise refuse("The database cannot be reached: check DATABASE_URL.") from None
    except ProgrammingError as error:
        told = _REFUSALS.get(getattr(error.orig, "sqlstate", ""))
        if told is None:
            raise
        raise refuse(told) from None


def organisation_id(wanted: str) -> UUID:
    """Return the id of an organisation given by id, name or short name."""
    with system_scope(homeline().engine) as db:
        found = organisations.find(db, wanted)
        if found is None:
            raise refuse(f"There is no organisation called {wanted!r}.")
        return found.id


@contextmanager
def inside(wanted: str) -> Iterator[Session]:
    """Give a transaction of one organisation; faults end the command with a sentence."""
    with sentences(), transaction(homeline().engine, organisation_id(wanted)) as db:
        yield db
