"""Where one person stands in one flow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Value: TypeAlias = str | int | float | bool | list[str]

SEALED: Final = "\u2022"
"""Stands for an answer whose value lives sealed elsewhere."""
SKIPPED: Final = "\u2205"
"""Stands for a question the person chose not to answer."""
SHOWN: Final = "\u2713"
"""Stands for a note that was shown."""

WAITING: Final = "waiting"
COMPLETE: Final = "complete"
STOPPED: Final = "stopped"


@dataclass(frozen=True, slots=True)
class State:
    """The answers so far and the question that waits; everything the engine remembers.

    `known` holds facts from outside that the flow's conditions mention. `picked` holds toggled
    options of a multiple choice, or the matches offered by a search. `guess` is a value waiting
    for "did you mean"; `hinted` when it comes from `hints`, the likely answers from outside by
    question, such as the country of a phone number. `page` is the page of a long list, or 1 when a
    consent tells more. `seed` is the chance by which options are put in order.
    """

    flow: str
    version: int
    tag: str
    language: str
    answers: Mapping[str, Value] = field(default_factory=dict)
    asked: str | None = None
    attempts: int = 0
    page: int = 0
    picked: tuple[str, ...] = ()
    guess: str | None = None
    status: str = WAITING
    known: Mapping[str, Value] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)
    hinted: bool = False
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """The state as JSON-able values; defaults are left out to keep rows small."""
        row: dict[str, Any] = {
            "flow": self.flow,
            "version": self.version,
            "tag": self.tag,
            "language": self.language,
            "answers": dict(self.answers),
            "asked": self.asked,
            "status": self.status,
        }
        rest: dict[str, Any] = {
            "attempts": self.attempts,
            "page": self.page,
            "picked": list(self.picked),
            "known": dict(self.known),
            "hints": dict(self.hints),
            "hinted": self.hinted,
            "seed": self.seed,
        }
        row |= {name: value for name, value in rest.items() if value}
        if self.guess is not None:
            row["guess"] = self.guess
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "State":
        """The state that `to_json` wrote."""
        return cls(
            flow=row["flow"],
            version=row["version"],
            tag=row["tag"],
            language=row["language"],
            answers=dict(row["answers"]),
            asked=row["asked"],
            attempts=row.get("attempts", 0),
            page=row.get("page", 0),
            picked=tuple(row.get("picked", ())),
            guess=row.get("guess"),
            status=row["status"],
            known=dict(row.get("known", {})),
            hints=dict(row.get("hints", {})),
            hinted=row.get("hinted", False),
            seed=row.get("seed", 0),
        )
