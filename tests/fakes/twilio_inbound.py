"""Inbound messages on their way to the application: signed, retried a little, then lost."""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode
from xml.etree import ElementTree

from tests.fakes.clock import FakeClock
from tests.fakes.hooks import Answered, Poster, Shake
from tests.fakes.twilio_retries import BUDGET, with_retries
from tests.fakes.twilio_signing import signature
from tests.fakes.twilio_state import Sender

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Delivered:
    """One attempt to bring a message to the application."""

    at: float
    sid: str
    status: int
    copy: bool


class Credentials(Protocol):
    """What signing needs."""

    auth_token: str
    shared_key: str


class Inbound:
    """Brings people's messages to the senders' webhooks."""

    def __init__(
        self,
        clock: FakeClock,
        poster: Poster,
        spawn: Callable[..., None],
        credentials: Credentials,
        say: Callable[[Sender, str, str], None],
        changed: Callable[[], None],
        dice: random.Random,
    ) -> None:
        self._clock, self._poster, self._spawn = clock, poster, spawn
        self._credentials, self._say, self._dice = credentials, say, dice
        self._changed = changed
        self.shake = Shake()
        self.deliveries: list[Delivered] = []
        self.lost: list[str] = []

    def push(self, sender: Sender, sid: str, fields: Pairs) -> None:
        """A message from a phone."""
        if sender.webhook:
            self._spawn(self._bring(sender, sid, fields))

    async def _bring(self, sender: Sender, sid: str, fields: Pairs) -> None:
        for delay in self.shake.delays(self._dice):
            self._spawn(self._copy(sender, sid, fields, delay))
        answered = await self._with_retries(sender, sender.webhook, sid, fields)
        if not answered.good and sender.fallback:
            failed = [*fields, ("ErrorCode", "11200"), ("ErrorUrl", sender.webhook)]
            answered = await self._with_retries(sender, sender.fallback, sid, failed)
        if not answered.good:
            self.lost.append(sid)
            self._changed()
            return
        self._twiml(sender, dict(fields)["From"], answered)

    async def _with_retries(self, sender: Sender, url: str, sid: str, fields: Pairs) -> Answered:
        token = str(uuid.UUID(int=self._dice.getrandbits(128)))

        async def post(_: str, seconds: float) -> Answered:
            return await self._post(sender, url, sid, fields, token=token, seconds=seconds)

        def is_lost() -> bool:
            return self._dice.random() < self.shake.lost

        return await with_retries(self._clock, url, post, is_lost=is_lost)

    async def _copy(self, sender: Sender, sid: str, fields: Pairs, delay: float) -> None:
        await self._clock.sleep(delay)
        await self._post(sender, sender.webhook, sid, fields, copy=True)

    async def _post(
        self,
        sender: Sender,
        url: str,
        sid: str,
        fields: Pairs,
        *,
        token: str = "",
        copy: bool = False,
        seconds: float = BUDGET,
    ) -> Answered:
        target = url.partition("#")[0]
        signed_as = sender.signed_as if sender.signed_as and url == sender.webhook else target
        headers = self.headers(signed_as, fields)
        if token:
            headers["I-Twilio-Idempotency-Token"] = token
        answered = await self._poster.post(
            target, urlencode(fields).encode(), headers, timeout=seconds
        )
        self.deliveries.append(Delivered(self._clock.elapsed(), sid, answered.status, copy))
        return answered

    def headers(self, url: str, fields: Pairs) -> dict[str, str]:
        """Content type and signature: by the auth token, or by the shared key when there is one."""
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
        key_id, _, secret = self._credentials.shared_key.partition(":")
        if secret:
            settings = f"key={key_id},algorithm=HMAC_SHA256"
            headers["X-Twilio-Webhooks-Signature-Settings"] = settings
            headers["X-Twilio-Signature"] = signature(secret, url, fields, "sha256")
        else:
            headers["X-Twilio-Signature"] = signature(self._credentials.auth_token, url, fields)
        return headers

    def _twiml(self, sender: Sender, person: str, answered: Answered) -> None:
        """Messages in the answer are sent, as Twilio would; anything but XML is error 12300."""
        kind = answered.headers.get("Content-Type", "").partition(";")[0]
        if not answered.body:
            return
        if kind not in ("text/xml", "application/xml"):
            self.lost.append("12300")
            return
        try:
            root = ElementTree.fromstring(answered.body)
        except ElementTree.ParseError:
            self.lost.append("12100")
            return
        for message in root.iter("Message"):
            self._say(sender, person, "".join(message.itertext()))
