"""Made-up sendings: whom an ask reached and who came to its end, by which relay, read now and then.

What is read is what leaves: the heads of the results, which the progress of a sending repeats, and
the reach of relays. The attacker knows the exact number behind every head, and a relay's band.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from insights import publishing
from insights.heads import INSIDE, Heads, told_heads
from insights.reach import band, told_rows
from tests.insights.attacker import Attacker

STEPS = ("sent", "delivered", "read", "started", "completed")
QUESTION = "n.when_open"
RELAYS: Mapping[str, str | None] = {"a": None, "b": "a", "c": None}
"""Each relay with the one above it."""
Life = tuple[int | None, ...]
"""When each of the steps was, if it was."""


@dataclass(frozen=True)
class Gate:
    """What decides; a fault is put into a copy of it."""

    heads: Callable[[Mapping[str, int], Mapping[str, int]], Heads] = told_heads
    rows: Callable[[Mapping[str, int], int], frozenset[str]] = told_rows


@dataclass
class Sending:
    """People with their steps and relays, when somebody looked, and what they saw."""

    people: Sequence[tuple[Life, str | None]]
    looks: Sequence[int]
    gate: Gate
    heads: list[tuple[str, int]] = field(default_factory=list)
    """Heads that were told, each with the look whose state it is."""
    bands: list[tuple[frozenset[str], int, int]] = field(default_factory=list)
    """Relays that were told together, at which look, and the number told."""

    def read(self) -> None:
        """Look at every moment; the last is the end."""
        ledger: Mapping[str, int] = {}
        for look in range(len(self.looks)):
            final = look == len(self.looks) - 1
            moved = {
                name: publishing.head_count(now, ledger.get(name), final=final)
                for name, now in self.counts(look).items()
            }
            some = {name: people for name, people in moved.items() if people is not None}
            found = self.gate.heads(some, ledger)
            new = [name for name, people in found.told.items() if people != ledger.get(name)]
            self.heads += [(name, look) for name in new]
            ledger = found.told
            self.read_reach(look)

    def read_reach(self, look: int) -> None:
        came = Counter(relay for life, relay in self.people if self.is_in("completed", life, look))
        by_none = came.pop(None, 0)
        rows = self.gate.rows({str(one): people for one, people in came.items()}, by_none)
        for relay in RELAYS:
            told = rows & {relay, *(one for one, above in RELAYS.items() if above == relay)}
            shown = band(sum(came[one] for one in told)).value
            if shown is not None:
                self.bands.append((frozenset(told), look, shown))

    @property
    def by_one(self) -> bool:
        """Whether one relay had brought everybody at some look, which is told."""
        come = [
            {relay for life, relay in self.people if self.is_in("completed", life, look)}
            for look in range(len(self.looks))
        ]
        return any(len(relays) == 1 and None not in relays for relays in come)

    def counts(self, look: int) -> Mapping[str, int]:
        names = (*STEPS, "responded", QUESTION)
        return {
            name: sum(self.is_in(name, life, look) for life, _ in self.people) for name in names
        }

    def is_in(self, name: str, life: Life, look: int) -> bool:
        if name == "responded":
            return self.is_in("sent", life, look) and self.is_in("completed", life, look)
        at = life[STEPS.index("completed" if name == QUESTION else name)]
        return at is not None and at <= self.looks[look]


def made_up(seed: int, gate: Gate) -> Sending:
    """Return a sending that was looked at up to four times; all by chance."""
    chance = random.Random(seed)
    likely = [chance.choice((0.5, 0.9, 0.98, 1.0)) for _ in STEPS]
    size = chance.choice((chance.randint(1, 60), chance.randint(20, 300)))
    weights = [chance.random() ** 2 + 0.01 for _ in (*RELAYS, None)]
    people = []
    for _ in range(size):
        relay = chance.choices((*RELAYS, None), weights)[0]
        people.append((_life(chance, likely, came=relay is not None), relay))
    looks = sorted(chance.sample(range(100), chance.randint(0, 3)))
    found = Sending(people, [*looks, 200], gate)
    found.read()
    return found


def _life(chance: random.Random, likely: Sequence[float], *, came: bool) -> Life:
    """Who came by a relay may not have been sent anything, and began all the same."""
    life: list[int | None] = []
    for first, steps in ((0, STEPS[:3]), (3, STEPS[3:])):
        at: int | None = chance.randint(0, 60)
        for number in range(first, first + len(steps)):
            goes_on = chance.random() < likely[number] and not (number == 0 and came)
            at = None if at is None or not goes_on else at + chance.randint(0, 20)
            life.append(at)
    return tuple(life)


class Secrets:
    """What an attacker does not know: how many people made each step by each look, by relay.

    Live, what was told until the last look before the end is known of all looks; at the end
    everything is, of the end. For there a number may move by less than ten, to the truth.
    """

    def __init__(self, sending: Sending, *, final: bool) -> None:
        self.sending = sending
        ends = len(sending.looks) - 1
        self.looks = (ends,) if final else tuple(range(ends))
        known = ends + 1 if final else ends
        lives = Counter((self._kind(life), relay) for life, relay in sending.people)
        relays = (*RELAYS, None)
        self.kinds = [(kind, relay) for kind in self._possible() for relay in relays]
        truth = [lives[one] for one in self.kinds]
        self.attacker = Attacker(np.array(truth, dtype=np.float64))
        for name, look in (one for one in sending.heads if one[1] < known):
            self.attacker.learns(self.among(name, look))
        for rows, look, told in (one for one in sending.bands if one[1] < known):
            self.attacker.bounds(self.among("completed", look, rows), told - 10, told + 9)

    def _kind(self, life: Life) -> tuple[int, ...]:
        """By which look each step was made; the number of looks for never."""
        looks = self.sending.looks
        return tuple(len(looks) if at is None else sum(look < at for look in looks) for at in life)

    def _possible(self) -> Iterator[tuple[int, ...]]:
        never = len(self.sending.looks) + 1
        for sent in range(never):
            for delivered in range(sent, never):
                for read in range(delivered, never):
                    for started in range(never):
                        for completed in range(started, never):
                            yield sent, delivered, read, started, completed

    def among(self, name: str, look: int, relays: frozenset[str] | None = None) -> list[int]:
        """The unknowns of who had come so far by a look, by these relays or any."""
        wanted = {"responded": ("sent", "completed"), QUESTION: ("completed",)}.get(name, (name,))
        places = [STEPS.index(one) for one in wanted]
        return [
            at
            for at, (kind, relay) in enumerate(self.kinds)
            if all(kind[place] <= look for place in places) and (relays is None or relay in relays)
        ]

    def hidden(self) -> dict[str, list[int]]:
        """One to nine people between two heads, and who came by a relay that was not told."""
        found = {}
        for look in self.looks:
            counts = self.sending.counts(look)
            for inner, outer in (*INSIDE, (QUESTION, "started")):
                if 0 < counts[outer] - counts[inner] < 10:
                    inside = set(self.among(inner, look))
                    between = [one for one in self.among(outer, look) if one not in inside]
                    found[f"{outer} and not {inner} by look {look}"] = between
            told = {one for rows, at, _ in self.sending.bands if at == look for one in rows}
            for relay in RELAYS.keys() - told if not self.sending.by_one else ():
                some = self.among("completed", look, frozenset({relay}))
                if self.attacker.truth[some].sum():
                    found[f"by {relay} by look {look}"] = some
        return found
