"""A small Telegram: real HTTP, real refusals, people to play with (reference 8.3)."""

import asyncio
import itertools
import json
import random
from collections.abc import Callable, Mapping

from aiohttp import web

from tests.fakes.breaking import Reply
from tests.fakes.faults import Call
from tests.fakes.hooks import Poster
from tests.fakes.server import FakeServer
from tests.fakes.telegram_methods import METHODS, NOT_IN_ANSWERS
from tests.fakes.telegram_people import Group, Person
from tests.fakes.telegram_queues import Courier
from tests.fakes.telegram_state import (
    DAY,
    Account,
    ApiError,
    Bubble,
    Chat,
    Fields,
    NativePoll,
)

VOICE = b"OggS a voice note"

Listener = Callable[[Person, Bubble], None]


class FakeTelegram(FakeServer):
    """The Bot API on loopback.

    `limits` False switches the rate model off; `any_token` lets every well-formed token in.
    """

    def __init__(
        self, *, limits: bool = True, any_token: bool = False, host: str = "127.0.0.1",
        port: int = 0, speed: float = 1, seed: int = 1,
    ) -> None:  # fmt: skip
        super().__init__(host=host, port=port, speed=speed, seed=seed)
        self.limits, self.any_token = limits, any_token
        self.accounts: dict[str, Account] = {}
        self.people: dict[tuple[int, int], Person] = {}
        self.taken: dict[str, Fields] = {}
        self.listeners: list[Listener] = []
        self.files: dict[str, bytes] = {"v": VOICE}
        self._queries = itertools.count(3_006_930_000_000_000_001)
        self._numbers = itertools.count(1001)

    async def opened(self) -> None:
        self._poster = Poster()
        self.courier = Courier(
            self.clock, self._poster, self.spawn, self._from_answer, self.changed,
            random.Random(self.seed),
        )  # fmt: skip

    async def closed(self) -> None:
        await self._poster.close()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", "/bot{token}/{method}", self._api),
            web.get("/file/bot{token}/{path:.*}", self._file),
        ]

    # --- for tests ------------------------------------------------------------------------------

    def bot(self, token: str, username: str = "fake_desk_bot") -> Account:
        """Let a bot with this token exist."""
        return self.run(lambda: self.accounts.setdefault(token, Account(token, username)))

    def person(
        self, number: int | None = None, *, language: str = "en", bot: Account | None = None
    ) -> Person:
        """A person in front of the bot (by default the first one); they have not spoken yet."""
        account = bot or next(iter(self.accounts.values()))
        number = number or next(self._numbers)
        key = (account.id, number)
        if key not in self.people:
            self.people[key] = Person(self, account, number, language)
        return self.people[key]

    def group(self, number: int = -1002000000001, *, bot: Account | None = None) -> Group:
        """A group with the bot in it."""
        account = bot or next(iter(self.accounts.values()))
        return self.run(lambda: Group(self, account, number, "A group"))

    def listen(self, listener: Listener) -> None:
        """Call back on the fake's thread when a person sees a new message or changed buttons."""
        self.listeners.append(listener)

    # --- for the parts --------------------------------------------------------------------------

    def next_query(self) -> str:
        """The id of the next button press."""
        return str(next(self._queries))

    def listed(self, value: object) -> list[object]:
        """A list that may have come as JSON in a form."""
        if isinstance(value, str):
            value = json.loads(value or "[]")
        return value if isinstance(value, list) else []

    def widen(self, account: Account, connections: int) -> None:
        """So many webhook calls at once."""
        account.room = asyncio.Semaphore(connections)

    def commit(
        self,
        account: Account,
        chat: Chat,
        text: str,
        rows: list[list[dict[str, str]]],
        kind: str = "text",
    ) -> Bubble:
        """Take a message: from here on the person has it."""
        bubble = Bubble(
            account.next_message(), chat.id, text, int(self.clock.date()), rows, kind=kind
        )
        chat.bubbles[bubble.id] = bubble
        self.taken[f"{account.id}:{chat.id}:{bubble.id}"] = {
            "to": chat.id, "text": text, "at": self.clock.elapsed(), "kind": kind,
            "payloads": [b.get("callback_data", "") for row in rows for b in row],
        }  # fmt: skip
        self.notice(account, chat, bubble)
        return bubble

    def notice(self, account: Account, chat: Chat, bubble: Bubble) -> None:
        """The person sees a message, new or changed."""
        self.changed()
        if (person := self.people.get((account.id, chat.id))) is not None:
            for listener in self.listeners:
                listener(person, bubble)

    def end_poll(self, account: Account, poll: NativePoll) -> None:
        """Close a poll and tell the bot."""
        poll.closed = True
        self.tell_poll(account, poll)

    def tell_poll(self, account: Account, poll: NativePoll) -> None:
        """Let the bot know how a poll of its own stands."""
        self.courier.push(account, "poll", poll.as_api(), f"poll:{poll.id}", DAY)

    def ledger(self) -> dict[str, object]:
        return dict(self.taken)

    def reset(self) -> None:
        super().reset()
        self.taken.clear()

    def metrics(self) -> dict[str, object]:
        waiting = sum(len(account.waiting) for account in self.accounts.values())
        deliveries = sum(len(account.deliveries) for account in self.accounts.values())
        return super().metrics() | {
            "ledger": len(self.taken), "updates_waiting": waiting, "webhook_calls": deliveries,
        }  # fmt: skip

    def inject(self, fields: Mapping[str, object]) -> object:
        """`{"person": 1001, "do": "send", "with": ["hello"]}` or `{"update": {…}}` as it stands."""
        account = self._account(str(fields.get("token", "")))
        if isinstance(update := fields.get("update"), dict):
            (kind, content), *_ = [(k, v) for k, v in update.items() if k != "update_id"]
            return self.courier.push(account, kind, content, f"raw:{kind}", 3600)
        person = self.person(int(str(fields["person"])), bot=account)
        act = str(fields["do"])
        if act not in ("send", "start", "tap", "location", "voice", "sticker", "block", "unblock"):
            raise ValueError(f"a person cannot {act}")
        given = fields.get("with", [])
        return getattr(person, act)(*(given if isinstance(given, list) else [given]))

    # --- the Bot API ----------------------------------------------------------------------------

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"].lower()
        given = await _parameters(request)
        call = Call(method, str(given.get("chat_id", "")), str(given.get("text", "")), given)
        if method == "getupdates":
            return await self._get_updates(request, call)
        token = request.match_info["token"]
        return await self.answer(request, call, lambda: self._reply(token, method, given))

    def _reply(self, token: str, method: str, given: Mapping[str, object]) -> Reply:
        before = len(self.taken)
        try:
            result = self._execute(self._account(token), method, given)
        except ApiError as refusal:
            wait = refusal.parameters.get("retry_after")
            headers = {"Retry-After": str(wait)} if wait is not None else {}
            return Reply(refusal.status, refusal.body(), headers)
        committed = next(reversed(self.taken)) if len(self.taken) > before else ""
        return Reply(200, {"ok": True, "result": result}, committed=committed)

    def _execute(self, account: Account, method: str, given: Mapping[str, object]) -> object:
        carry_out = METHODS.get(method)
        if carry_out is None:
            raise ApiError(404, "Not Found: method not found")
        return carry_out(self, account, given)

    def _from_answer(self, account: Account, method: str, given: Mapping[str, object]) -> None:
        name = method.lower()
        if name.startswith("get") or name in NOT_IN_ANSWERS:
            return
        self.counts[f"in_answer:{name}"] += 1
        try:
            self._execute(account, name, given)
        except ApiError:
            self.counts[f"in_answer_refused:{name}"] += 1

    def _account(self, token: str) -> Account:
        if not token and self.accounts:
            return next(iter(self.accounts.values()))
        if token not in self.accounts:
            number = token.partition(":")[0]
            if not number.isdecimal():
                raise ApiError(404, "Not Found")
            if not self.any_token:
                raise ApiError(401, "Unauthorized")
            self.accounts[token] = Account(token, "fake_desk_bot")
        return self.accounts[token]

    async def _get_updates(self, request: web.Request, call: Call) -> web.StreamResponse:
        def act() -> Reply:
            return Reply(200, {"ok": True, "result": batch})

        batch: list[Fields] = []
        try:
            account = self._account(request.match_info["token"])
            if account.webhook is not None or account.polling:
                raise ApiError(409, "Conflict: terminated by other getUpdates request or webhook")
        except ApiError as refusal:
            problem = Reply(refusal.status, refusal.body())
            return await self.answer(request, call, lambda: problem)
        batch = await self._poll(account, call.fields)
        return await self.answer(request, call, act)

    async def _poll(self, account: Account, given: Mapping[str, object]) -> list[Fields]:
        offset, limit = int(str(given.get("offset", 0))), int(str(given.get("limit", 100)))
        wait = min(float(str(given.get("timeout", 0))), 50.0)
        for update_id in [held for held in account.waiting if held < offset]:
            del account.waiting[update_id]
        account.polling = True
        try:
            if not account.waiting and wait:
                account.arrived.clear()
                async with asyncio.timeout(wait / self.clock.speed):
                    await account.arrived.wait()
        except TimeoutError:
            pass
        finally:
            account.polling = False
        return [held.update for _, held in sorted(account.waiting.items())][:limit]

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["path"].removeprefix("voice/").removesuffix(".oga")
        if request.match_info["token"] not in self.accounts or name not in self.files:
            return web.Response(status=404)
        return web.Response(body=self.files[name], content_type="application/octet-stream")


async def _parameters(request: web.Request) -> dict[str, object]:
    given: dict[str, object] = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except ValueError:
            body = None
        return given | (body if isinstance(body, dict) else {})
    if request.method == "POST":
        given |= dict((await request.post()).items())
    return given
