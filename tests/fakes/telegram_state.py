"""What the fake Telegram knows: accounts of bots, their chats, messages and waiting updates."""

import asyncio
import itertools
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

Fields = dict[str, object]
DEFAULT_KINDS = frozenset(
    "message edited_message callback_query my_chat_member poll poll_answer channel_post".split()
)
DAY = 86_400.0
TAP_LIFE = 150.0


class ApiError(Exception):
    """A refusal in the Bot API's own words."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters

    def body(self) -> Fields:
        """The JSON the server answers with."""
        answer: Fields = {
            "ok": False,
            "error_code": self.status,
            "description": self.description,
        }
        if self.parameters:
            answer["parameters"] = dict(self.parameters)
        return answer


@dataclass(slots=True)
class Bubble:
    """One message of a bot as the person sees it."""

    id: int
    chat: int
    text: str
    date: int
    rows: list[list[dict[str, str]]] = field(default_factory=list)
    edits: int = 0
    kind: str = "text"
    poll: "NativePoll | None" = None

    @property
    def labels(self) -> list[str]:
        """The buttons' words, row after row."""
        return [button["text"] for row in self.rows for button in row]

    def button(self, label: str) -> dict[str, str]:
        """The button with this label; a tick before it may be left out. LookupError if none."""
        for row in self.rows:
            for button in row:
                if button["text"] == label or button["text"].lstrip("\u2610\u2611 ") == label:
                    return button
        raise LookupError(f"no button {label!r} among {self.labels}")

    def as_api(self, bot: Mapping[str, object], chat: Mapping[str, object]) -> Fields:
        """The Message object."""
        fields: Fields = {
            "message_id": self.id,
            "from": dict(bot),
            "chat": dict(chat),
            "date": self.date,
            "text": self.text,
        }
        if self.rows:
            fields["reply_markup"] = {"inline_keyboard": self.rows}
        if self.poll is not None:
            del fields["text"]
            fields["poll"] = self.poll.as_api()
        return fields


@dataclass(slots=True)
class NativePoll:
    """A poll in a chat: who voted is known to nobody outside this object."""

    id: str
    question: str
    options: list[str]
    anonymous: bool
    closes_at: float | None = None
    votes: dict[int, int] = field(default_factory=dict)
    closed: bool = False

    def as_api(self) -> Fields:
        """The Poll object."""
        counts = [list(self.votes.values()).count(place) for place in range(len(self.options))]
        return {
            "id": self.id,
            "question": self.question,
            "options": [
                {"text": text, "voter_count": count}
                for text, count in zip(self.options, counts, strict=True)
            ],
            "total_voter_count": len(self.votes),
            "is_closed": self.closed,
            "is_anonymous": self.anonymous,
            "type": "regular",
            "allows_multiple_answers": False,
        }


@dataclass(slots=True)
class Chat:
    """A private chat or a group of one bot."""

    id: int
    fields: Fields
    blocked: bool = False
    deactivated: bool = False
    moved_to: int | None = None
    keyboard: list[dict[str, object]] = field(default_factory=list)
    """The keys in place of the phone's own, as the last message that changed them left them."""
    bubbles: dict[int, Bubble] = field(default_factory=dict)
    tokens: float = 3.0
    refilled_at: float = 0.0

    @property
    def private(self) -> bool:
        """Whether it is a chat with one person."""
        return self.id > 0


@dataclass(slots=True)
class Waiting:
    """An update that the application has not confirmed yet."""

    update: Fields
    queue: str
    expires_at: float
    attempts: int = 0
    asked_to_wait: int = 0

    @property
    def id(self) -> int:
        """update_id."""
        return int(str(self.update["update_id"]))

    @property
    def name(self) -> str:
        """The id of the message or the button press it brings; empty for anything else."""
        said = self.update.get("message") or self.update.get("callback_query")
        if not isinstance(said, dict):
            return ""
        return str(said.get("message_id") or said["id"])


@dataclass(slots=True)
class Webhook:
    """Where updates go."""

    url: str
    secret: str = ""
    max_connections: int = 40


@dataclass(frozen=True, slots=True)
class Delivered:
    """One attempt to bring an update to the application; `name` is its message's or query's id."""

    at: float
    update_id: int
    status: int
    copy: bool
    name: str = ""


class Account:
    """One bot: who it is, its chats, its queue of updates."""

    def __init__(self, token: str, username: str) -> None:
        self.token = token
        self.id = int(token.partition(":")[0])
        self.username = username
        self.webhook: Webhook | None = None
        self.kinds = DEFAULT_KINDS
        self.chats: dict[int, Chat] = {}
        self.taps: dict[str, tuple[float, bool]] = {}
        self.waiting: dict[int, Waiting] = {}
        self.queues: dict[str, deque[Waiting]] = {}
        self.deliveries: list[Delivered] = []
        self.last_error = ""
        self.last_error_date = 0
        self.dressed: Fields = {}
        self.polling = False
        self.arrived = asyncio.Event()
        self.tokens = 30.0
        self.refilled_at = 0.0
        self.room = asyncio.Semaphore(40)
        self._update_ids = itertools.count(900_000_001)
        self._message_ids = itertools.count(11)

    @property
    def user(self) -> Fields:
        """The User object of the bot."""
        return {
            "id": self.id,
            "is_bot": True,
            "first_name": "Fake desk",
            "username": self.username,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    def next_message(self) -> int:
        """The next message id."""
        return next(self._message_ids)

    def next_update(self) -> int:
        """The next update id."""
        return next(self._update_ids)

    def chat(self, chat_id: int) -> Chat:
        """The chat; ApiError when nobody ever opened it."""
        chat = self.chats.get(chat_id)
        if chat is None:
            raise ApiError(400, "Bad Request: chat not found")
        return chat
