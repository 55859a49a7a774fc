"""Made-up asks: who answered what in which order, what was told of it when, and what was hidden."""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np

from insights import living, publishing
from insights.breakdowns import Breakdown, plan
from insights.living import Living
from insights.publishing import Told
from insights.tables import (
    OTHER,
    Block,
    Line,
    Shape,
    Table,
    blocks,
    gathered,
    people,
    shape,
    with_other,
)
from tests.insights.attacker import WIDE, Attacker

START = datetime(2026, 3, 1, tzinfo=UTC)
NEVER = datetime(2027, 3, 1, tzinfo=UTC)
VARIABLES = ("gender", "country", "age")
DECLARATIONS = (
    (),
    (("country",),),
    (("gender",), ("country",)),
    (("gender", "country"),),
    (("country", "gender"), ("age",)),
    (("gender", "country"), ("gender", "age")),
    (("gender",), ("country",), ("age",)),
)
Parent = tuple[str, str] | None
OPTIONS = ("a", "b", "c", "d", "e")


@dataclass(frozen=True)
class Person:
    at: datetime
    option: str
    rows: Mapping[str, str]


@dataclass(frozen=True)
class Gate:
    """What decides; a fault is put into a copy of it."""

    moment: Callable[..., datetime | None] = publishing.moment
    moved: Callable[..., Told | None] = publishing.moved
    closed: Callable[..., Told | None] = publishing.closed
    gathered: Callable[[Sequence[Table]], frozenset[str]] = gathered
    shape: Callable[[Table, Block], Shape] = shape
    told_at: Callable[..., Living | None] = living.told_at
    at_the_end: Callable[..., Living | None] = living.at_the_end


@dataclass(frozen=True)
class ToldTable:
    """A table as it was told, the rows that are one in it, and what is told of it."""

    table: Table
    small: frozenset[str]
    kept: Shape


@dataclass
class Ask:
    """One question of one ask, its people in the order they answer, and the ledger."""

    options: Block
    breakdowns: tuple[Breakdown, ...]
    people: list[Person]
    gate: Gate = field(default_factory=Gate)
    told: list[tuple[datetime, Told]] = field(default_factory=list)
    heads: list[tuple[datetime, int]] = field(default_factory=list)
    tables: dict[tuple[Parent, str], ToldTable] = field(default_factory=dict)
    live: dict[str, Living] = field(default_factory=dict)

    def line(self, some: Sequence[Person]) -> Line:
        counts = Counter(one.option for one in some)
        return {option: counts[option] for option in self.options}

    def read(self, now: datetime) -> None:
        """Somebody looks at the live figures."""
        here = [one for one in self.people if one.at < now]
        last = self.told[-1][1] if self.told else None
        before = self.heads[-1][1] if self.heads else None
        head = publishing.head_count(len(here), before, final=False)
        if head is not None and head != before:
            self.heads.append((now, head))
        line = self.line(here)
        newest = {o: [one.at for one in here if one.option == o][-10:] for o in self.options}
        moment = self.gate.moment(line, newest, last)
        if moment is None:
            return
        then = self.line([one for one in here if one.at < moment])
        told = self.gate.moved(then, line, last)
        if told is not None:
            self.told.append((moment, told))
        for one in self.breakdowns:
            self.tell_live(one.first, here)

    def tell_live(self, variable: str, here: Sequence[Person]) -> None:
        """The newest told state of the line is told by rows too, where that may be."""
        last = self.live.get(variable)
        for at, told in reversed(self.told):
            if last is not None and at <= last.states[-1][0]:
                return
            then = self.table(variable, [one for one in here if one.at < at])
            found = self.gate.told_at(at, then, self.table(variable, here), told.apart, last)
            if found is not None:
                self.live[variable] = found
                return

    def close(self) -> None:
        """The ask ends; everything is told, the breakdowns too."""
        end = self.people[-1].at + timedelta(seconds=1)
        last = self.told[-1][1] if self.told else None
        told = self.gate.closed(self.line(self.people), last)
        if told is None or told is last:
            return
        self.told.append((end, told))
        for one in self.breakdowns:
            above = self.tell_first(one.first, told.apart)
            if above is None:
                continue
            for row in (each for each in above.kept.full if each != OTHER):
                inside = [each for each in self.people if each.rows[one.first] == row]
                for second in one.seconds:
                    self.tell((one.first, row), second, inside, above.kept.apart)

    def tell_first(self, variable: str, within: Block) -> ToldTable | None:
        last = self.live.get(variable)
        if last is None:
            return self.tell(None, variable, self.people, within)
        table = self.table(variable, self.people)
        ended = self.gate.at_the_end(table, within, last)
        if ended is None:
            return None
        told = ToldTable(ended.merged(table), frozenset(table) - set(ended.rows), ended.shape)
        self.tables[None, variable] = told
        return told

    def tell(
        self, parent: Parent, variable: str, some: Sequence[Person], within: Block
    ) -> ToldTable:
        table = self.table(variable, some)
        small = self.gate.gathered([table])
        merged = with_other(table, small)
        told = ToldTable(merged, small, self.gate.shape(merged, within))
        self.tables[parent, variable] = told
        return told

    def table(self, variable: str, some: Sequence[Person]) -> Table:
        rows = sorted({one.rows[variable] for one in some})
        return {row: self.line([one for one in some if one.rows[variable] == row]) for row in rows}


