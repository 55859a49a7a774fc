"""Whatever the shape, a result tells the numbers of the last release and no other.

So what tests/insights proves of releases holds of every file, in any order of looking at them.
"""

import csv
import io
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from models import Ask, AskStatus, Publication
from models.walls import DoorKind, open_door
from tests.answered import NEEDS, OPTIONS, answer, version
from tests.asks import ask
from tests.conftest import MovedByHand, Urls
from tests.factories import Factory
from tests.web import served

Making = Callable[..., AbstractContextManager[Factory]]
SHAPES = (".json", ".csv", ".ureport.json", "")


@pytest.fixture
def client(urls: Urls, engine: Engine, clock: MovedByHand, tmp_path: Path) -> Iterator[FlaskClient]:
    with served(urls, tmp_path, clock) as app:
        yield app.test_client()


def opened(make: Factory) -> Ask:
    asked = ask(make, version=version(make, NEEDS), breakdowns=[["country", "gender"]])
    open_door(make.db, DoorKind.ASK, asked.code, make.organisation_id, asked.id)
    return asked


def come(make: Factory, asked: Ask, chance: random.Random) -> None:
    """Some more people answer, by chance."""
    for country in ("ZA", "IE", "KE"):
        people = [
            {
                "when_open": chance.choices(OPTIONS, (5, 3, 1))[0],
                "needs": chance.choice([None, ["papers"], ["papers", "work"]]),
            }
            for _ in range(chance.choice((3, 12, 60)))
        ]
        answer(make, asked, people, country=country, gender=chance.choice(("man", "woman")))


def numbers(told: Any) -> Iterator[int]:
    """Every number of a document."""
    if isinstance(told, Mapping):
        told = list(told.values())
    if isinstance(told, list):
        for value in told:
            yield from numbers(value)
    elif isinstance(told, int) and not isinstance(told, bool):
        yield told


def of_shape(client: FlaskClient, path: str, shape: str) -> set[int]:
    answer = client.get(path + shape)
    assert answer.status_code == 200
    if shape == ".csv":
        rows = csv.DictReader(io.StringIO(answer.text))
        return {int(row[name]) for row in rows for name in ("count", "share", "n") if row[name]}
    if shape == "":
        return set()
    told = answer.get_json()
    for question in told["questions"]:
        question.get("results", {}).pop("unset", None)
    return set(numbers(told))


@pytest.mark.parametrize("seed", range(6))
def test_every_shape_tells_the_last_release(
    client: FlaskClient, making: Making, clock: MovedByHand, seed: int
) -> None:
    chance = random.Random(seed)
    with making() as make:
        asked = opened(make)
        poll, path, now = asked.id, f"/r/{asked.code}", make.now
    for turn in range(5):
        with making() as make:
            make.now, asked = now, make.db.get_one(Ask, (make.organisation_id, poll))
            if turn < 4:
                come(make, asked, chance)
                now = make.now
            else:
                asked.status, asked.closed_at = AskStatus.CLOSED, now
        clock.advance(now - clock.now())
        for shape in chance.sample(SHAPES, len(SHAPES)):
            told = of_shape(client, path, shape)
            released = last_release(making, poll)
            assert told <= set(numbers(released)), (turn, shape)
            _check_unset(client.get(f"{path}.ureport.json").get_json(), released)
    assert released["final"]
    assert len(of_shape(client, path, ".csv")) > 3, "something was told"


def _check_unset(told: Mapping[str, Any], released: Mapping[str, Any]) -> None:
    """How many did not answer is the difference of two released numbers, and of no handful."""
    for question, of in zip(told["questions"], released["questions"], strict=True):
        unset = question["results"]["unset"]
        assert unset is None or unset == 0 or unset == released["completed"] - of["n"] >= 10


def last_release(making: Making, poll: UUID) -> dict[str, Any]:
    with making() as make:
        newest = select(Publication).where(Publication.ask_id == poll)
        rows = make.db.scalars(newest.order_by(Publication.number.desc()))
        return dict(next(iter(rows)).released)
