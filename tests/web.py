"""The whole application over a test's database, clock and keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

from app import create_app
from composition import Homeline
from models.clock import Clock
from settings import MasterKey, Settings
from tests.conftest import Urls

MASTER_KEY = MasterKey("test", b"0123456789abcdef" * 2)


def settings_for(urls: Urls, data: Path, **changed: Any) -> Settings:
    """Return settings that name a test's database."""
    given: dict[str, Any] = {
        "env": "development",
        "data": data,
        "secret_key": b"only for tests, " * 2,
        "master_keys": (MASTER_KEY,),
        "database_url": urls.app,
        "database_owner_url": urls.owner,
        "public_url": "https://line.example",
    }
    return Settings(**(given | changed))


@contextmanager
def served(urls: Urls, data: Path, clock: Clock, **changed: Any) -> Iterator[Flask]:
    """Give the application; its connections are given up afterwards."""
    line = Homeline(settings_for(urls, data, **changed))
    line.clock = clock
    try:
        yield create_app(homeline=line)
    finally:
        line.close()
