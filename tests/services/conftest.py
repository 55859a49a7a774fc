"""What tests of whole conversations share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MadeUp, MovedByHand, Urls
from tests.services.phones import House, housed


@pytest.fixture
def house(urls: Urls, tmp_path: Path, clock: MovedByHand, organisation: MadeUp) -> Iterator[House]:
    with housed(urls, tmp_path, clock, organisation, "registration-express") as made:
        yield made
