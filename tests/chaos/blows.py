"""What strikes a run: kills of processes and immediate restarts of the database, by a seed."""

import random
from collections.abc import Iterator

from tests.chaos.storm import Storm

KINDS = ("web", "worker", "database", "both")


def blows(storm: Storm, seed: int, pauses: tuple[float, float], most: int) -> Iterator[float]:
    """Strike after each pause it gives; one round holds every kind once, in random order."""
    dice = random.Random(seed)
    struck = 0
    while True:
        for kind in dice.sample(KINDS, len(KINDS)):
            yield dice.uniform(*pauses)
            if struck >= most:
                return
            struck += 1
            _strike(storm, kind, dice)


def _strike(storm: Storm, kind: str, dice: random.Random) -> None:
    house = storm.house
    if kind == "database":
        storm.restarts.append(house.restart_database())
        return
    if kind in ("web", "both"):
        house.kill(dice.choice(house.webs))
    if kind in ("worker", "both"):
        house.kill(dice.choice(house.workers))
