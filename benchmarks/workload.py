"""Registrations over webhooks, in a closed and in an open loop.

Latency runs from the moment a delivery was due to the moment its reply was seen, at the fake
provider or in the webhook's response. In the closed loop a message is due when the member has the
previous question; in the open loop on a fixed schedule, however late the server is, so that a slow
server cannot slow down the questions put to it (coordinated omission).
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from benchmarks import questions
from benchmarks.deliveries import Deliveries, Serials
from benchmarks.wire import Client, FakeProvider

TIMEOUT = 30.0
OPEN_LOOP_MEMBERS = 200
_TWIML = re.compile(rb"<Message[^>]*>(?:<Body>)?([^<]*)")
_FAULTS = (ConnectionError, OSError, asyncio.TimeoutError)


@dataclass
class Tally:
    """What one measured point saw; latencies in seconds."""

    latencies: list[float] = field(default_factory=list)
    answers: int = 0
    errors: int = 0
    wrong: int = 0
    stray: int = 0
    done: list[int] = field(default_factory=list)


class Line:
    """Deliveries to one server and the replies to them.

    `in_response`: the reply is the TwiML of the webhook's response; else the fake provider has it.
    """

    def __init__(
        self,
        fake: FakeProvider,
        port: int,
        deliveries: Deliveries,
        serials: Serials,
        *,
        in_response: bool,
    ) -> None:
        self.port, self.deliveries, self.tally = port, deliveries, Tally()
        self._serials, self._in_response = serials, in_response
        self._waiting: dict[int, asyncio.Future[tuple[str, float]]] = {}
        fake.on_message = self._seen

    def _seen(self, to: int, text: str, at: float) -> None:
        future = self._waiting.pop(to, None)
        if future and not future.done():
            future.set_result((text, at))
        else:
            self.tally.stray += 1

    async def exchange(self, client: Client, member: int, step: int) -> tuple[str, float]:
        """The reply to what this member says at this step, and when it was seen.

        Raises ConnectionError when the delivery is not accepted, TimeoutError without a reply.
        """
        text = self.deliveries.start if step == 0 else questions.answer(member, step - 1)
        raw = self.deliveries.request(member, text, self._serials.next())
        if self._in_response:
            body = await self._post(client, raw)
            found = _TWIML.search(body)
            return (found.group(1).decode() if found else ""), time.perf_counter()
        future = self._waiting[member] = asyncio.get_running_loop().create_future()
        body = await self._post(client, raw)
        if b'"sendMessage"' in body:  # Telegram lets a bot answer in the response as well
            self._waiting.pop(member, None)
            return json.loads(body)["text"], time.perf_counter()
        return await asyncio.wait_for(future, TIMEOUT)

    async def _post(self, client: Client, raw: bytes) -> bytes:
        status, body = await asyncio.wait_for(client.send(raw), TIMEOUT)
        if status not in (200, 204):
            raise ConnectionError(f"HTTP {status}: {body[:200]!r}")
        return body


async def prove(line: Line, member: int) -> None:
    """Register one member. Raises AssertionError on the first reply that is not the right one."""
    client = Client(line.port)
    for step in range(questions.N + 1):
        text, _ = await line.exchange(client, member, step)
        assert questions.tag(step) in text, f"step {step}: {text[:200]!r}"
    client.close()


async def closed(
    line: Line, members: range, *, at_once: int, seconds: float, warm: float
) -> AsyncIterator[str]:
    """`at_once` members at a time; yields when measuring begins and when it ends."""
    begin = time.perf_counter() + warm
    end = begin + seconds
    todo = iter(members)
    tasks = [asyncio.create_task(_one_by_one(line, todo, begin, end)) for _ in range(at_once)]
    await asyncio.sleep(max(0, begin - time.perf_counter()))
    yield "begin"
    await asyncio.sleep(max(0, end - time.perf_counter()))
    yield "end"
    await asyncio.gather(*tasks)


async def _one_by_one(line: Line, todo: Iterator[int], begin: float, end: float) -> None:
    client = Client(line.port)
    while time.perf_counter() < end:
        try:
            await _register(line, client, next(todo), begin, end)
        except _FAULTS:
            line.tally.errors += 1
            await asyncio.sleep(0.2)
    client.close()


async def _register(line: Line, client: Client, member: int, begin: float, end: float) -> None:
    tally = line.tally
    for step in range(questions.N + 1):
        due = time.perf_counter()
        text, at = await line.exchange(client, member, step)
        tally.wrong += questions.tag(step) not in text
        if begin <= at <= end:
            tally.latencies.append(at - due)
            tally.answers += step > 0
        elif at > end and step < questions.N:
            return
    tally.done.append(member)


async def opened(
    line: Line, members: range, *, rate: float, seconds: float, warm: float
) -> AsyncIterator[str]:
    """`rate` messages a second are due; yields when measuring begins and when it ends."""
    begin = time.perf_counter() + warm
    end = begin + seconds
    tasks = [
        asyncio.create_task(
            _on_schedule(line, iter(members[i::OPEN_LOOP_MEMBERS]), rate, begin, end, i / rate)
        )
        for i in range(OPEN_LOOP_MEMBERS)
    ]
    await asyncio.sleep(max(0, begin - time.perf_counter()))
    yield "begin"
    await asyncio.sleep(max(0, end - time.perf_counter()))
    yield "end"
    await asyncio.gather(*tasks)


async def _on_schedule(
    line: Line, todo: Iterator[int], rate: float, begin: float, end: float, offset: float
) -> None:
    """One runner of the open loop: its messages are due one period apart, from `offset` on."""
    period, tally = OPEN_LOOP_MEMBERS / rate, line.tally
    client, due = Client(line.port), time.perf_counter() + offset
    while due < end:
        member = next(todo)
        for step in range(questions.N + 1):
            if due >= end:
                break
            await asyncio.sleep(max(0, due - time.perf_counter()))
            try:
                text, at = await line.exchange(client, member, step)
            except _FAULTS:
                tally.errors += 1
                due += period
                break
            tally.wrong += questions.tag(step) not in text
            if due >= begin:
                tally.latencies.append(at - due)
                tally.answers += step > 0
            due += period
        else:
            tally.done.append(member)
    client.close()
