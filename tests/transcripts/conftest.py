"""Files to play, and the parts that are made once: fakes of the providers and a door to the app."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.chats import parse
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio
from tests.transcripts.door import FrontDoor
from tests.transcripts.stage import Fakes

HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="Rewrite the expected lines.")
    parser.addoption("--chat", action="append", default=[], help="Play only this file or folder.")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a file and run: engine, then each channel."""
    if "each_file" in metafunc.fixturenames:
        metafunc.parametrize("each_file", files([str(HERE)]), ids=lambda path: path.stem)
    if "chat_file" not in metafunc.fixturenames:
        return
    accept = metafunc.config.getoption("--accept", default=False)
    wanted = metafunc.config.getoption("--chat", default=[]) or [str(HERE)]
    runs = []
    for path in files(wanted):
        chat = parse(path.read_text(encoding="utf-8"))
        names = ["engine"] if "engine" in chat.runs else []
        names += chat.channels if "full" in chat.runs else ()
        runs += [(path, name) for name in (names[:1] if accept else names)]
    ids = [f"{path.stem}-{name}" for path, name in runs]
    metafunc.parametrize(("chat_file", "run"), runs, ids=ids)


def files(wanted: list[str]) -> list[Path]:
    """The transcripts in these files and folders."""
    paths = [Path(one).resolve() for one in wanted]
    return sorted(
        file for path in paths for file in (path.rglob("*.chat") if path.is_dir() else [path])
    )


@pytest.fixture(scope="session")
def fakes() -> Iterator[Fakes]:
    with FakeTelegram(limits=False) as telegram, FakeTwilio() as twilio:
        yield Fakes(telegram, twilio)


@pytest.fixture(scope="session")
def front_door() -> Iterator[FrontDoor]:
    with FrontDoor() as door:
        yield door
