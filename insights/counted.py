"""What the gate asks of the counts of an ask, wherever these come from.

A person counts once. A line is a question, or with several answers allowed each option of it
("topics/work": yes or no). Counts are exact and for the gate only: nothing here may leave as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from flows.flow import Flow
from insights.tables import Line, Table

ASKER: Final = "asker"
UNKNOWN: Final = "unknown"
VARIABLES: Final = tuple(
    "activity age_band channel country gender language link office region".split()
)
"""What an ask may be broken down by; the asker is told without being declared."""

RESPONDED, BEGAN, SILENT = STEPS = ("responded", "began", "silent")
"""How far somebody came who was invited: to the end, not so far, or nowhere."""

Place = tuple[str, ...]
Newest = Mapping[str, Mapping[str, Sequence[datetime]]]
"""By line and option when the latest answers were given, RULE.fewest of them or all."""


@dataclass(frozen=True, slots=True)
class Tallied:
    """A question whose options are counted."""

    id: str
    options: tuple[str, ...]
    many: bool

    @property
    def lines(self) -> Mapping[str, tuple[str, ...]]:
        """The lines of the question, with their options."""
        if self.many:
            return {f"{self.id}/{option}": ("yes", "no") for option in self.options}
        return {self.id: self.options}


def tallied(flow: Flow) -> tuple[Tallied, ...]:
    """Return the questions of a flow whose options are counted; the others have only an n."""
    return tuple(
        Tallied(one.id, tuple(one.values()), one.several) for one in flow.questions if one.told
    )


class Counts(Protocol):
    """The counts of one ask as they are now."""

    def heads(self) -> Mapping[str, int]:
        """Return how many were sent the ask, got and read it, began, ended, answered each."""

    def lines(
        self, questions: Sequence[Tallied], before: datetime | None = None
    ) -> Mapping[str, Line]:
        """Return the people of each option by line; with `before` only what was answered then."""

    def newest(self, questions: Sequence[Tallied]) -> Newest:
        """Return when the latest answers of each option were given."""

    def tables(
        self,
        questions: Sequence[Tallied],
        variables: Sequence[str],
        before: datetime | None = None,
    ) -> Mapping[str, Mapping[Place, Line]]:
        """Return the people of each option by line and their values of one or two variables."""

    def askers(self) -> Table:
        """Return how far the invited came (STEPS) by who asked them."""

    def flagged(self) -> Line:
        """Return who came to the end by whether anything marks their passage."""
