"""An attacker reads everything that was told of a made-up poll: documents, and bands of relays."""

from collections.abc import Mapping, Sequence
from typing import Any

from insights.tables import OTHER
from tests.insights.known import BATCH, OPTION, PLACE, UNKNOWN_ASKER, Known
from tests.insights.polled import ASKERS, Look, Poll
from tests.insights.unknowns import Wanted, among, at, between, but, by

HEADS = ("sent", "delivered", "read", "started", "completed", "responded")


def hear(poll: Poll, *, final: bool) -> Known:
    """Return what is known once the end was told, or before."""
    known = Known(poll, final=final)
    for number, look in enumerate(known.looks):
        _hear_heads(known, number, look)
        for one in look.document["questions"]:
            _hear_lines(known, one, look)
        for one in look.document["breakdowns"]:
            _hear_rows(known, one)
        _hear_askers(known, look.document["askers"])
        for relays, shown in look.bands:
            some = known.of.those("relays", by(0, number), among(1, relays))
            known.attacker.bounds(some, shown - 10, shown + 9)
    return known


def _hear_heads(known: Known, number: int, look: Look) -> None:
    """A number that has not moved since is of the look at which it was the truth."""
    told = look.document
    names = [name for name in HEADS if told[name] is not None]
    names += [f"n.{one['id']}" for one in told["questions"] if one["n"] is not None]
    for name in names:
        states = (known.came(name, state) for state in range(number, -1, -1))
        value = look.ledger.heads[name]
        known.attacker.learns(next(one for one in states if known.of.sum(one) == value))


def _hear_lines(known: Known, told: Mapping[str, Any], look: Look) -> None:
    counts = {one["value"]: one["count"] for one in told["options"]}
    for line, (question, _) in known.poll.lines.items():
        if question.id != told["id"] or line not in look.ledger.lines:
            continue
        then = between(BATCH, 0, known.batch(look.ledger.lines[line].at))
        which = line.partition("/")[2]
        if told["of"] is not None and (not which or counts[which] is not None):
            known.attacker.learns(known.of.those(line, then))
        for option, count in counts.items():
            if count is not None and which in ("", option):
                chosen = at(OPTION, "yes" if which else option)
                known.attacker.learns(known.of.those(line, then, chosen))


def _hear_rows(known: Known, told: Mapping[str, Any]) -> None:
    end = len(known.cuts) if told["as_of"] is None else known.batch(told["as_of"])
    for one in told["questions"]:
        named = [row["row"] for row in one["rows"]]
        for row in one["rows"]:
            inside = [between(BATCH, 0, end), *row_is(known, told["by"], row["row"], named)]
            for line, (question, _) in known.poll.lines.items():
                if question.id == one["id"] and row["n"] is not None:
                    known.attacker.learns(known.of.those(f"rows of {line}", *inside))
                    _hear_cells(known, line, row["options"], inside)


def _hear_cells(
    known: Known, line: str, told: Sequence[Mapping[str, Any]], inside: Sequence[Wanted]
) -> None:
    which = line.partition("/")[2]
    for option in told:
        if option["count"] is not None and which in ("", option["value"]):
            chosen = at(OPTION, "yes" if which else option["value"])
            known.attacker.learns(known.of.those(f"rows of {line}", *inside, chosen))


def row_is(
    known: Known,
    variables: Sequence[str],
    row: Mapping[str, str],
    named: Sequence[Mapping[str, str]] = (),
) -> list[Wanted]:
    """Who stands in a row; in that of all others, who is in none of those named beside it."""
    *above, last = variables
    place = PLACE + known.rows.index(last)
    found = [at(PLACE + known.rows.index(name), row[name]) for name in above]
    if row[last] != OTHER:
        return [*found, at(place, row[last])]
    beside = {one[last] for one in named if all(one[name] == row[name] for name in above)}
    return [*found, but(among(place, beside))]


def _hear_askers(known: Known, told: Sequence[Mapping[str, Any]]) -> None:
    others = {*ASKERS, UNKNOWN_ASKER} - {one["asker"] for one in told}
    for one in told:
        askers = others if one["asker"] == OTHER else {one["asker"]}
        for name in ("sent", "responded", "started"):
            if one[name] is not None:
                came = (known.came(name, known.never - 1, asker) for asker in askers)
                known.attacker.learns(sorted(unknown for some in came for unknown in some))
