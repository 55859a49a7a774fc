"""What an attacker knows of a made-up poll from all that was told of it, up to the end or before.

The attacker knows how people pass through a poll: in the order of its questions, once; who answers
the last one has come to the end; who is asked a question on a condition gave that answer. The exact
number is known behind every rounded one. Where two tables of unknowns tell the same people apart,
they agree.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import product

import numpy as np

from insights.counted import Tallied
from tests.insights.attacker import Attacker
from tests.insights.polled import ASKERS, RELAYS, START, Passed, Poll, row_of
from tests.insights.unknowns import Kind, Unknowns, at, between, but, by

ASKER, SENT, BEGAN, COMPLETED, ANSWERED = range(5)
"""Places in a kind of the table of steps; the looks by which each question was answered follow."""
BATCH, OPTION, PLACE = range(3)
"""Places in a kind of a line: between which moments, what, and in which rows if it has these."""
REACHED = ("sent", "delivered", "read")
UNKNOWN_ASKER = "unknown"


class Known:
    """The unknowns of a poll and how they hang together; `hearing` adds what was told."""

    def __init__(self, poll: Poll, *, final: bool) -> None:
        self.poll, self.never, self.final = poll, len(poll.looks), final
        self.questions = [one.id for one in poll.ask.flow.questions]
        self.looks = poll.told if final else poll.told[:-1]
        declared = dict.fromkeys(name for one in poll.ask.breakdowns for name in one)
        self.rows = (*declared, *(("asker",) if poll.ask.askers else ()))
        self.cuts = sorted({_second(one) for one in self._moments()} | set(poll.looks))
        self.of = Unknowns()
        self._write_down()
        self.attacker = Attacker(np.array(self.of.truth, dtype=np.float64))
        self._agree()

    def _moments(self) -> Iterator[datetime]:
        for look in self.looks:
            yield from (one.at for one in look.ledger.lines.values())
            yield from (when for one in look.ledger.living.values() for when, _ in one.states)

    def look(self, when: int | None) -> int:
        """By which look something was; `never` if by none."""
        by_then = (n for n, look in enumerate(self.poll.looks) if when is not None and when < look)
        return next(by_then, self.never)

    def batch(self, when: datetime) -> int:
        """The first batch of answers that are not before a moment."""
        return self._batch(_second(when))

    def _batch(self, second: float) -> int:
        return sum(cut <= second for cut in self.cuts)

    def after(self, look: int) -> int:
        """The first batch after a look."""
        return self._batch(self.poll.looks[look])

    # The tables

    def _write_down(self) -> None:
        people, times = self.poll.people, range(self.never + 1)
        self.of.add("steps", self._possible_steps(), map(self._steps, people))
        in_order = (one for one in product(times, repeat=3) if list(one) == sorted(one))
        self.of.add("reached", in_order, map(self._reached, people))
        relays = ((self.look(one.completed), one.relay) for one in people)
        self.of.add("relays", product(times, (*RELAYS, None)), relays)
        places = list(product(*(sorted(self._values(name)) for name in self.rows)))
        for line, (question, options) in self.poll.lines.items():
            cells = list(product(range(len(self.cuts)), options))
            self.of.add(line, cells, (self._cell(one, question, line) for one in people))
            if self.rows:
                whole = [(*cell, *place) for cell, place in product(cells, places)]
                mine = (self._cell(one, question, line, self._place(one)) for one in people)
                self.of.add(f"rows of {line}", whole, mine)
        if self.rows:
            flags = product((False, True), repeat=len(self.questions))
            whole = [(*some, *place) for some, place in product(flags, places)]
            self.of.add("rows", whole, ((*self._flags(one), *self._place(one)) for one in people))

    def _values(self, name: str) -> set[str]:
        if name == "asker":
            return {*ASKERS, UNKNOWN_ASKER}
        return {row_of(one, name) for one in self.poll.people}

    def _steps(self, one: Passed) -> Kind:
        answered = [self.look(one.answers.get(question, (None,))[0]) for question in self.questions]
        return one.asker, *map(self.look, (one.sent, one.began, one.completed)), *answered

    def _possible_steps(self) -> Iterator[Kind]:
        times, compared = range(self.never + 1), bool(self.poll.ask.askers)
        last_is_for_all = self.poll.ask.flow.questions[-1].when is None
        steps = product(times, repeat=3 + len(self.questions))
        for asker, (sent, began, completed, *answered) in product((None, *ASKERS), steps):
            some = [one for one in answered if one != self.never]
            in_order = [began, *some, completed] == sorted([began, *some, completed])
            ends = not last_is_for_all or answered[-1] in (self.never, completed)
            invited = (asker is not None) == (compared and sent != self.never)
            first = sent == self.never or sent <= began
            said = completed == self.never or some
            if in_order and ends and first and said and invited:
                yield asker, sent, began, completed, *answered

    def _reached(self, one: Passed) -> Kind:
        return tuple(map(self.look, (one.sent, one.delivered, one.read)))

    def _cell(self, one: Passed, question: Tallied, line: str, place: Kind = ()) -> Kind | None:
        if question.id not in one.answers:
            return None
        when, chosen = one.answers[question.id]
        yes = "yes" if line.partition("/")[2] in chosen else "no"
        return self._batch(when), yes if question.many else chosen[0], *place

    def _flags(self, one: Passed) -> Sequence[bool]:
        return [question in one.answers for question in self.questions]

    def _place(self, one: Passed) -> Kind:
        return tuple(row_of(one, name) for name in self.rows)

    # What agrees

    def _agree(self) -> None:
        those, infers = self.of.those, self.attacker.infers
        for look in range(self.never + 1):
            infers(those("steps", at(SENT, look)), those("reached", at(0, look)))
            infers(those("steps", at(COMPLETED, look)), those("relays", at(0, look)))
        for line, (question, options) in self.poll.lines.items():
            answered = ANSWERED + self.questions.index(question.id)
            for look in range(self.never):
                first = self.after(look - 1) if look else 0
                cells = those(line, between(BATCH, first, self.after(look)))
                infers(those("steps", at(answered, look)), cells)
            if self.rows:
                self._agree_by_rows(line, question, options)
        if self.rows:
            self._agree_on_flags()
        for number, one in enumerate(self.poll.ask.flow.questions):
            if one.when is not None:
                asked = those("q0", at(OPTION, "a"))
                answered_it = those("steps", but(at(ANSWERED + number, self.never)))
                self.attacker.exceeds(asked, answered_it)

    def _agree_by_rows(self, line: str, question: Tallied, options: Sequence[str]) -> None:
        those, many = self.of.those, len(self.questions)
        flag = at(self.questions.index(question.id), True)
        for batch, option in product(range(len(self.cuts)), options):
            cell = at(BATCH, batch), at(OPTION, option)
            self.attacker.infers(those(line, *cell), those(f"rows of {line}", *cell))
        for place in self.of.values("rows", slice(many, None)):
            here = [at(many + n, row) for n, row in enumerate(place)]
            cells = [at(PLACE + n, row) for n, row in enumerate(place)]
            self.attacker.infers(those("rows", flag, *here), those(f"rows of {line}", *cells))

    def _agree_on_flags(self) -> None:
        """Who answered which questions, by asker too; who answered none stands in no row."""
        those, many = self.of.those, len(self.questions)
        by_asker = [[at(ASKER, one)] for one in (*ASKERS, None)] if "asker" in self.rows else [[]]
        rows = [[at(-1, one)] for one in (*ASKERS, UNKNOWN_ASKER)] if "asker" in self.rows else [[]]
        for flags in product((False, True), repeat=many):
            if any(flags):
                steps = [
                    by(ANSWERED + n, self.never - 1) if flag else at(ANSWERED + n, self.never)
                    for n, flag in enumerate(flags)
                ]
                wanted = [at(n, flag) for n, flag in enumerate(flags)]
                for who, row in zip(by_asker, rows, strict=True):
                    same = those("rows", *wanted, *row)
                    self.attacker.infers(those("steps", *steps, *who), same)

    def came(self, name: str, look: int, asker: str | None = None) -> list[int]:
        """The unknowns of who had come so far by a look: a number of people of the results."""
        if name in REACHED[1:]:
            return self.of.those("reached", by(REACHED.index(name), look))
        places = {
            "sent": (SENT,),
            "started": (BEGAN,),
            "completed": (COMPLETED,),
            "responded": (SENT, COMPLETED),
        }.get(name) or (ANSWERED + self.questions.index(name.removeprefix("n.")),)
        whose = [] if asker is None else [at(ASKER, None if asker == UNKNOWN_ASKER else asker)]
        return self.of.those("steps", *(by(place, look) for place in places), *whose)


def _second(when: datetime) -> float:
    return (when - START).total_seconds()
