"""Made-up polls as people pass through them, and everything that is told of them over time.

Who was sent it, got it, read it, began, answered or skipped each question, came to the end, by whom
and when; in which rows they stand. What is told is what leaves: documents of releases, and bands of
relays, made by the code that serves them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from insights import releases
from insights.counted import STEPS, Newest, Place, Tallied, tallied
from insights.disclosure import RULE
from insights.reach import band, told_rows
from insights.releases import NOTHING_YET, ReleasedAsk
from insights.results import Document, Ledger
from insights.tables import Line, Table

START = datetime(2026, 3, 1, tzinfo=UTC)
RELAYS: Mapping[str, str | None] = {"r1": None, "r2": "r1", "r3": None}
"""Each relay with the one above it."""
ASKERS = ("consulate", "leader", "peer")


@dataclass(frozen=True)
class Passed:
    """One person's way through a poll: seconds since it opened, None for what never was."""

    sent: int | None
    delivered: int | None
    read: int | None
    relay: str | None
    asker: str | None
    began: int | None
    ended: int | None
    answers: Mapping[str, tuple[int, Sequence[str]]]
    """By question when it was answered, and the options chosen; who skipped it is not there."""
    skips: Mapping[str, int]
    """By question when it was skipped."""
    rows: Mapping[str, str]
    flagged: bool

    @property
    def completed(self) -> int | None:
        """When the end was reached, by who has said anything."""
        return self.ended if self.answers else None


@dataclass(frozen=True)
class CountedAt:
    """The counts of a made-up poll at a moment (insights.counted.Counts)."""

    people: Sequence[Passed]
    at: int

    def came(self, when: int | None) -> bool:
        return when is not None and when < self.at

    def heads(self) -> Mapping[str, int]:
        steps = ("sent", "delivered", "read", "began", "completed")
        found = {name: sum(self.came(getattr(one, name)) for one in self.people) for name in steps}
        found["started"] = found.pop("began")
        both = [one for one in self.people if self.came(one.sent) and self.came(one.completed)]
        answered = Counter(
            question
            for one in self.people
            for question, (when, _) in one.answers.items()
            if self.came(when)
        )
        named = {f"n.{question}": count for question, count in answered.items()}
        return found | named | {"responded": len(both)}

    def cells(
        self, questions: Sequence[Tallied], before: datetime | None = None
    ) -> Iterator[tuple[str, str, Passed, datetime]]:
        """Every person's option in every line, and when it was chosen."""
        for one in self.people:
            for question in questions:
                when, chosen = one.answers.get(question.id, (None, ()))
                at = None if when is None else START + timedelta(seconds=when)
                if at is None or not self.came(when) or (before is not None and at >= before):
                    continue
                for line in question.lines:
                    yes = "yes" if line.partition("/")[2] in chosen else "no"
                    yield line, yes if question.many else chosen[0], one, at

    def lines(
        self, questions: Sequence[Tallied], before: datetime | None = None
    ) -> Mapping[str, Line]:
        found = {
            line: dict.fromkeys(options, 0)
            for one in questions
            for line, options in one.lines.items()
        }
        for line, option, _, _ in self.cells(questions, before):
            found[line][option] += 1
        return found

    def newest(self, questions: Sequence[Tallied]) -> Newest:
        found: dict[str, dict[str, list[datetime]]] = {}
        for line, option, _, at in self.cells(questions):
            found.setdefault(line, {}).setdefault(option, []).append(at)
        return {
            line: {option: sorted(times)[-RULE.fewest :] for option, times in of.items()}
            for line, of in found.items()
        }

    def tables(
        self,
        questions: Sequence[Tallied],
        variables: Sequence[str],
        before: datetime | None = None,
    ) -> Mapping[str, Mapping[Place, Line]]:
        options = {line: of for one in questions for line, of in one.lines.items()}
        found: dict[str, dict[Place, dict[str, int]]] = {line: {} for line in options}
        for line, option, one, _ in self.cells(questions, before):
            place = tuple(row_of(one, name) for name in variables)
            found[line].setdefault(place, dict.fromkeys(options[line], 0))[option] += 1
        return found

    def askers(self) -> Table:
        found: dict[str, dict[str, int]] = {}
        for one in self.people:
            if self.came(one.sent):
                line = found.setdefault(row_of(one, "asker"), dict.fromkeys(STEPS, 0))
                began = "began" if self.came(one.began) else "silent"
                line["responded" if self.came(one.completed) else began] += 1
        return found

    def flagged(self) -> Line:
        ended = [one for one in self.people if self.came(one.completed)]
        marked = sum(one.flagged for one in ended)
        return {"flagged": marked, "clear": len(ended) - marked}


def row_of(one: Passed, variable: str) -> str:
    return one.asker or "unknown" if variable == "asker" else one.rows[variable]


@dataclass(frozen=True)
class Look:
    """What was told at a moment: the document, the ledger behind it, and relays in bands."""

    at: int
    document: Document
    ledger: Ledger
    bands: Sequence[tuple[frozenset[str], int]]


@dataclass
class Poll:
    """A made-up poll, its people, when somebody looked, and what they saw."""

    ask: ReleasedAsk
    people: Sequence[Passed]
    looks: Sequence[int]
    told: list[Look] = field(default_factory=list)

    @property
    def lines(self) -> Mapping[str, tuple[Tallied, tuple[str, ...]]]:
        counted = tallied(self.ask.flow)
        return {line: (one, of) for one in counted for line, of in one.lines.items()}

    def read(self) -> None:
        """Look at every moment; the last is the end."""
        ledger = NOTHING_YET
        for at in self.looks:
            final, counts = at == self.looks[-1], CountedAt(self.people, at)
            now = START + timedelta(seconds=at)
            ledger = releases.moved(self.ask, counts, ledger, final=final, now=now)
            told = releases.told(self.ask, counts, ledger, final=final)
            self.told.append(Look(at, told, ledger, list(self._bands(at))))

    def _bands(self, at: int) -> Iterator[tuple[frozenset[str], int]]:
        ended = [one for one in self.people if CountedAt(self.people, at).came(one.completed)]
        came = Counter(one.relay for one in ended)
        rows = told_rows({str(r): n for r, n in came.items() if r is not None}, came[None])
        for relay in RELAYS:
            told = rows & {relay, *(one for one, above in RELAYS.items() if above == relay)}
            shown = band(sum(came[one] for one in told)).value
            if shown is not None:
                yield frozenset(told), shown
