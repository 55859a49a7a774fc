"""A load balancer in front of the web processes, living in the fakes' own client.

Every request goes to the next process in turn; one that nobody accepts is offered to the next for
a while, as any balancer does, and all other answers are the provider's to deal with.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

from tests.fakes.hooks import Answered, Poster
from tests.fakes.telegram import FakeTelegram
from tests.fakes.twilio import FakeTwilio

REFUSED = 1
PATIENCE = 10.0
PAUSE = 0.1
LONGEST_PAUSE = 1.0


class Balanced(Poster):
    """Posts for a fake, to each of these ports in turn."""

    def __init__(self, ports: Sequence[int], before: Poster) -> None:
        self._http = before._http  # its owner closes it
        self._turns = itertools.cycle(ports)
        self.answers: Counter[int] = Counter()

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> Answered:
        """The answer of whichever process took it."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(PATIENCE, timeout)
        pause = PAUSE
        while True:
            there = urlsplit(url)._replace(netloc=f"127.0.0.1:{next(self._turns)}")
            try:
                answered = await super().post(urlunsplit(there), body, headers, timeout=timeout)
            except TimeoutError:
                answered = Answered(0, {}, b"")
            if answered.status != REFUSED or loop.time() > deadline:
                self.answers[answered.status] += 1
                return answered
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 1.5)


def balance_telegram(fake: FakeTelegram, ports: Sequence[int]) -> Balanced:
    """Let this Telegram reach all ports."""

    def put() -> Balanced:
        poster = Balanced(ports, fake._poster)
        fake.courier._poster = poster
        return poster

    return fake.run(put)


def balance_twilio(fake: FakeTwilio, ports: Sequence[int]) -> Balanced:
    """Let this Twilio reach all ports."""

    def put() -> Balanced:
        poster = Balanced(ports, fake._poster)
        fake.inbound._poster = fake.statuses._poster = poster
        return poster

    return fake.run(put)
