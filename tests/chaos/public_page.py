"""The public result of a poll, read as its readers do: pages in each language, a table, JSON."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.officer import Officer
from tests.chaos.poll_words import OUTCOME
from tests.chaos.roll import LANGUAGES

_FIGURE = re.compile(r'<span class="figure"><b>\d+%</b> <small>([\d,]+)</small></span>')
_OPEN = ("started", "completed", "questions")


@dataclass(frozen=True)
class PublicPage:
    """What /r/ shows to anybody."""

    pages: Mapping[str, str]
    table: str
    told: Mapping[str, Any]

    def faults(self, results: Mapping[str, Any]) -> list[Any]:
        """Where it says something else than the API's results."""
        faults: list[Any] = [
            (name, self.told.get(name), results[name])
            for name in _OPEN
            if self.told.get(name) != results[name]
        ]
        counts = list(_counts(results))
        if self._of_table() != counts:
            faults.append(("csv", self._of_table(), counts))
        shown = [count for _, _, count in counts if count is not None]
        for language, page in self.pages.items():
            figures = [int(found.replace(",", "")) for found in _FIGURE.findall(page)]
            if figures != shown:
                faults.append(("page", language, figures, shown))
            if OUTCOME[language] not in page:
                faults.append(("page", language, "does not say what will be done"))
        return faults

    def _of_table(self) -> list[tuple[str, str, int | None]]:
        rows = csv.DictReader(io.StringIO(self.table))
        return [
            (row["question"], row["option"], int(row["count"]) if row["count"] else None)
            for row in rows
            if row["option"] and not row["by"]
        ]


def read(officer: Officer, code: str) -> PublicPage:
    """Ask for everything, without a key."""
    path = f"/r/{code}"
    pages = {one: officer.public(f"{path}?lang={one}") for one in LANGUAGES}
    return PublicPage(
        pages, officer.public(f"{path}.csv"), json.loads(officer.public(f"{path}.json"))
    )


def _counts(results: Mapping[str, Any]) -> Sequence[tuple[str, str, int | None]]:
    return [
        (question["id"], option["value"], option["count"])
        for question in results["questions"]
        for option in question["options"]
    ]
