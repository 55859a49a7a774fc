"""A day, a month or a year."""

from collections.abc import Mapping
from typing import ClassVar, Final

from flows.dates import DAY, MONTH, YEAR, read_when, show
from flows.questions.base import Answer, At, Frame, Picking, Problem, Question, Reading, Shown
from flows.questions.search import offered, typed_number
from flows.spec import Spec

_HELP: Final = {
    DAY: ("help_date", "example_date"),
    MONTH: ("help_month", "example_month"),
    YEAR: ("help_year", "example_year"),
}


class Date(Question):
    """A date to the `precision` of day, month or year; the value is ISO 8601, cut to it.

    `earliest` and `latest` bound it. When day and month can be exchanged, both are offered.
    """

    type = "date"
    sample = "1 February 2001"
    ordered = True
    six_digits = True
    keys: ClassVar[tuple[str, ...]] = ("precision", "earliest", "latest")
    example: ClassVar[Mapping[str, object]] = {
        "id": "arrived",
        "type": "date",
        "text": {"en": "When did you arrive?"},
        "precision": "month",
        "earliest": "1940",
    }

    def __init__(self, frame: Frame, spec: Spec) -> None:
        super().__init__(frame, spec)
        self.precision = spec.string("precision", DAY)
        if self.precision not in _HELP:
            raise spec.fault("precision", f"must be one of: {', '.join(_HELP)}")
        self.help = _HELP[self.precision]
        self.earliest, self.latest = _bound(spec, "earliest"), _bound(spec, "latest")

    def style(self, at: At) -> str:
        return "search" if at.picked else "none"

    def shown(self, at: At) -> tuple[Shown, ...]:
        return offered(at.picked, lambda value: self.label(value, at.language))

    def read(self, text: str, normalised: str, at: At) -> Reading:
        numbered = typed_number(normalised, at.picked)
        if numbered is not None:
            return Answer(numbered)
        found = read_when(text, self.precision)
        if not found:
            return Problem()
        within = tuple(value for value in found if self._is_within(value))
        if not within:
            return self._outside(at.language)
        return Answer(within[0]) if len(within) == 1 else Picking(within)

    def press(self, value: str, at: At) -> Reading | None:
        found = read_when(value, self.precision)
        return Answer(value) if found == (value,) and self._is_within(value) else None

    def label(self, value: str, language: str) -> str:
        return show(value, language)

    def _is_within(self, value: str) -> bool:
        """Whether the date is between the bounds; texts of ISO 8601 are in order of time."""
        after = not self.earliest or value[: len(self.earliest)] >= self.earliest[: len(value)]
        return after and (not self.latest or value[: len(self.latest)] <= self.latest[: len(value)])

    def _outside(self, language: str) -> Problem:
        if not (self.earliest and self.latest):
            return Problem()
        least, most = show(self.earliest, language), show(self.latest, language)
        return Problem("date_between", {"least": least, "most": most})


def _bound(spec: Spec, key: str) -> str:
    value = spec.string(key, "")
    if value and value not in (found for one in _HELP for found in read_when(value, one)):
        raise spec.fault(key, "must be a date such as 2001, 2001-02 or 2001-02-03")
    return value