def made_up(seed: int, gate: Gate, most: int = 1500, reads: int = 6) -> Ask:
    """Return an ask that was answered, read at some moments and closed; all by chance.

    With more than six reads it is one that many look at, large and broken down.
    """
    chance = random.Random(seed)
    watched = reads > 6
    declared = chance.choice(DECLARATIONS[1:] if watched else DECLARATIONS)
    options = OPTIONS[: chance.randint(2, 5)]
    sizes = {"gender": chance.randint(1, 3), "country": chance.randint(1, 6), "age": 3}
    weights = {name: _weights(chance, size) for name, size in sizes.items()}
    liking = {place: _weights(chance, len(options)) for place in range(sizes["country"])}
    ask = Ask(options, plan(declared, VARIABLES), [], gate)
    sizes_of_asks = (chance.randint(1, 60), chance.randint(20, 300), chance.randint(100, most))
    count = sizes_of_asks[2] if watched else chance.choice(sizes_of_asks)
    for number in range(count):
        rows = {name: chance.choices(range(sizes[name]), weights[name])[0] for name in VARIABLES}
        option = chance.choices(options, liking[rows["country"]])[0]
        at = START + timedelta(seconds=number)
        ask.people.append(Person(at, option, {name: f"{name}{rows[name]}" for name in VARIABLES}))
    for number in sorted(chance.sample(range(count), min(count, chance.randint(0, reads)))):
        ask.read(START + timedelta(seconds=number))
    ask.close()
    return ask


def _weights(chance: random.Random, many: int) -> list[float]:
    skew = chance.choice((0.0, 1.0, 3.0))
    return [chance.random() ** skew + 0.002 for _ in range(many)]


