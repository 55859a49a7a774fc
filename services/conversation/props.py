"""What a scene is made of: who spoke on which line, where they stand, and the rows they cause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flows.inputs import Input
from flows.state import State, Value
from services.catalogue import Published

TEST: Final = "test"
"""What the origin of a passage holds through which somebody only tries a poll."""

LEADS: Final = "leads"
"""In the origin of a passage: RELAY was sent, with this code or none, and waits for its end."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One delivery of a provider, without anything of its format.

    `mark` stands for typed words: equal for equal words of one address, and telling nothing else.
    `written_at` is the provider's date of it, in whole seconds.
    """

    kind: str
    input: Input | None
    body: str
    entry: str | None
    language: str | None
    scheme: str
    address: str
    address_hash: bytes
    number_hash: bytes | None
    receipt: bytes
    provider_id: str
    pressed_message: str | None
    alias: str | None = None
    alias_hash: bytes | None = None
    mark: str | None = None
    written_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """The channel a message came by, as far as a conversation depends on it."""

    id: UUID
    organisation_id: UUID
    kind: str
    stop_reply: str
    default_language: str


@dataclass(slots=True)
class Running:
    """The flow session a contact is in.

    `correcting` is the question that CHANGE asks again; `completed_at` tells that the session was
    complete before, and stays so; `shown_at` is when the person last saw what they answered in it.
    """

    id: UUID
    published: Published
    state: State
    origin: dict[str, Any]
    status: str = "waiting"
    touched: bool = False
    correcting: str | None = None
    completed_at: datetime | None = None
    shown_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as the conversation's state holds it."""
        stored: dict[str, Any] = {
            "session": self.state.to_json(),
            "version": self.published.version_id,
            "origin": self.origin,
            "correcting": self.correcting,
            "completed_at": self.completed_at and self.completed_at.isoformat(),
            "shown_at": self.shown_at and self.shown_at.isoformat(),
        }
        return {name: kept for name, kept in stored.items() if kept is not None}

    @property
    def is_test(self) -> bool:
        """Whether somebody only tries what is asked: nothing of it is kept."""
        return TEST in self.origin


@dataclass(frozen=True, slots=True)
class Past:
    """A passage that a person finished or left before, read from its rows when it is needed."""

    session_id: UUID
    published: Published
    answers: Mapping[str, Value]
    origin: Mapping[str, Any]
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Given:
    """One answer of a person, in the words of the version it answered."""

    published: Published
    question: str
    value: Value


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of a sending to this person, as it is stored, and the provider's id of it."""

    provider_id: str | None
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Memory:
    """What was read of a person's rows because a message needs it.

    `asked` has by ask the newest passage, `sent` what sendings told them lately, newest first.
    """

    past: Past | None
    answers: Sequence[Given]
    asked: Mapping[UUID, Past] = field(default_factory=dict)
    sent: Sequence[Sent] = ()


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer to be written; ``text`` is sealed, ``value`` is stored clear."""

    running: Running
    question: str
    value: Any
    text: str | None
    skipped: bool


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One consent event to be appended."""

    purpose: str
    action: str
    question: str
    flow: str
    version: int


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote on its way to the ballot box; it is written nowhere else."""

    ask_id: UUID
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A one-use link to be written: both values are hashed before they are stored."""

    token: str
    code: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a message asks of services/people/linking.py; it is granted in a transaction of its own.

    kind: link | code (to take along), other (a code to the other address), try (`value` is what
    was written), new_owner.
    """

    kind: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Passing:
    """What a leader's message asks of services/relays/passing_on.py, in a transaction of its own.

    kind: list, accept (`code` of an invitation), text (`code` of a poll, in `language`), helper
    (a code below the leader's own), group (a poll in their group), reach.
    """

    kind: str
    code: str = ""
    language: str | None = None


MARKS: Final = ("noted", "code", "matches", "unsure", "voted", "waits", "said")
"""What the state of a conversation holds beside its passages: facts about who writes."""


def marks_of(state: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what stays of a conversation's state whatever passage it goes into."""
    return {name: state[name] for name in MARKS if name in state} if state else {}


def base36(number: int) -> str:
    """A number in few letters."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while number:
        number, rest = divmod(number, 36)
        text = digits[rest] + text
    return text or "0"


def wait_ends(stored: str | None, *, held: bool, now: datetime) -> datetime | None:
    """Until when a stored wait lasts; None once it is over, which it is not while it is held."""
    ends = datetime.fromisoformat(stored) if stored else None
    return ends if ends is not None and (held or now < ends) else None
