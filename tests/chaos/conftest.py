"""How big a storm to make.

    pytest tests/chaos/test_storm.py --members 2000 --blows 12 --seed 7
    pytest tests/chaos/test_ask_everywhere.py -s --members 10000

The ordinary suite plays a small one; the figures of each run are printed (-s) and asserted on.
"""

from dataclasses import dataclass

import pytest

FEW = 60


@dataclass(frozen=True)
class Size:
    """How many members come, how often something is struck down, and by which dice."""

    members: int
    blows: int
    seed: int

    @property
    def small(self) -> bool:
        """Whether this is the ordinary suite's."""
        return self.members <= 300

    @property
    def spread(self) -> float:
        """Seconds within which everybody says hello; the made-up providers are one slow process."""
        return 1.5 if self.small else self.members / 15

    @property
    def seconds(self) -> float:
        """How long it may take on a busy machine."""
        return 60 if self.small else self.members / 4


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--members", type=int, default=FEW, help="How many people register.")
    parser.addoption("--blows", type=int, default=5, help="How often something is killed.")
    parser.addoption("--seed", type=int, default=1, help="The dice of the run.")


@pytest.fixture(scope="session")
def size(pytestconfig: pytest.Config) -> Size:
    return Size(
        pytestconfig.getoption("--members", default=FEW),
        pytestconfig.getoption("--blows", default=5),
        pytestconfig.getoption("--seed", default=1),
    )
