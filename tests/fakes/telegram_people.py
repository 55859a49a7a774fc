"""People with a Telegram app: what they do becomes updates, what a bot says shows up with them."""

from typing import TYPE_CHECKING

from tests.fakes.telegram_state import DAY, TAP_LIFE, Account, Bubble, Chat, Fields

if TYPE_CHECKING:
    from tests.fakes.telegram import FakeTelegram


class Person:
    """One person in a private chat with one bot; every method may be called from any thread."""

    def __init__(self, fake: "FakeTelegram", account: Account, number: int, language: str) -> None:
        self._fake = fake
        self._account = account
        self.id = number
        self.user: Fields = {
            "id": number,
            "is_bot": False,
            "first_name": f"Person {number}",
            "language_code": language,
        }
        fields: Fields = {"id": number, "type": "private", "first_name": f"Person {number}"}
        self.chat = Chat(number, fields)
        self.said: list[int] = []

    @property
    def bubbles(self) -> list[Bubble]:
        """What the bot said, in order."""
        return [self.chat.bubbles[key] for key in sorted(self.chat.bubbles)]

    @property
    def last(self) -> Bubble:
        """The bot's latest message; LookupError when it never wrote."""
        return self.bubbles[-1]

    def send(self, text: str) -> int:
        """Type something; returns the message id."""
        return self._say({"text": text, **_entities(text)})

    def start(self, payload: str = "") -> int:
        """Open the bot, perhaps through a deep link."""
        return self.send(f"/start {payload}".rstrip())

    def location(self, latitude: float, longitude: float) -> int:
        """Share a place."""
        return self._say({"location": {"latitude": latitude, "longitude": longitude}})

    def contact(self, number: str, *, own: bool = True) -> int:
        """Share a contact card."""
        card = {"phone_number": number, "first_name": "Somebody"}
        return self._say({"contact": card | ({"user_id": self.id} if own else {})})

    def sticker(self, emoji: str) -> int:
        """Send a sticker."""
        sticker = {
            "file_id": "s",
            "file_unique_id": "s",
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": False,
            "is_video": False,
            "emoji": emoji,
        }
        return self._say({"sticker": sticker})

    def voice(self, file: str = "v", seconds: int = 7) -> int:
        """Send a voice note."""
        told = {"file_id": file, "file_unique_id": file, "duration": seconds}
        return self._say({"voice": told | {"mime_type": "audio/ogg"}})

    def photo(self, caption: str | None = None) -> int:
        """Send a picture."""
        sizes = [{"file_id": "p", "file_unique_id": "p", "width": 90, "height": 67}]
        return self._say({"photo": sizes} | ({"caption": caption} if caption else {}))

    def file(self, kind: str) -> int:
        """Send a document or a video."""
        return self._say({kind: {"file_id": "f", "file_unique_id": "f"}})

    def forward(self, text: str) -> int:
        """Pass on what somebody else wrote."""
        origin = {"type": "hidden_user", "date": 1, "sender_user_name": "Somebody"}
        return self._say({"text": text, "forward_origin": origin})

    def react(self, message_id: int, emoji: str) -> None:
        """React to a message of the bot; only bots that ask for reactions hear of it."""
        fields: Fields = {
            "chat": self.chat.fields,
            "message_id": message_id,
            "user": self.user,
            "date": int(self._fake.clock.date()),
            "old_reaction": [],
            "new_reaction": [{"type": "emoji", "emoji": emoji}],
        }
        self._push("message_reaction", fields, f"chat:{self.id}", DAY)

    def edit(self, message_id: int, text: str) -> None:
        """Change an earlier message."""
        now = int(self._fake.clock.date())
        fields = self._envelope(message_id) | {"text": text, "edit_date": now}
        self._push("edited_message", fields, f"chat:{self.id}", DAY)

    def tap(self, label: str, bubble: Bubble | None = None) -> str:
        """Press a button, by default on the newest message that has it; returns the query id."""
        return self._fake.run(lambda: self._tap(label, bubble))

    def press(self, bubble: Bubble, payload: str) -> str:
        """Press what a modified app makes up: any payload on any message."""
        return self._fake.run(lambda: self._press(bubble, payload))

    def _tap(self, label: str, bubble: Bubble | None) -> str:
        candidates = self.bubbles[::-1] if bubble is None else [bubble]
        for candidate in candidates:
            if _has(candidate, label):
                return self._press(candidate, candidate.button(label)["callback_data"])
        raise LookupError(f"no message with the button {label!r}")

    def _press(self, bubble: Bubble, payload: str) -> str:
        query = self._fake.next_query()
        self._account.taps[query] = (self._fake.clock.elapsed(), False)
        fields: Fields = {
            "id": query,
            "from": self.user,
            "chat_instance": str(-self.id),
            "message": bubble.as_api(self._account.user, self.chat.fields),
            "data": payload,
        }
        self._push("callback_query", fields, f"user:{self.id}", TAP_LIFE)
        return query

    def block(self) -> None:
        """Block the bot."""
        self._membership("member", "kicked")

    def unblock(self) -> None:
        """Take the block away."""
        self._membership("kicked", "member")

    def deactivate(self) -> None:
        """Delete the account."""
        self.chat.deactivated = True

    def wait_for(self, count: int, seconds: float = 10) -> Bubble:
        """Wait until the bot has said `count` things; returns the latest."""
        self._fake.wait_until(lambda: len(self.chat.bubbles) >= count, seconds)
        return self.last

    def _membership(self, old: str, new: str) -> None:
        self.chat.blocked = new == "kicked"
        fields: Fields = {
            "chat": self.chat.fields,
            "from": self.user,
            "date": int(self._fake.clock.date()),
            "old_chat_member": _member(self._account, old),
            "new_chat_member": _member(self._account, new),
        }
        self._push("my_chat_member", fields, f"member:{self.id}", DAY)

    def _say(self, content: Fields) -> int:
        def act() -> int:
            message_id = self._account.next_message()
            fields = self._envelope(message_id) | content
            self._account.chats.setdefault(self.id, self.chat)
            self.said.append(message_id)
            self._push("message", fields, f"chat:{self.id}", DAY)
            return message_id

        return self._fake.run(act)

    def _envelope(self, message_id: int) -> Fields:
        return {
            "message_id": message_id,
            "from": self.user,
            "chat": self.chat.fields,
            "date": int(self._fake.clock.date()),
        }

    def _push(self, kind: str, fields: Fields, queue: str, life: float) -> None:
        self._fake.run(lambda: self._fake.courier.push(self._account, kind, fields, queue, life))