class Secrets:
    """What an attacker does not know: people by option and time, and by option, stretch and rows.

    A stretch lies between two moments at which a table was told.
    """

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.variables = tuple(
            dict.fromkeys(name for one in ask.breakdowns for name in (one.first, *one.seconds))
        )
        self.ends = sorted({at for at, _ in (*ask.told, *ask.heads)})
        self.turns = sorted({at for one in ask.live.values() for at, _ in one.states})
        by_time = Counter((self._batch(one.at), one.option) for one in ask.people)
        by_rows = Counter(
            (self._stretch(one.at), one.option, self._rows(one)) for one in ask.people
        )
        batches, stretches = range(len(self.ends) + 1), range(len(self.turns) + 1)
        places = list(dict.fromkeys(rows for _, _, rows in by_rows))
        places += [rows for rows in self._possible() if rows not in set(places)]
        self.times = [(batch, option) for batch in batches for option in ask.options]
        self.cells = [
            (stretch, option, rows)
            for stretch in stretches
            for option in ask.options
            for rows in places
        ]
        counts = [by_time[one] for one in self.times] + [by_rows[one] for one in self.cells]
        self.attacker = Attacker(np.array(counts, dtype=np.float64))
        self._learn()

    def _possible(self) -> Iterator[tuple[str, ...]]:
        """All rows together, a ninth of each kind too, without those a table denies."""
        kinds = [{one.rows[name] for one in self.ask.people} for name in self.variables]
        values = [
            sorted(kind | {f"{name}9"}) for kind, name in zip(kinds, self.variables, strict=True)
        ]
        mesh: list[tuple[str, ...]] = [()]
        for column in values:
            mesh = [(*rows, value) for rows in mesh for value in column]
        for rows in mesh:
            row = dict(zip(self.variables, rows, strict=True))
            if all(
                row[second] in told.small | set(told.table)
                for (parent, second), told in self.ask.tables.items()
                if parent is None or row[parent[0]] == parent[1]
            ):
                yield rows

    def _batch(self, at: datetime) -> int:
        return sum(end <= at for end in self.ends)

    def _stretch(self, at: datetime) -> int:
        return sum(turn <= at for turn in self.turns)

    def _rows(self, person: Person) -> tuple[str, ...]:
        return tuple(person.rows[name] for name in self.variables)

    def until(self, end: datetime, options: Block, start: datetime = START) -> list[int]:
        """The unknowns of who answered one of these between two moments."""
        last, first = self._batch(end - timedelta(microseconds=1)), self._batch(start)
        return [
            at
            for at, (batch, option) in enumerate(self.times)
            if first <= batch <= last and option in options
        ]

    def inside(
        self,
        options: Block,
        rows: Mapping[str, Collection[str]],
        end: datetime = NEVER,
        start: datetime = START,
    ) -> list[int]:
        """The unknowns of who answered one of these in some time and stands in these rows."""
        last, first = self._stretch(end - timedelta(microseconds=1)), self._stretch(start)
        wanted = [(self.variables.index(name), some) for name, some in rows.items()]
        return [
            len(self.times) + at
            for at, (stretch, option, place) in enumerate(self.cells)
            if first <= stretch <= last
            and option in options
            and all(place[index] in some for index, some in wanted)
        ]

    def _learn(self) -> None:
        for start, end in pairwise([START, *self.turns, NEVER]):
            for option in self.ask.options:
                same = self.inside((option,), {}, end, start)
                self.attacker.infers(self.until(end, (option,), start), same)
        self._learn_lines()
        self._learn_tables()
        self._learn_live()

    def _learn_lines(self) -> None:
        options, learns = self.ask.options, self.attacker.learns
        for at, _ in self.ask.heads:
            learns(self.until(at, options))
        for at, told in self.ask.told:
            for block in blocks(options, told.apart):
                learns(self.until(at, block))

    def _learn_tables(self) -> None:
        options, learns = self.ask.options, self.attacker.learns
        for (parent, variable), table in self.ask.tables.items():
            above = {parent[0]: {parent[1]}} if parent else {}
            for row in table.table:
                rows = table.small if row == OTHER else {row}
                apart = table.kept.apart if row in table.kept.full else ()
                for block in blocks(options, apart):
                    learns(self.inside(block, above | {variable: rows}))

    def _learn_live(self) -> None:
        """Who is in none of the rows told by name is in all_others, if that was told at all."""
        for variable, told in self.ask.live.items():
            at_all = {rows[self.variables.index(variable)] for _, _, rows in self.cells}
            others = at_all - set(told.rows)
            for at, table in told.states:
                for row in {*told.merged(table), OTHER}:
                    rows = others if row == OTHER else {row}
                    apart = told.shape.apart if row in told.shape.full else ()
                    for block in blocks(self.ask.options, apart):
                        self.attacker.learns(self.inside(block, {variable: rows}, at))

    def hidden(self) -> dict[str, list[int]]:
        """Every cell that was not told, and every difference of two publications below ten."""
        return {**self._hidden_lines(), **self._hidden_cells(), **self._hidden_live()}

    def _hidden_live(self) -> dict[str, list[int]]:
        found = {}
        for variable, told in self.ask.live.items():
            empty: tuple[datetime, Table] = (START, {})
            end = (NEVER, self.ask.table(variable, self.ask.people))
            for (start, before), (at, after) in pairwise([empty, *told.states, end]):
                for row, line in after.items():
                    for block in (self.ask.options, *((one,) for one in self.ask.options)):
                        some = {variable: {row}}
                        grown = people(line, block) - people(before.get(row, {}), block)
                        if grown < WIDE and people(line, block):
                            name = f"{block} of {row} from {start} to {at}"
                            found[name] = self.inside(block, some, at, start)
                        if at is not NEVER and not _is_told(told, row, block):
                            found[f"{block} of {row} at {at}"] = self.inside(block, some, at)
        return found

    def _hidden_lines(self) -> dict[str, list[int]]:
        found = {}
        for at, told in self.ask.told:
            for option in (one for one in self.ask.options if one not in told.apart):
                found[f"{option} at {at:%H:%M:%S}"] = self.until(at, (option,))
        for (before, earlier), (after, later) in pairwise(self.ask.told):
            for option in self.ask.options:
                if people(later.line, (option,)) - people(earlier.line, (option,)) < 10:
                    name = f"{option} from {before:%H:%M:%S} to {after:%H:%M:%S}"
                    found[name] = self.until(after, (option,), before)
        return found

    def _hidden_cells(self) -> dict[str, list[int]]:
        found = {}
        for one in self.ask.breakdowns:
            for variable in (one.first, *one.seconds):
                names = (one.first,) if variable == one.first else (one.first, variable)
                lived = {tuple(each.rows[name] for name in names) for each in self.ask.people}
                for place in sorted(lived):
                    for block in (self.ask.options, *((option,) for option in self.ask.options)):
                        if not self.is_told(one.first, place, variable, block):
                            rows = {name: {row} for name, row in zip(names, place, strict=True)}
                            found[f"{block} of {place}"] = self.inside(block, rows)
        return found

    def is_told(self, first: str, place: tuple[str, ...], variable: str, block: Block) -> bool:
        parent = None if variable == first else (first, place[0])
        told = self.ask.tables.get((parent, variable))
        if told is None or place[-1] in told.small:
            return False
        return len(block) > 1 or (place[-1] in told.kept.full and block[0] in told.kept.apart)


def _is_told(told: Living, row: str, block: Block) -> bool:
    if row not in told.rows:
        return False
    return len(block) > 1 or (row in told.shape.full and block[0] in told.shape.apart)
