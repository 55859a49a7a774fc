"""The results of an ask as they leave: what the gate tells, in the shape the API and pages give.

Ledger      what was told so far, exactly; it stays inside, sealed
Breakdowns  what is told at the end by rows
document    both as one mapping for JSON: counts, shares, and why a figure is missing
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flows.conditions import fields
from flows.flow import Flow
from flows.questions.base import Question
from insights.counted import Tallied, tallied
from insights.disclosure import RULE, Figure, Reason, figure
from insights.living import Living
from insights.publishing import Told
from insights.tables import Line, Shape, Table, people, told_apart

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AsOf:
    """A line as it was told, and the moment whose state it is."""

    told: Told
    at: datetime

    def to_json(self) -> list[Any]:
        """Return it as JSON takes it."""
        return [dict(self.told.line), list(self.told.apart), self.at.isoformat()]

    @classmethod
    def from_json(cls, kept: list[Any]) -> "AsOf":
        """Return what `to_json` gave."""
        line, apart, at = kept
        return cls(Told(line, tuple(apart)), datetime.fromisoformat(at))


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was told of an ask so far: numbers of people, lines of options, and these by rows.

    `figures` is how the numbers of people leave now; what was told of each last is in `heads`.
    `history` has every state of the line that may be told by rows while people answer, `living`
    what was told of it by each variable.
    """

    heads: Mapping[str, int]
    lines: Mapping[str, AsOf]
    history: tuple[AsOf, ...] = ()
    living: Mapping[str, Living] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict, compare=False)

    def to_json(self) -> Document:
        """Return it as JSON takes it."""
        return {
            "heads": dict(self.heads),
            "lines": {name: one.to_json() for name, one in self.lines.items()},
            "history": [one.to_json() for one in self.history],
            "living": {name: one.to_json() for name, one in self.living.items()},
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Ledger":
        """Return what `to_json` gave."""
        return cls(
            kept["heads"],
            {name: AsOf.from_json(one) for name, one in kept["lines"].items()},
            tuple(AsOf.from_json(one) for one in kept["history"]),
            {name: Living.from_json(one) for name, one in kept["living"].items()},
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: its options if they are counted, and why it is not told, if it is not."""

    id: str
    options: Tallied | None
    untold: Reason | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """One line broken down: by what, within which row of the first variable, and what is told.

    `at` is the moment whose state it is, unless that is the end.
    """

    by: str
    within: tuple[str, str] | None
    line: str
    table: Table
    shape: Shape
    at: datetime | None = None


def asked(flow: Flow, ledger: Ledger, *, secret: bool, final: bool) -> tuple[Asked, ...]:
    """Return the questions of an ask, with the reasons why some are not told now."""
    counted = {one.id: one for one in tallied(flow)}
    return tuple(
        Asked(one.id, counted.get(one.id), _untold(flow, one, ledger, secret, final))
        for one in flow.questions
        if one.waits
    )


def always_asked(flow: Flow) -> frozenset[str]:
    """Return the questions that everybody is asked."""
    return frozenset(one.id for one in flow.questions if one.when is None)


def _untold(
    flow: Flow, question: Question, ledger: Ledger, secret: bool, final: bool
) -> Reason | None:
    """Why a question is not told: the poll is secret and open, or only some were asked it.

    How many were asked tells how many gave the answer it hangs on. So it waits for the end, and is
    told only if every option of that answer is told, and enough people were not asked.
    """
    if not final and (secret or question.when is not None):
        return Reason.AT_CLOSE
    if question.when is None:
        return None
    counted = {one.id: one for one in tallied(flow)}
    names = fields(question.when)
    told = all(_all_told(counted[name], ledger) for name in names if name in counted)
    others = ledger.heads.get("completed", 0) - ledger.heads.get(f"n.{question.id}", 0)
    certain = names <= set(counted) and names <= always_asked(flow)
    return None if told and (certain or others >= RULE.fewest) else Reason.HEAPED


def _all_told(options: Tallied, ledger: Ledger) -> bool:
    lines = [ledger.lines.get(name) for name in options.lines]
    return all(one is not None and set(one.told.apart) == set(one.told.line) for one in lines)


class Suppressed:
    """Collects the figures that are not told, after those given."""

    def __init__(self, rows: list[Mapping[str, str]] | None = None) -> None:
        self.rows: list[Mapping[str, str]] = [] if rows is None else rows

    def value(self, name: str, told: Figure) -> int | None:
        """Return the value of a figure; note the reason where there is none."""
        if told.reason is not None:
            self.note(name, told.reason)
        return told.value

    def note(self, name: str, reason: Reason) -> None:
        """Note that a figure is not told."""
        self.rows.append({"figure": name, "reason": reason.value})


def document(
    questions: Sequence[Asked],
    ledger: Ledger,
    rows: Sequence[Rows],
    *,
    final: bool,
) -> Document:
    """Return the results as they leave."""
    missing = Suppressed()
    heads = {name: missing.value(name, one) for name, one in ledger.figures.items()}
    told = {
        **heads,
        "rates": _rates(heads),
        "questions": [_question(one, ledger, final, missing) for one in questions],
        "breakdowns": list(_breakdowns(questions, rows, missing)),
        "final": final,
    }
    if not final and not rows:
        missing.note("breakdowns", Reason.WAITS if ledger.history else Reason.AT_CLOSE)
    return told | {"suppressed": missing.rows}


def head(count: int | None, otherwise: Reason) -> Figure:
    """Return a number of people as it leaves."""
    return Figure(None, otherwise) if count is None or count < RULE.fewest else figure(count)


def marked(line: Line) -> Figure:
    """Return how many of a line of Counts.flagged are marked; enough people must be clear, too."""
    if len(told_apart(line) or ()) < len(line):
        return Figure(None, Reason.HEAPED)
    return figure(line["flagged"])


def _rates(heads: Mapping[str, int | None]) -> Document:
    """Whole percents of numbers that are told: they tell nothing more."""

    def rate(part: str, whole: str) -> int | None:
        some, of = heads[part], heads[whole]
        return None if some is None or not of else min(100, round(100 * some / of))

    return {
        "delivered": rate("delivered", "sent"),
        "read": rate("read", "sent"),
        "response": rate("responded", "sent"),
        "completion": rate("completed", "started"),
    }


def _question(question: Asked, ledger: Ledger, final: bool, missing: Suppressed) -> Document:
    name = f"questions.{question.id}"
    count = None if question.untold else ledger.heads.get(f"n.{question.id}")
    n = missing.value(f"{name}.n", head(count, question.untold or Reason.FEW))
    told: Document = {"id": question.id, "n": n, "of": None, "as_of": None, "options": []}
    if question.options is None:
        return told
    lines = {} if question.untold else ledger.lines
    otherwise = question.untold or (Reason.HEAPED if final else Reason.WAITS)
    for option, line, which in cells(question.options):
        as_of = lines.get(line)
        shown = Figure(None, otherwise) if as_of is None else _option(as_of.told, which)
        missing.value(f"{name}.{option}", shown)
        told["options"].append({"value": option, "count": shown.value, "share": shown.share})
        if as_of is not None:
            told["of"] = figure(people(as_of.told.line)).value
            told["as_of"] = as_of.at
    return told


def cells(options: Tallied) -> Iterator[tuple[str, str, str]]:
    """Yield each option of a question, its line, and what it is called there."""
    for option in options.options:
        if options.many:
            yield option, f"{options.id}/{option}", "yes"
        else:
            yield option, options.id, option


def _option(told: Told, option: str) -> Figure:
    return _cell(told.line, option, told.apart)


def _cell(line: Line, option: str, apart: Iterable[str]) -> Figure:
    if option not in apart:
        return Figure(None, Reason.HEAPED)
    return figure(line[option], whole(line, apart))


def whole(line: Line, apart: Iterable[str]) -> int:
    """Return what shares of a line are taken of: where all its options are told, their sum.

    These are rounded: shares of a rounded n would not add up to a hundred.
    """
    if set(apart) < set(line):
        return people(line)
    return sum(figure(count).value or 0 for count in line.values())


def _breakdowns(
    questions: Sequence[Asked], rows: Sequence[Rows], missing: Suppressed
) -> Iterator[Document]:
    tables: dict[tuple[str, ...], dict[str, list[Rows]]] = {}
    for one in rows:
        by = (*(one.within[:1] if one.within else ()), one.by)
        tables.setdefault(by, {}).setdefault(one.line.partition("/")[0], []).append(one)
    for by, lines in tables.items():
        told = [
            {"id": one.id, "rows": list(_rows(by, one.options, lines[one.id], missing))}
            for one in questions
            if one.options is not None and one.id in lines
        ]
        as_of = max((one.at for one in rows if one.at and one.by == by[-1]), default=None)
        yield {"by": list(by), "as_of": as_of, "questions": told}


def _rows(
    by: tuple[str, ...], options: Tallied, told: Sequence[Rows], missing: Suppressed
) -> Iterator[Document]:
    """One row a place; with several answers allowed, its cells come from as many lines."""
    found = {(one.within, one.line): one for one in told}
    for within in dict.fromkeys(one.within for one in told):
        lines = [line for _, line, _ in cells(options)]
        first = next(found[within, line] for line in lines if (within, line) in found)
        for row in sorted(first.table, key=lambda one: -people(first.table[one])):
            place = {**({within[0]: within[1]} if within else {}), by[-1]: row}
            name = ".".join(("breakdowns", *by, options.id, *place.values()))
            row_options = []
            for option, line, which in cells(options):
                table = found.get((within, line))
                full = table is not None and row in table.shape.full
                shown = (
                    _cell(table.table[row], which, table.shape.apart)
                    if table is not None and full
                    else Figure(None, Reason.HEAPED)
                )
                missing.value(f"{name}.{option}", shown)
                row_options.append({"value": option, "count": shown.value, "share": shown.share})
            yield {
                "row": place,
                "n": figure(people(first.table[row])).value,
                "options": row_options,
            }
