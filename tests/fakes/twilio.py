"""A small Twilio: Messages, Content and typing on one port, phones to play with (reference 8.4)."""

import base64
import itertools
import random
from collections.abc import Callable, Mapping

from aiohttp import web

from flows.sms import measure
from tests.fakes.breaking import Reply
from tests.fakes.faults import Call
from tests.fakes.hooks import Poster
from tests.fakes.server import FakeServer
from tests.fakes.twilio_checks import (
    check_callback,
    check_recipient,
    checked_sender,
    refuse,
    shown,
)
from tests.fakes.twilio_contents import ContentDesk
from tests.fakes.twilio_inbound import Inbound
from tests.fakes.twilio_media import MediaDesk
from tests.fakes.twilio_people import Phone
from tests.fakes.twilio_state import ENDED, ApiError, Content, Fields, Sender, Text
from tests.fakes.twilio_statuses import Statuses

Listener = Callable[[Phone, Text], None]
MESSAGES = "/2010-04-01/Accounts/{account}/Messages"
NUMBERS = "/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json"


class FakeTwilio(FakeServer):
    """Programmable Messaging on loopback, for one account.

    `shared_key` ("ID:SECRET") makes inbound webhooks signed by it instead of the auth token.
    """

    def __init__(
        self, *, account_sid: str = "AC" + "0" * 32, auth_token: str = "t" * 32,
        shared_key: str = "", host: str = "127.0.0.1", port: int = 0, speed: float = 1,
        seed: int = 1,
    ) -> None:  # fmt: skip
        super().__init__(host=host, port=port, speed=speed, seed=seed)
        self.account_sid, self.auth_token, self.shared_key = account_sid, auth_token, shared_key
        self.senders: dict[str, Sender] = {}
        self.phones: dict[tuple[str, str], Phone] = {}
        self.texts: dict[str, Text] = {}
        self.contents: dict[str, Content] = {}
        self.listeners: list[Listener] = []
        self.media = MediaDesk(self)
        self._sids = itertools.count(1)

    async def opened(self) -> None:
        self._poster = Poster()
        dice = random.Random(self.seed)
        self.inbound = Inbound(
            self.clock, self._poster, self.spawn, self, self._answered, self.changed, dice
        )
        self.statuses = Statuses(self.clock, self._poster, self.spawn, self.account_sid, dice)
        self.statuses.auth_token = self.auth_token

    async def closed(self) -> None:
        await self._poster.close()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"{MESSAGES}.json", self._create),
            web.get(f"{MESSAGES}.json", self._list),
            web.get(f"{MESSAGES}/{{sid}}.json", self._show),
            web.post(f"{MESSAGES}/{{sid}}.json", self._update),
            web.delete(f"{MESSAGES}/{{sid}}.json", self._delete),
            web.get("/2010-04-01/Accounts/{account}.json", self._account),
            web.get(NUMBERS, self._numbers),
            *ContentDesk(self).routes(),
            *self.media.routes(),
            web.post("/v3/Indicators/Typing.json", self._typing),
        ]

    # --- for tests ------------------------------------------------------------------------------

    def sender(self, address: str, webhook: str = "", **more: object) -> Sender:
        """A number, "whatsapp:+…" sender or MG… service of the account; see Sender."""
        sender = Sender(address, webhook)
        for name, value in more.items():
            setattr(sender, name, value)
        self.senders[address] = sender
        return sender

    def phone(self, address: str, sender: Sender | None = None) -> Phone:
        """Somebody's phone, talking with the sender (by default the first that fits)."""
        sender = sender or self._fitting(address)
        key = (sender.address, address)
        if key not in self.phones:
            self.phones[key] = Phone(self, sender, address)
        return self.phones[key]

    def listen(self, listener: Listener) -> None:
        """Call back on the fake's thread whenever a phone gets a message."""
        self.listeners.append(listener)

    def review(self, decision: str = "approved", reason: str = "") -> None:
        """Let WhatsApp decide about everything that was submitted."""
        for content in self.contents.values():
            if content.approval == "received":
                content.approval, content.reason = decision, reason

    def next_sid(self, prefix: str) -> str:
        """An id no other thing has."""
        return f"{prefix}{next(self._sids):032x}"

    def number_of(self, sender: Sender) -> str:
        """The number people see."""
        if sender.address.startswith("MG"):
            return "+447700900999"
        return sender.address.removeprefix("whatsapp:")

    def ledger(self) -> dict[str, object]:
        return {
            sid: {"to": text.to, "text": text.body, "at": text.created, "status": text.status,
                  "callback": text.callback, "payloads": [p for _, p in text.buttons]}
            for sid, text in self.texts.items()
        }  # fmt: skip

    def metrics(self) -> dict[str, object]:
        return super().metrics() | {
            "ledger": len(self.texts), "inbound_calls": len(self.inbound.deliveries),
            "inbound_lost": len(self.inbound.lost), "status_calls": len(self.statuses.calls),
            "contents": len(self.contents),
        }  # fmt: skip

    def reset(self) -> None:
        super().reset()
        self.texts.clear()

    def inject(self, fields: Mapping[str, object]) -> object:
        """`{"phone": "+447700900123", "do": "send", "with": ["hello"]}`, perhaps with `sender`;
        `{"sender": "+44…", "webhook": "http://…"}` makes a sender."""
        if "sender" in fields and "do" not in fields:
            self.sender(str(fields["sender"]), str(fields.get("webhook", "")))
            return None
        named = self.senders[str(fields["sender"])] if "sender" in fields else None
        phone, act = self.phone(str(fields["phone"]), named), str(fields["do"])
        if act not in ("send", "tap", "location", "media", "block", "unblock"):
            raise ValueError(f"a phone cannot {act}")
        given = fields.get("with", [])
        return getattr(phone, act)(*(given if isinstance(given, list) else [given]))

    # --- the API --------------------------------------------------------------------------------

    async def _create(self, request: web.Request) -> web.StreamResponse:
        given = {name: str(value) for name, value in (await request.post()).items()}
        call = Call("messages", given.get("To", ""), given.get("Body", ""), given)
        response = await self.answer(request, call, lambda: self._guard(request, self._take, given))
        if self.statuses.plan.before_response:
            await self.clock.sleep(3 * self.statuses.plan.step)
        return response

    def _guard(
        self,
        request: web.Request,
        act: Callable[[Mapping[str, str]], Reply],
        given: Mapping[str, str],
    ) -> Reply:
        try:
            self.authorise(request)
            return act(given)
        except ApiError as refusal:
            return Reply(refusal.status, refusal.body())

    def authorise(self, request: web.Request) -> None:
        """Refuse whoever does not name account and token."""
        pair = base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()
        account = request.match_info.get("account", self.account_sid)
        if request.headers.get("Authorization") != f"Basic {pair}" or account != self.account_sid:
            raise ApiError(401, 20003, "Authenticate")

    def _take(self, given: Mapping[str, str]) -> Reply:
        sender, to = checked_sender(self, given), given["To"]
        check_recipient(sender, to)
        check_callback(given.get("StatusCallback", ""))
        body, buttons = shown(self, given)
        self._queue(sender)
        service = sender.address if sender.address.startswith("MG") else ""
        text = Text(
            self.next_sid("SM"), sender.address, to, body, "outbound-api",
            "accepted" if service else "queued", self.clock.elapsed(),
            callback=given.get("StatusCallback", ""), buttons=buttons, service=service,
            segments=measure(body).parts, approved=self._is_approved(given),
        )  # fmt: skip
        self.texts[text.sid] = text
        self._bring(sender, text)
        return Reply(201, text.as_api(self.account_sid), committed=text.sid)

    def _is_approved(self, given: Mapping[str, str]) -> bool:
        content = self.contents.get(given.get("ContentSid", ""))
        return content is not None and content.approval == "approved"

    def _queue(self, sender: Sender) -> None:
        """The sender's pace: what is over its queue is refused, the rest leaves later."""
        if sender.mps is None:
            return
        now = self.clock.elapsed()
        waiting = max(0.0, sender.free_at - now) * sender.mps
        if waiting >= sender.queue:
            raise refuse(21611)
        sender.free_at = max(sender.free_at, now) + 1 / sender.mps

    def _bring(self, sender: Sender, text: Text) -> None:
        phone = self.phone(text.to, sender)
        states, error = self.statuses.course(text, sender, reads=phone.reads)
        if phone.blocked and phone.on_whatsapp:
            states, error = ["queued", "undelivered"], 63014
        elif not phone.reachable:
            states, error = ["queued", "sent", "undelivered"], 30003
        if error is None:
            phone.inbox.append(text)
            self.changed()
            for listener in self.listeners:
                listener(phone, text)
        self.spawn(self.statuses.follow(text, states, error))

    def _answered(self, sender: Sender, person: str, text: str) -> None:
        self._take({"From": sender.address, "To": person, "Body": text})

    def _fitting(self, address: str) -> Sender:
        whatsapp = address.startswith("whatsapp:")
        for sender in self.senders.values():
            if sender.address.startswith("whatsapp:") == whatsapp:
                return sender
        raise LookupError("no sender for this phone")

    async def _account(self, request: web.Request) -> web.StreamResponse:
        answer: Fields = {"sid": self.account_sid, "friendly_name": "Fake", "status": "active"}
        return await self.read(request, "account", lambda _: Reply(200, answer))

    async def _numbers(self, request: web.Request) -> web.StreamResponse:
        wanted = request.query.get("PhoneNumber")
        found = [
            {"phone_number": one.address, "sms_url": one.webhook, "sms_method": "POST"}
            for one in self.senders.values()
            if one.address.startswith("+") and wanted in (None, one.address)
        ]
        answer: Fields = {"incoming_phone_numbers": found}
        return await self.read(request, "numbers", lambda _: Reply(200, answer))

    async def _list(self, request: web.Request) -> web.StreamResponse:
        to = request.query.get("To")
        found = [t.as_api(self.account_sid) for t in self.texts.values() if to in (None, t.to)]
        listed = Reply(200, {"messages": found, "page": 0, "page_size": 50})
        return await self.read(request, "list", lambda _: listed)

    async def _show(self, request: web.Request) -> web.StreamResponse:
        return await self.read(request, "fetch", lambda _: self._found(request))

    async def _update(self, request: web.Request) -> web.StreamResponse:
        given = await request.post()

        def act(_: Mapping[str, str]) -> Reply:
            text = self._text(request)
            if given.get("Status") == "canceled" and text.status not in ENDED:
                text.status = "canceled"
            if given.get("Body") == "":
                text.body = ""
            return self._found(request)

        return await self.read(request, "update", act)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        def act(_: Mapping[str, str]) -> Reply:
            del self.texts[self._text(request).sid]
            return Reply(204, "")

        return await self.read(request, "delete", act)

    async def _typing(self, request: web.Request) -> web.StreamResponse:
        return await self.read(request, "typing", lambda _: Reply(200, {"success": True}))

    async def read(
        self, request: web.Request, method: str, act: Callable[[Mapping[str, str]], Reply]
    ) -> web.StreamResponse:
        return await self.answer(request, Call(method), lambda: self._guard(request, act, {}))

    def _found(self, request: web.Request) -> Reply:
        return Reply(200, self._text(request).as_api(self.account_sid))

    def _text(self, request: web.Request) -> Text:
        text = self.texts.get(request.match_info["sid"])
        if text is None:
            raise ApiError(404, 20404, "The requested resource was not found")
        return text
