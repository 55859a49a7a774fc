"""Homeline as a target."""

from benchmarks.processes import NotStarted
from benchmarks.targets import Place, Target


def build(place: Place, project_python: str) -> dict[str, Target]:
    raise NotStarted("not yet")
