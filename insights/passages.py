"""How far the people of one group came in a flow, as it leaves."""

from dataclasses import dataclass

from insights.disclosure import Figure


@dataclass(frozen=True, slots=True)
class Step:
    """One question: who answered, who skipped it, and the median time that took."""

    question: str
    answered: Figure
    skipped: Figure
    median_seconds: Figure


@dataclass(frozen=True, slots=True)
class Passages:
    """How far the people of one group came; `unfinished` may still go on, or have left."""

    started: Figure
    consented: Figure
    completed: Figure
    not_completed: Figure
    stopped: Figure
    unfinished: Figure
    steps: tuple[Step, ...]
