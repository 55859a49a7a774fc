"""What becomes of a message, and the callbacks that tell of it: unordered, repeated, lost."""

import random
from collections.abc import Callable
from urllib.parse import urlencode

from tests.fakes.clock import FakeClock
from tests.fakes.hooks import Answered, Poster
from tests.fakes.twilio_retries import with_retries
from tests.fakes.twilio_signing import signature
from tests.fakes.twilio_state import DAY, ENDED, Sender, StatusPlan, Text

Pairs = list[tuple[str, str]]


class Statuses:
    """Moves messages along and calls back."""

    def __init__(
        self,
        clock: FakeClock,
        poster: Poster,
        spawn: Callable[..., None],
        account_sid: str,
        dice: random.Random,
    ) -> None:
        self._clock, self._poster, self._spawn = clock, poster, spawn
        self._account_sid, self._dice = account_sid, dice
        self.auth_token = ""
        self.plan = StatusPlan()
        self.calls: list[tuple[str, str, int]] = []

    def course(self, text: Text, sender: Sender, *, reads: bool) -> tuple[list[str], int | None]:
        """The states a message will go through and the error it ends with, if any."""
        for pattern, code in self.plan.fails.items():
            if pattern in text.to:
                return ["queued", "sent", "undelivered"], code
        if text.to.startswith("whatsapp:"):
            opened = sender.windows.get(text.to)
            late = opened is None or self._clock.elapsed() - opened > DAY
            if late and not text.approved:
                return ["queued", "undelivered"], 63016
            return ["queued", "sent", "delivered", *(["read"] if reads else [])], None
        first = "accepted" if text.service else "queued"
        return [first, "sending", "sent", "delivered"], None

    async def follow(self, text: Text, states: list[str], error: int | None) -> None:
        """Let the message live through its states."""
        plan = self.plan
        calls: list[tuple[float, str, int | None]] = []
        for number, state in enumerate(states):
            code = error if number == len(states) - 1 else None
            delay = (number + 1) * plan.step + plan.late
            if self._dice.random() < plan.reorder:
                delay += self._dice.uniform(0, len(states) * plan.step)
            calls.append((delay, state, code))
            if self._dice.random() < plan.duplicate:
                calls.append((delay + plan.step, state, code))
        for delay, state, code in calls:
            if state != states[0] or plan.before_response:
                self._spawn(self._step(text, state, code, delay))

    async def _step(self, text: Text, state: str, code: int | None, delay: float) -> None:
        await self._clock.sleep(delay)
        if text.status == "canceled":
            return
        if text.status not in ENDED or state == "read":
            text.status, text.error = state, code
        if text.callback and self._dice.random() >= self.plan.drop:
            await self.call(text, state, code)

    async def call(self, text: Text, state: str, code: int | None) -> None:
        """One status callback."""
        fields: Pairs = [
            ("MessageSid", text.sid),
            ("MessageStatus", state),
            ("SmsSid", text.sid),
            ("SmsStatus", state),
            ("AccountSid", self._account_sid),
            ("From", text.sender),
            ("To", text.to),
            ("ApiVersion", "2010-04-01"),
        ]
        if text.service:
            fields.append(("MessagingServiceSid", text.service))
        if code is not None:
            fields.append(("ErrorCode", str(code)))
        if self.plan.extra_fields:
            fields.append(("RawDlrDoneDate", "2601011205"))
        token = self.auth_token + ("x" if self.plan.wrong_signature else "")

        async def post(url: str, seconds: float) -> Answered:
            headers = {
                "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
                "X-Twilio-Signature": signature(token, url, fields),
            }
            body = urlencode(fields).encode()
            return await self._poster.post(url, body, headers, timeout=seconds)

        answered = await with_retries(self._clock, text.callback, post)
        self.calls.append((text.sid, state, answered.status))
