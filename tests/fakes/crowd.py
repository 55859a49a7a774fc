"""A crowd that answers by itself: for chaos runs and load, on both fakes alike.

    crowd = Crowd(fake, think=(0.05, 0.3), seed=7)
    crowd.join(person, answer)        # answer(seen) -> what the person does, or None for nothing
    crowd.begin(lambda person: person.start("code"))

`Seen` is one message as the person sees it; an answer is `("send", "Lyon")` or `("tap", "Yes")`.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tests.fakes.server import FakeServer

Act = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """One message on somebody's phone."""

    text: str
    labels: tuple[str, ...]


class Shows(Protocol):
    """What both fakes' messages have in common."""

    @property
    def labels(self) -> list[str]: ...


class Member(Protocol):
    """What people of both fakes have in common."""

    def send(self, text: str) -> object: ...

    def tap(self, label: str) -> object: ...


Answer = Callable[[Seen], Act | None]


class Crowd:
    """People who answer after thinking for a while, in provider seconds.

    `hasty` is the share of answers that are given twice at the same instant by impatient thumbs.
    """

    def __init__(
        self,
        fake: FakeServer,
        *,
        think: tuple[float, float] = (0.0, 0.2),
        hasty: float = 0.0,
        seed: int = 1,
    ) -> None:
        self._fake = fake
        self._think = think
        self._hasty = hasty
        self._dice = random.Random(seed)
        self._answers: dict[int, Answer] = {}
        self._members: list[Member] = []
        self.acts: list[tuple[Member, Act]] = []
        fake.listen(self._seen)  # type: ignore[attr-defined]

    def join(self, member: Member, answer: Answer) -> None:
        """Somebody who answers like this."""
        self._answers[id(member)] = answer
        self._members.append(member)

    def begin(self, first: Callable[[Member], object]) -> None:
        """Everybody opens the conversation, spread over the time people think."""

        def act() -> None:
            for member in self._members:
                self._fake.spawn(self._first(member, first))

        self._fake.run(act)

    async def _first(self, member: Member, first: Callable[[Member], object]) -> None:
        await self._fake.clock.sleep(self._dice.uniform(*self._think))
        first(member)

    def _seen(self, member: Member, message: object) -> None:
        answer = self._answers.get(id(member))
        if answer is None:
            return
        words = str(getattr(message, "text", None) or getattr(message, "body", ""))
        labels: list[str] = message.labels  # type: ignore[attr-defined]
        if (act := answer(Seen(words, tuple(labels)))) is not None:
            self._fake.spawn(self._act(member, act))

    async def _act(self, member: Member, act: Act) -> None:
        await self._fake.clock.sleep(self._dice.uniform(*self._think))
        for _ in range(2 if self._dice.random() < self._hasty else 1):
            self.acts.append((member, act))
            try:
                if act[0] == "tap":
                    member.tap(act[1])
                else:
                    member.send(act[1])
            except LookupError:
                # The buttons went away while the person was thinking.
                await asyncio.sleep(0)