class Group:
    """A group with the bot in it."""

    def __init__(self, fake: "FakeTelegram", account: Account, number: int, title: str) -> None:
        self._fake = fake
        self._account = account
        fields: Fields = {"id": number, "type": "supergroup", "title": title}
        self.chat = Chat(number, fields)
        account.chats[number] = self.chat

    def say(self, person: Person, text: str) -> int:
        """Somebody writes into the group."""

        def act() -> int:
            message_id = self._account.next_message()
            fields: Fields = {
                "message_id": message_id,
                "from": person.user,
                "chat": self.chat.fields,
                "date": int(self._fake.clock.date()),
                "text": text,
                **_entities(text),
            }
            queue = f"chat:{self.chat.id}"
            self._fake.courier.push(self._account, "message", fields, queue, DAY)
            return message_id

        return self._fake.run(act)

    def vote(self, person: Person, bubble: Bubble, option: int | None) -> None:
        """Somebody votes in a poll of the bot, or takes their vote back (None)."""

        def act() -> None:
            poll = bubble.poll
            if poll is None:
                raise LookupError("this is no poll")
            over = poll.closes_at is not None and poll.closes_at <= self._fake.clock.elapsed()
            if poll.closed or over:
                return
            poll.votes.pop(person.id, None)
            if option is not None:
                poll.votes[person.id] = option
            self._fake.tell_poll(self._account, poll)

        self._fake.run(act)

    @property
    def bubbles(self) -> list[Bubble]:
        """What the bot said here, in order."""
        return [self.chat.bubbles[key] for key in sorted(self.chat.bubbles)]

    def migrate(self, new_id: int) -> None:
        """Become a supergroup under another id."""
        self.chat.moved_to = new_id
        self._account.chats[new_id] = Chat(new_id, self.chat.fields | {"id": new_id})


def _has(bubble: Bubble, label: str) -> bool:
    try:
        bubble.button(label)
    except LookupError:
        return False
    return True


def _entities(text: str) -> Fields:
    if not text.startswith("/"):
        return {}
    return {"entities": [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]}


def _member(account: Account, status: str) -> Fields:
    member: Fields = {"user": account.user, "status": status}
    return member | ({"until_date": 0} if status == "kicked" else {})
