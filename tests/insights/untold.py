"""Which sums of people in a made-up poll are to stay hidden: handfuls, and cells not told."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, permutations
from typing import Any

from insights.tables import OTHER
from tests.insights.attacker import WIDE
from tests.insights.hearing import row_is
from tests.insights.known import BATCH, OPTION, PLACE, REACHED, Known
from tests.insights.polled import ASKERS, RELAYS, Look
from tests.insights.unknowns import at, between, by

Found = Iterator[tuple[str, list[int]]]
NESTED = (
    ("sent", "delivered"),
    ("sent", "read"),
    ("delivered", "read"),
    ("sent", "responded"),
    ("sent", "started"),
    ("started", "completed"),
    ("completed", "responded"),
)
"""Who is in the first and not in the second is a group of its own."""


def untold(known: Known) -> dict[str, list[int]]:
    """Return every sum that must stay ten people wide, by what it is of."""
    found = [_handfuls(known), _by_relay(known), _options(known), _differences(known)]
    if known.rows and known.final:
        found += [_cells(known), _handfuls_by_row(known)]
    return {name: unknowns for each in found for name, unknowns in each if unknowns}


def _few(known: Known, name: str, unknowns: list[int]) -> Found:
    if 0 < known.of.sum(unknowns) < WIDE:
        yield name, unknowns


def _looks(known: Known) -> Sequence[int]:
    """At the end only of the end: there a number may move by fewer than ten, to the truth."""
    return (known.never - 1,) if known.final else range(known.never - 1)


def _handfuls(known: Known) -> Found:
    """Who made one step and not another, by every look; at the end by asker, too."""
    numbers = [f"n.{one}" for one in known.questions]
    pairs = [*NESTED, *((outer, n) for outer in ("started", "completed") for n in numbers)]
    pairs += permutations(numbers, 2)
    for look in _looks(known):
        for asker in (None, *(ASKERS if known.final else ())):
            for one, other in pairs:
                if asker is None or not {one, other} & set(REACHED[1:]):
                    yield from _without(known, one, other, look, asker)


def _without(known: Known, one: str, other: str, look: int, asker: str | None) -> Found:
    if other in REACHED[1:]:
        some = known.of.those("reached", by(REACHED.index(one), look))
    else:
        some = known.came(one, look, asker)
    beside = set(known.came(other, look, asker))
    name = f"{one} without {other} of {asker} by look {look}"
    yield from _few(known, name, [each for each in some if each not in beside])


def _by_relay(known: Known) -> Found:
    for number in () if _by_one(known) else _looks(known):
        told = {one for rows, _ in known.looks[number].bands for one in rows}
        for relay in RELAYS.keys() - told:
            some = known.of.those("relays", by(0, number), at(1, relay))
            if known.of.sum(some):
                yield f"by {relay} by look {number}", some


def _by_one(known: Known) -> bool:
    """Whether one relay had brought everybody at some look, which is told."""
    for number in range(known.never):
        came = {
            known.of.kinds[one][1]
            for one in known.of.those("relays", by(0, number))
            if known.of.truth[one]
        }
        if len(came) == 1 and None not in came:
            return True
    return False


def _options(known: Known) -> Found:
    """Options that stood hidden in a line that was told, or at the end."""
    for look in known.looks:
        final = known.final and look is known.looks[-1]
        for line, (_, options) in known.poll.lines.items():
            told, which = look.ledger.lines.get(line), line.partition("/")[2]
            shown = _shown_options(known, look, line)
            if (told is None and not final) or (which or None) in shown:
                continue
            then = between(BATCH, 0, known.batch(told.at) if told else len(known.cuts))
            for option in options:
                if which or option not in shown:
                    some = known.of.those(line, then, at(OPTION, option))
                    yield f"{line} {option} at {look.at}", some


def _shown_options(known: Known, look: Look, line: str) -> set[str]:
    question, _ = known.poll.lines[line]
    [told] = [one for one in look.document["questions"] if one["id"] == question.id]
    return {one["value"] for one in told["options"] if one["count"] is not None}


def _differences(known: Known) -> Found:
    """Options that fewer than ten people chose between two states that were told."""
    for line, (_, options) in known.poll.lines.items():
        states = [one.ledger.lines[line].at for one in known.looks if line in one.ledger.lines]
        for before, after in pairwise(map(known.batch, dict.fromkeys(states))):
            for option in options:
                some = known.of.those(line, between(BATCH, before, after), at(OPTION, option))
                if known.of.sum(some) < WIDE:
                    yield f"{line} {option} between {before} and {after}", some


def _cells(known: Known) -> Found:
    """Cells and rows of breakdowns that were not told at the end."""
    told = {tuple(one["by"]): one["questions"] for one in known.looks[-1].document["breakdowns"]}
    for variables in {*map(tuple, known.poll.ask.breakdowns), *told}:
        rows = {one["id"]: one["rows"] for one in told.get(variables, ())}
        for line, (question, _) in known.poll.lines.items():
            for place in _places(known, line, variables):
                shown = _shown(rows.get(question.id, ()), variables, place)
                yield from _cells_of(known, line, variables, place, shown)


def _cells_of(
    known: Known,
    line: str,
    variables: Sequence[str],
    place: Sequence[str],
    shown: set[str] | None,
) -> Found:
    inside = row_is(known, variables, dict(zip(variables, place, strict=True)))
    if shown is None:
        yield from _few(known, f"{line} of {place}", known.of.those(f"rows of {line}", *inside))
    for option in known.poll.lines[line][1]:
        if (line.partition("/")[2] or option) not in (shown or ()):
            some = known.of.those(f"rows of {line}", *inside, at(OPTION, option))
            yield f"{line} {option} of {place}", some


def _places(known: Known, line: str, variables: Sequence[str]) -> set[tuple[str, ...]]:
    places = [PLACE + known.rows.index(name) for name in variables]
    cells = [one for one in known.of.tables[f"rows of {line}"] if known.of.truth[one]]
    return {tuple(known.of.kinds[one][place] for place in places) for one in cells}


def _shown(
    rows: Sequence[Mapping[str, Any]], variables: Sequence[str], place: Sequence[str]
) -> set[str] | None:
    """The options told of a row; None if the row is not told by its name."""
    for row in rows:
        if [row["row"][name] for name in variables] == list(place) and place[-1] != OTHER:
            return {one["value"] for one in row["options"] if one["count"] is not None}
    return None


def _handfuls_by_row(known: Known) -> Found:
    """Who in a row answered one question and not another."""
    many = len(known.questions)
    for place, name in enumerate(known.rows, start=many):
        for (row,) in known.of.values("rows", slice(place, place + 1)):
            for one, other in permutations(range(many), 2):
                some = known.of.those("rows", at(place, row), at(one, True), at(other, False))
                yield from _few(known, f"{name} {row}: question {one} without {other}", some)
