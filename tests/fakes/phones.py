"""The demo's providers: the fakes with phones that another process can look at and type on.

`python -m tests.fakes.phones FILE` reads a JSON file: `telegram` {port, token, username, secret,
webhook} and `twilio` {port, account_sid, auth_token, senders: {ADDRESS: WEBHOOK}, templates:
{ID: CONTENT}}, which WhatsApp has approved. Beside the
providers' own APIs each serves `GET /__fake__/phone?who=…` (what stands on that screen) and
`POST /__fake__/phone` (`{"who", "do": send|press|voice|sticker|photo|pin|contact|block|unblock}`).
"""

import argparse
import itertools
import json
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.fakes.server import FakeServer
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_people import Person
from tests.fakes.telegram_state import Account, Chat, Webhook
from tests.fakes.twilio import FakeTwilio
from tests.fakes.twilio_checks import checked_content
from tests.fakes.twilio_people import Phone
from tests.fakes.twilio_state import Content

Entry = dict[str, Any]
MEDIA = {"voice": "audio/ogg", "sticker": "image/webp", "photo": "image/jpeg"}
SAID = {
    "voice": "\U0001f3a4 0:07",
    "photo": "\U0001f5bc",
    "pin": "\U0001f4cd",
    "contact": "\U0001f464",
}
CAPE_TOWN = (-33.92, 18.42)


class OpenChats(dict[int, Chat]):
    """Every chat exists: the members of a demo opened theirs before this process began."""

    def get(self, key: int, default: Any = None) -> Chat:
        """The chat with this person."""
        if key not in self:
            self[key] = Chat(key, {"id": key, "type": "private", "first_name": f"Person {key}"})
        return self[key]


class Screens:
    """What people of one fake did themselves; what came to them the fake knows."""

    def __init__(self, fake: FakeServer) -> None:
        self._fake = fake
        self._own: dict[str, list[Entry]] = {}

    def note(self, who: str, kind: str, text: str) -> None:
        """Remember that this person did something just now."""
        entry = {"from": "person", "kind": kind, "text": text, "at": self._fake.clock.elapsed()}
        self._own.setdefault(who, []).append(entry)

    def show(self, who: str, came: list[Entry]) -> web.Response:
        """Everything on one screen, oldest first, with its age in seconds."""
        now = self._fake.clock.elapsed()
        entries = sorted([*self._own.get(who, ()), *came], key=lambda entry: float(entry["at"]))
        shown = [entry | {"age": now - float(entry["at"])} for entry in entries]
        return web.json_response({"date": self._fake.clock.date(), "entries": shown})


class TelegramPhones(FakeTelegram):
    """Telegram with people to look at."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(any_token=True, port=given["port"])
        account = Account(given["token"], given["username"])
        account.webhook = Webhook(given["webhook"], given["secret"])
        account.chats = OpenChats()
        # Ids must differ from those of the run before: the application remembers them.
        account._message_ids = itertools.count(int(time.time()))
        self._queries = itertools.count(time.time_ns())
        self.accounts[account.token] = account
        self.desk = account
        self.screens = Screens(self)

    def routes(self) -> list[web.RouteDef]:
        return [*_phone_routes(self._look, self._do), *super().routes()]

    async def _look(self, request: web.Request) -> web.Response:
        who = request.query["who"]
        chat = self.desk.chats.get(int(who))
        assert chat is not None
        came = [
            {
                "from": "us",
                "id": str(bubble.id),
                "text": bubble.text,
                "rows": [
                    [{"label": b["text"], "payload": b["callback_data"]} for b in row]
                    for row in bubble.rows
                ],
                "at": self._came_at(bubble.id, int(who)),
            }
            for bubble in chat.bubbles.values()
        ]
        return self.screens.show(who, came)

    def _came_at(self, bubble: int, chat: int) -> float:
        return float(str(self.taken[f"{self.desk.id}:{chat}:{bubble}"]["at"]))

    async def _do(self, request: web.Request) -> web.Response:
        given = await request.json()
        who, act = str(given["who"]), str(given["do"])
        person = self.person(int(who), language=str(given.get("language", "en")), bot=self.desk)
        person.chat = self.desk.chats.get(int(who)) or person.chat
        text = str(given.get("text", ""))
        self.screens.note(who, act, _own_words(act, given))
        self._act(person, act, text, given)
        return web.json_response({})

    def _act(self, person: Person, act: str, text: str, given: Mapping[str, Any]) -> None:
        match act:
            case "send":
                person.send(text)
            case "press":
                bubble = person.chat.bubbles[int(given["message"])]
                person.press(bubble, str(given["payload"]))
            case "pin":
                person.location(*CAPE_TOWN)
            case "sticker":
                person.sticker(text or "\U0001f642")
            case "contact":
                person.contact("+447700900123")
            case "voice" | "photo" | "block" | "unblock":
                getattr(person, act)()


class TwilioPhones(FakeTwilio):
    """Twilio with phones to look at; `who` is a number, or whatsapp: and a number."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(
            account_sid=given["account_sid"], auth_token=given["auth_token"], port=given["port"]
        )
        self._sids = itertools.count(time.time_ns())
        for address, webhook in given["senders"].items():
            self.sender(address, webhook)
        for sid, definition in given["templates"].items():
            self.contents[sid] = Content(sid, checked_content(definition), approval="approved")
        self.screens = Screens(self)

    def routes(self) -> list[web.RouteDef]:
        return [*_phone_routes(self._look, self._do), *super().routes()]

    async def _look(self, request: web.Request) -> web.Response:
        who = request.query["who"]
        came = [
            {
                "from": "us" if text.direction != "provider" else "provider",
                "id": text.sid,
                "text": text.body,
                "rows": [[{"label": label, "payload": p}] for label, p in text.buttons],
                "status": text.status,
                "at": text.created,
            }
            for text in self.phone(who).inbox
        ]
        return self.screens.show(who, came)

    async def _do(self, request: web.Request) -> web.Response:
        given = await request.json()
        who, act = str(given["who"]), str(given["do"])
        phone = self.phone(who)
        self.screens.note(who, act, _own_words(act, given))
        self._act(phone, act, given)
        return web.json_response({})

    def _act(self, phone: Phone, act: str, given: Mapping[str, Any]) -> None:
        match act:
            case "send":
                phone.send(str(given.get("text", "")))
            case "press":
                text = next(one for one in phone.inbox if one.sid == given["message"])
                phone._press(text, str(given.get("text", "")), str(given["payload"]))
            case "pin":
                phone.location(*CAPE_TOWN)
            case "voice" | "sticker" | "photo":
                phone.media(MEDIA[act])
            case "block" | "unblock":
                getattr(phone, act)()


def _phone_routes(look: Callable[..., Any], do: Callable[..., Any]) -> list[web.RouteDef]:
    return [web.get("/__fake__/phone", look), web.post("/__fake__/phone", do)]


def _own_words(act: str, given: Mapping[str, Any]) -> str:
    text = str(given.get("text", ""))
    return text or SAID.get(act, "\U0001f642" if act == "sticker" else "")


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="The demo's providers, with phones.")
    parser.add_argument("file", type=Path)
    given = json.loads(parser.parse_args().file.read_text(encoding="utf-8"))
    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    with TelegramPhones(given["telegram"]) as telegram, TwilioPhones(given["twilio"]) as twilio:
        print(f"telegram {telegram.url} twilio {twilio.url}", flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
