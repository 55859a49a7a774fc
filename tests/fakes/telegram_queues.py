"""Updates on their way to the application: queues, one in flight in each, the retry schedule.

Order holds only inside a queue: messages by chat, button presses by person (reference 1.1).
"""

import json
import random
from collections import deque
from collections.abc import Callable, Mapping

from tests.fakes.clock import FakeClock
from tests.fakes.hooks import Answered, Poster, Shake
from tests.fakes.telegram_state import Account, Delivered, Fields, Waiting, Webhook

IDLE = 60.0
FIRST_DELAYS = (0.0, 2.0, 4.0, 8.0, 16.0, 32.0)
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Courier:
    """Brings the updates of all accounts to their webhooks."""

    def __init__(
        self,
        clock: FakeClock,
        poster: Poster,
        spawn: Callable[..., None],
        execute: Callable[[Account, str, Mapping[str, object]], None],
        changed: Callable[[], None],
        dice: random.Random,
    ) -> None:
        self._clock = clock
        self._poster = poster
        self._spawn = spawn
        self._execute = execute
        self._changed = changed
        self._dice = dice
        self.shake = Shake()
        self._running: set[tuple[int, str]] = set()

    def push(self, account: Account, kind: str, fields: Fields, queue: str, life: float) -> int:
        """A new update; returns its id."""
        update_id = account.next_update()
        if kind not in account.kinds:
            return update_id
        waiting = Waiting(
            {"update_id": update_id, kind: fields}, queue, self._clock.elapsed() + life
        )
        account.waiting[update_id] = waiting
        account.queues.setdefault(queue, deque()).append(waiting)
        account.arrived.set()
        self.wake(account)
        return update_id

    def wake(self, account: Account) -> None:
        """Start what waits, when there is a webhook."""
        if account.webhook is None:
            return
        for queue, held in account.queues.items():
            key = (account.id, queue)
            if held and key not in self._running:
                self._running.add(key)
                self._spawn(self._drain(account, queue))

    async def _drain(self, account: Account, queue: str) -> None:
        held = account.queues[queue]
        try:
            while held and account.webhook is not None:
                waiting = held[0]
                if waiting.id not in account.waiting or await self._bring(account, waiting):
                    held.popleft()
                    account.waiting.pop(waiting.id, None)
                    self._changed()
        finally:
            self._running.discard((account.id, queue))

    async def _bring(self, account: Account, waiting: Waiting) -> bool:
        """One attempt and the pause after it; True when the update is done with."""
        if self._clock.elapsed() >= waiting.expires_at:
            return True
        if waiting.attempts == 0:
            for delay in self.shake.delays(self._dice):
                self._spawn(self._copy(account, waiting, delay))
        waiting.attempts += 1
        answered = await self._post(account, waiting, copy=False)
        if answered.good and self._dice.random() >= self.shake.lost:
            self._carry_out(account, answered)
            return True
        pause = self._pause(waiting, answered)
        if self._clock.elapsed() + pause > waiting.expires_at:
            return True
        await self._clock.sleep(pause)
        return False

    async def _copy(self, account: Account, waiting: Waiting, delay: float) -> None:
        await self._clock.sleep(delay)
        if account.webhook is not None:
            await self._post(account, waiting, copy=True)

    async def _post(self, account: Account, waiting: Waiting, *, copy: bool) -> Answered:
        webhook = account.webhook
        if webhook is None:
            return Answered(0, {}, b"")
        async with account.room:
            answered = await self._poster.post(
                webhook.url,
                json.dumps(waiting.update).encode(),
                _headers(webhook),
                timeout=IDLE,
            )
        account.deliveries.append(
            Delivered(self._clock.elapsed(), waiting.id, answered.status, copy, waiting.name)
        )
        self._changed()
        if not answered.good:
            account.last_error = f"Wrong response from the webhook: {answered.status}"
            account.last_error_date = int(self._clock.date())
        return answered

    def _carry_out(self, account: Account, answered: Answered) -> None:
        """A method named in the webhook's answer is executed, its result thrown away."""
        try:
            wanted = json.loads(answered.body or b"{}")
        except ValueError:
            return
        if isinstance(wanted, dict) and isinstance(method := wanted.get("method"), str):
            self._execute(account, method, wanted)

    def _pause(self, waiting: Waiting, answered: Answered) -> float:
        asked = answered.headers.get("Retry-After", "")
        if asked.isdecimal():  # such a pause does not lengthen the next one (reference 1.1)
            waiting.asked_to_wait += 1
            return min(float(asked), 3600.0)
        failed = waiting.attempts - waiting.asked_to_wait
        if failed <= len(FIRST_DELAYS):
            return FIRST_DELAYS[failed - 1]
        return self._dice.uniform(60, 120)


def _headers(webhook: Webhook) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate"}
    if webhook.secret:
        headers[SECRET_HEADER] = webhook.secret
    return headers
