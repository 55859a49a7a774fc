"""All members on one fake provider, and how people behave there.

A person answers a question once, after thinking for a moment, and looks at the screen before
sending: what they were about to say to an older question they drop. A question that comes again
although it was answered a while ago is answered again, as people do; one that crosses an answer
just given is not. Somebody to whom nothing happens for long does once more what the screen asks
for, and that is counted; so does who is asked whether they refuse, as their number came twice.
"""

import random
import time

from tests.chaos.members import ORDER, Buttons, Do, Member, Readers
from tests.fakes.server import FakeServer

FRESH = 3.0


class Company:
    """All members on one fake; their acts run on the fake's thread."""

    def __init__(
        self, fake: FakeServer, readers: Readers, *, think: tuple[float, float], seed: int
    ) -> None:
        self._fake = fake
        self._readers = readers
        self._think = think
        self._dice = random.Random(seed)
        self.members: dict[str, Member] = {}

    def join(self, member: Member) -> None:
        """One more member."""
        self.members[member.plan.address] = member

    def begin(self, spread: float) -> None:
        """Everybody says hello within `spread` seconds."""

        def act() -> None:
            for member in self.members.values():
                self._fake.spawn(self._act(member, self._dice.uniform(0, spread)))

        self._fake.run(act)

    def saw(self, address: str, text: str, buttons: Buttons, *, new: bool) -> None:
        """A message on somebody's phone, or a change of one; called on the fake's thread."""
        member = self.members.get(address)
        if member is None:
            return
        question = self._readers.question(text)
        if new and self._readers.doubts(text):
            member.doubted += 1
            self._think_and_act(member)
        elif new and question is None:
            member.strange.append(text[:60])
        elif new and question is not None:
            self._saw_new(member, question, buttons)
        elif question == member.at and buttons and buttons != member.screen:
            member.screen = buttons
            member.changes.append(time.monotonic())
            self._think_and_act(member)

    def _saw_new(self, member: Member, question: str, buttons: Buttons) -> None:
        willing = self._willing(member, question)
        member.again += question in member.order
        member.seen.append((time.monotonic(), question))
        member.screen = buttons
        if willing and not member.done:
            self._think_and_act(member)

    def _willing(self, member: Member, question: str) -> bool:
        """People answer what is asked now; what they have just answered they do not repeat."""
        if question not in member.order:
            return True
        later = {name for name in member.order if ORDER.index(name) > ORDER.index(question)}
        last_did = member.did[-1][0] if member.did else 0.0
        return not later and time.monotonic() - last_did > FRESH

    def nudge(self, patience: float) -> int:
        """Let those to whom nothing happened for so long try once more; how many did."""
        now = time.monotonic()
        waiting = [m for m in self.members.values() if not m.done and _idle(m, now) > patience]

        def act() -> None:
            for member in waiting:
                if not member.done:
                    member.nudges += 1
                    self._do(member, member.next_act())

        self._fake.run(act)
        return len(waiting)

    def _think_and_act(self, member: Member) -> None:
        self._fake.spawn(self._act(member, self._dice.uniform(*self._think)))

    async def _act(self, member: Member, pause: float) -> None:
        """Do what the screen asks for, unless it has changed or been answered meanwhile."""
        member.acts += 1
        mine = member.acts
        await self._fake.clock.sleep(pause)
        if mine == member.acts and not member.done:
            self._do(member, member.next_act())

    def _do(self, member: Member, act: Do) -> None:
        member.did.append((time.monotonic(), act))
        if act[0] == "press":
            member.press(act[1])
        else:
            member.send(act[1])


def _idle(member: Member, now: float) -> float:
    """Seconds since anything last happened; nothing to somebody who has not begun."""
    if not member.did:
        return 0.0
    return now - max(member.did[-1][0], member.seen[-1][0] if member.seen else 0.0)
