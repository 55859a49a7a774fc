"""A release of an ask: which figures move since the last one, and the document that leaves.

Nothing here knows where counts come from, nor where releases are kept: `moved` says what may be
told after all that was told before, `told` writes it down.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from flows.flow import Flow
from insights import breaking, publishing
from insights.comparing import askers, comparisons
from insights.comparison_words import sentences
from insights.counted import ASKER, Counts, Tallied, tallied
from insights.disclosure import Figure, Reason
from insights.heads import told_heads
from insights.results import (
    AsOf,
    Document,
    Ledger,
    Rows,
    Suppressed,
    always_asked,
    asked,
    document,
    marked,
)
from insights.tables import Line

NOTHING_YET: Final = Ledger({}, {})
_REACHED: Final = frozenset({"sent", "delivered", "read"})
_NOBODY: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ReleasedAsk:
    """An ask as the gate knows it: its flow, what it is broken down by, who asked in whose name.

    `votes` are the votes of a secret ask at its end, None of a named one or before. `askers` has
    the kind and name of each by id, of several; it is empty when there was no choice.
    """

    flow: Flow
    breakdowns: Sequence[Sequence[str]] = ()
    askers: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NOBODY)
    secret: bool = False
    votes: Mapping[str, int] | None = None

    @property
    def variables(self) -> Iterator[str]:
        """What the answers are told by, each once or more."""
        yield from (name for one in self.breakdowns for name in one)
        if self.askers:
            yield ASKER


def moved(
    ask: ReleasedAsk, counts: Counts, before: Ledger, *, final: bool, now: datetime
) -> Ledger:
    """Return what may be told of an ask now, after all that was told before."""
    counted = tallied(ask.flow)
    if ask.secret:
        return _secret(ask, counts, before, final=final, now=now)
    by_rows = bool(ask.breakdowns)
    heads = told_heads(counts.heads(), before.heads, final=final, by_rows=by_rows)
    so_far = replace(before, heads=heads.told, figures=heads.figures)
    if final:
        return replace(so_far, lines=_closed(counts.lines(counted), before, now))
    always = always_asked(ask.flow)
    asked_all = [one for one in counted if one.id in always]
    so_far = replace(so_far, lines=_live(counts, asked_all, before))
    return _by_rows(ask, counts, so_far) if asked_all == list(counted) else so_far


def told(ask: ReleasedAsk, counts: Counts, ledger: Ledger, *, final: bool) -> Document:
    """Return the document of a release."""
    found = _figures(ask, counts, ledger, final=final)
    marks = marked(counts.flagged()) if final else Figure(None, Reason.AT_CLOSE)
    found["flagged"] = Suppressed(found["suppressed"]).value("flagged", marks)
    return found


def _by_rows(ask: ReleasedAsk, counts: Counts, so_far: Ledger) -> Ledger:
    """Let breakdowns move while people answer, of an ask with a single question of one answer.

    Of several questions or answers the tables are as of different moments; they wait for the end.
    """
    counted = tallied(ask.flow)
    if len(counted) != 1 or counted[0].many or not ask.breakdowns:
        return so_far
    line = so_far.lines.get(counted[0].id)
    if line is None:
        return so_far
    if not so_far.history or so_far.history[-1] != line:
        so_far = replace(so_far, history=(*so_far.history, line))
    living = breaking.live(counts, ask.breakdowns, counted[0], so_far)
    return replace(so_far, living=living)


def _live(counts: Counts, questions: Sequence[Tallied], before: Ledger) -> Mapping[str, AsOf]:
    """Move the lines that may move while people answer."""
    found = dict(before.lines)
    now = counts.lines(questions)
    last = {name: one.told for name, one in found.items()}
    ready = {name for name in now if publishing.ready(now[name], last.get(name))}
    newest = counts.newest(questions) if ready else {}
    for name in ready:
        at = publishing.moment(now[name], newest[name], last.get(name))
        if at is not None:
            then = counts.lines(questions, before=at)[name]
            line = publishing.moved(then, now[name], last.get(name))
            if line is not None:
                found[name] = AsOf(line, at)
    return found


def _closed(lines: Mapping[str, Line], before: Ledger, now: datetime) -> Mapping[str, AsOf]:
    found = {}
    for name, line in lines.items():
        last = before.lines.get(name)
        end = publishing.closed(line, last.told if last else None)
        if end is not None:
            found[name] = last if last and end is last.told else AsOf(end, now)
    return found


def _secret(
    ask: ReleasedAsk, counts: Counts, before: Ledger, *, final: bool, now: datetime
) -> Ledger:
    """A secret poll tells whom it reached, and at its end the votes; nothing in between."""
    seen = {name: people for name, people in counts.heads().items() if name in _REACHED}
    counted = tallied(ask.flow)
    if not final or not counted:
        heads = told_heads(seen, before.heads, final=final)
        return Ledger(heads.told, {}, figures=heads.figures)
    votes = ask.votes or {}
    line = {option: int(votes.get(option, 0)) for option in counted[0].options}
    voted = {f"n.{counted[0].id}": sum(line.values()), "completed": sum(line.values())}
    heads = told_heads({**seen, **voted}, before.heads, final=True)
    lines = _closed({counted[0].id: line}, before, now)
    return Ledger(heads.told, lines, figures=heads.figures)


def _figures(ask: ReleasedAsk, counts: Counts, ledger: Ledger, *, final: bool) -> Document:
    questions = asked(ask.flow, ledger, secret=ask.secret, final=final)
    if ask.secret or not final:
        name = next((one.id for one in questions if one.options), "")
        rows = breaking.live_rows(name, ledger)
        found = document(questions, ledger, rows, final=final)
        return found | {"askers": [], "comparisons": []}
    always = always_asked(ask.flow)
    counted = [one for one in tallied(ask.flow) if one.id in always]
    tables = list(breaking.rows(counts, ask.breakdowns, counted, ledger))
    rates, by_asker = _by_asker(ask, counts, counted, ledger)
    found = document(questions, ledger, [*tables, *by_asker], final=True)
    compared = askers(rates) if rates else []
    found["askers"] = [{**one, **ask.askers.get(one["asker"], {})} for one in compared]
    called = {who: one["name"] for who, one in ask.askers.items()}
    found["comparisons"] = [
        {**one, "sentences": sentences(one, ask.flow, called)}
        for one in comparisons(rates, by_asker)
    ]
    return found


def _by_asker(
    ask: ReleasedAsk, counts: Counts, questions: Sequence[Tallied], ledger: Ledger
) -> tuple[Rows | None, Sequence[Rows]]:
    """What is told by asker: rates where it is told how many of all responded, then answers."""
    responses = [ledger.figures[name].value for name in ("sent", "responded")]
    if not ask.askers or None in responses:
        return None, ()
    invited = counts.askers()
    rates = breaking.rates(invited)
    if rates is None:
        return None, ()
    return rates, list(breaking.by_asker(counts, questions, ledger, invited, rates))
