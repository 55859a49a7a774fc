"""What the API's tests ask for: `api`, and `caller` with a key that may do everything."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.api.stage import Api, Caller
from tests.conftest import MadeUp, MovedByHand, Urls
from tests.web import served


@pytest.fixture
def api(
    urls: Urls, engine: Engine, organisation: MadeUp, clock: MovedByHand, tmp_path: Path
) -> Iterator[Api]:
    with served(urls, tmp_path, clock) as app:
        yield Api(app, engine, organisation, clock)


@pytest.fixture
def caller(api: Api) -> Caller:
    return api.caller("*")
