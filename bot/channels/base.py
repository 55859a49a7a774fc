"""The port every channel implements, and the values that cross it.

A channel turns a provider's webhook into `Arrival`s and a `Delivery` into one call to the provider.
It knows no database, no clock and no flow; what it is given is all it needs.

    ChannelError
    |-- WebhookRejected   the request is not the provider's: nothing of it is kept
    |-- Malformed         the request is the provider's, but no channel can read its body
    `-- SendError         a message did not go out, with everything the delivery loop must know
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Protocol
from urllib.parse import parse_qsl
from uuid import UUID

import aiohttp

from flows.inputs import Input
from flows.wording import Prompt


class ChannelError(Exception):
    """Something a channel could not do."""


class WebhookRejected(ChannelError):
    """The request does not carry the provider's secret or signature; `status` is what to answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Malformed(ChannelError):
    """The body cannot be read as what the provider sends (not JSON, not a form, too deep)."""


class SendError(ChannelError):
    """A message did not go out, or nobody knows whether it did.

    Read in this order: `unknown` (the provider may have taken it), `throttled` (wait
    `retry_after`, this was no attempt), `retryable` (try again later), and otherwise it is final.
    `opted_out`, `blocked` and `dead` say what became of the address, `stops_channel` that nothing
    will go out on this channel until somebody repairs it. `sentence` is for an officer's eyes and
    never holds an address, a text or a token. Source: reference tables 1.6 and 3.7.
    """

    def __init__(  # noqa: PLR0913 - one keyword per thing the delivery loop must know
        self,
        code: str,
        sentence: str,
        *,
        retryable: bool = False,
        unknown: bool = False,
        throttled: bool = False,
        opted_out: bool = False,
        blocked: bool = False,
        dead: bool = False,
        stops_channel: bool = False,
        alert: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
        self.retryable = retryable
        self.unknown = unknown
        self.throttled = throttled
        self.opted_out = opted_out
        self.blocked = blocked
        self.dead = dead
        self.stops_channel = stops_channel
        self.alert = alert or stops_channel
        self.retry_after = retry_after


MAX_FIELDS = 500


@dataclass(frozen=True)
class WebhookRequest:
    """One HTTP request as it came: `path` and `query` raw (still percent-encoded), body unread.

    `public_url` is the configured external base; signatures are checked against it, never against
    the Host header.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    public_url: str

    def header(self, name: str) -> str:
        """The header's value, whatever the case of its name; empty when absent."""
        exact = self.headers.get(name)
        if exact is not None:
            return exact
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")

    @cached_property
    def form(self) -> list[tuple[str, str]]:
        """The form's fields in order, repeats and empty values kept; read once, then kept.

        A GET carries them in the query. Malformed for what is no form.
        """
        text = self.query if self.method == "GET" else self.body.decode("utf-8", "replace")
        try:
            return parse_qsl(
                text, keep_blank_values=True, errors="replace", max_num_fields=MAX_FIELDS
            )
        except ValueError:
            raise Malformed("the form cannot be read") from None


@dataclass(frozen=True, slots=True)
class ChannelView:
    """What a channel adapter may know of the stored channel, credentials opened.

    credentials: telegram `token`, `secret`; twilio `account_sid`, `auth_token`, optional
    `shared_key` ("ID:SECRET"); simulator optional `secret`. `sender` is the Twilio number or
    Messaging Service sid (MG…), for Telegram the bot's user name when it is known.
    """

    id: UUID
    organisation_id: UUID
    kind: str
    key: str
    sender: str
    credentials: Mapping[str, str] = field(repr=False)
    config: Mapping[str, object] = field(default_factory=dict)
    stop_reply: str = "ours"
    default_language: str = "en"


@dataclass(frozen=True, slots=True)
class PollCount:
    """What Telegram counts of a native poll, in the order of its options."""

    id: str
    counts: tuple[int, ...]
    closed: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """One thing that came in.

    kind: message | edited | blocked | unblocked | opted_out | opted_in | help_answered | group |
    poll | ignored. `receipt` makes it this one delivery (a repeat has the same). `address` is empty
    for group and ignored arrivals whose sender must not be bound to an identity; in a group it is
    read of who asks for a poll there, with `entry` its code. `aliases` are further addresses of the
    same person that the provider itself vouches for. `chat` is the group to answer in ("CHAT" or
    "CHAT/TOPIC"), `poll` what Telegram counts of a poll of ours.
    """

    kind: str
    receipt: str
    address: str = ""
    number: str | None = None
    input: Input | None = None
    language: str | None = None
    entry: str | None = None
    sent_at: datetime | None = None
    provider_id: str = ""
    callback_id: str | None = None
    pressed_message: str | None = None
    chat: str | None = None
    aliases: tuple[str, ...] = ()
    poll: PollCount | None = None


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """What a provider says became of a message of ours, in our words (see `moves_up`)."""

    provider_id: str
    status: str
    error_code: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class ReadyTemplate:
    """An approved template by its provider's id, and what fills its variables."""

    sid: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to send.

    `reference` is our message id; `edits` the provider id of the message whose text and buttons are
    replaced, `closes` of one whose buttons are only taken away. `url_base` is the provider's API,
    `public_url` our own external base (for status callbacks); `buttons` False asks for digits.
    `template` says it instead, where nothing else may be said; `prompt` is what it looks like.
    `parting` is said where a keyboard in place of the phone's own has to be put away first.
    """

    address: str
    prompt: Prompt
    reference: str
    edits: str | None = None
    closes: str | None = None
    url_base: str = ""
    buttons: bool = True
    public_url: str = ""
    template: ReadyTemplate | None = None
    parting: str = ""


class ContentStore(Protocol):
    """Remembers which provider-side content object belongs to a shape of buttons."""

    async def find(self, view: ChannelView, digest: str) -> str | None:
        """The content id kept for this channel and shape, or None."""

    async def keep(self, view: ChannelView, digest: str, sid: str) -> None:
        """Keep the content id; keeping the same shape twice is not an error."""

    async def forget(self, view: ChannelView, digest: str, sid: str) -> None:
        """Forget this content id of a shape, which the provider no longer knows."""


class Channel(Protocol):
    """One way messages travel."""

    def verify(self, view: ChannelView, request: WebhookRequest) -> None:
        """Return when the request is the provider's; raise WebhookRejected otherwise."""

    def parse(self, view: ChannelView, request: WebhookRequest) -> list[Arrival]:
        """What came in; odd content becomes kind "ignored", an unreadable body raises Malformed."""

    def parse_status(self, view: ChannelView, request: WebhookRequest) -> StatusUpdate | None:
        """What became of a message of ours; None when the callback says nothing we act on."""

    def acknowledge(self, arrivals: Sequence[Arrival], say: str | None = None) -> tuple[str, bytes]:
        """Content type and body of the webhook's answer once the arrivals are stored.

        `say` is a text to put into the answer itself: for somebody who has no address any more.
        """

    async def send(
        self,
        http: aiohttp.ClientSession,
        view: ChannelView,
        delivery: Delivery,
        contents: ContentStore | None = None,
    ) -> str:
        """Send and return the provider's id of the message; raise SendError."""


_RANK = {
    "queued": 0,
    "sending": 1,
    "unknown": 1,
    "sent": 2,
    "delivered": 3,
    "failed": 3,
    "canceled": 3,
    "read": 4,
}
_FINAL = frozenset({"failed", "canceled", "read"})


def moves_up(current: str, reported: str) -> bool:
    """Whether a reported status may replace the current one: statuses only move up.

    The first terminal status wins, except that a delivered message may still be read. Callbacks
    are unordered and repeated (reference 3.4).
    """
    if reported not in _RANK or current in _FINAL:
        return False
    return _RANK[reported] > _RANK.get(current, -1)


TEXT_LIMIT = 4096


def clean(text: str) -> str:
    """The text as the database can hold it: no NUL, no lone surrogate, at most TEXT_LIMIT long."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text[:TEXT_LIMIT]
