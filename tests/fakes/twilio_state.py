"""What the fake Twilio knows: senders, messages, content objects, and its refusals."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Fields = dict[str, object]
DAY = 86_400.0
# Twilio's own numbers for tests (twilio.com/docs/iam/test-credentials).
MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
MAGIC_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
STOP_WORDS = frozenset("stop stopall unsubscribe cancel end quit revoke optout".split())
START_WORDS = frozenset("start yes unstop".split())
HELP_WORDS = frozenset("help info".split())
ENDED = frozenset({"delivered", "undelivered", "failed", "canceled", "read"})


class ApiError(Exception):
    """A refusal with Twilio's code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def body(self) -> Fields:
        """The JSON Twilio answers with."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


@dataclass(frozen=True, slots=True)
class StatusPlan:
    """How status callbacks go astray; shares of messages, times in provider seconds.

    `before_response` sends the first callbacks before the API's answer; `late` waits that long.
    """

    step: float = 0.05
    reorder: float = 0.0
    duplicate: float = 0.0
    drop: float = 0.0
    before_response: bool = False
    late: float = 0.0
    wrong_signature: bool = False
    extra_fields: bool = True
    fails: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Sender:
    """A number or Messaging Service of the account and where its inbound messages go.

    `webhook` may carry connection overrides after `#`; `signed_as` is the URL the signature is
    computed over when the application is reached under another name; `mps` limits what is sent a
    second, `queue` how much may wait.
    """

    address: str
    webhook: str = ""
    fallback: str = ""
    signed_as: str = ""
    advanced_opt_out: bool = False
    mps: float | None = None
    queue: int = 10_000
    opted_out: set[str] = field(default_factory=set)
    windows: dict[str, float] = field(default_factory=dict)
    free_at: float = 0.0


@dataclass(slots=True)
class Text:
    """One message, either way, as both ends see it."""

    sid: str
    sender: str
    to: str
    body: str
    direction: str
    status: str
    created: float
    callback: str = ""
    buttons: list[tuple[str, str]] = field(default_factory=list)
    error: int | None = None
    segments: int = 1
    service: str = ""
    approved: bool = False

    @property
    def labels(self) -> list[str]:
        """Buttons and list rows as the person sees them."""
        return [label for label, _ in self.buttons]

    def as_api(self, account: str) -> Fields:
        """The Message resource."""
        return {
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": self.body,
            "direction": self.direction,
            "error_code": self.error,
            "error_message": None,
            "from": None if self.service else self.sender,
            "messaging_service_sid": self.service or None,
            "num_media": "0",
            "num_segments": str(self.segments),
            "price": None,
            "sid": self.sid,
            "status": self.status,
            "to": self.to,
            "uri": f"/2010-04-01/Accounts/{account}/Messages/{self.sid}.json",
        }


@dataclass(slots=True)
class Content:
    """A content object, and where its approval by WhatsApp stands."""

    sid: str
    definition: Mapping[str, object]
    approval: str = "unsubmitted"
    name: str = ""
    category: str = ""
    reason: str = ""

    def as_approval(self) -> Fields:
        """WhatsApp's part of an approval request."""
        return {
            "status": self.approval,
            "name": self.name,
            "category": self.category,
            "content_type": self.kind,
            "rejection_reason": self.reason,
        }

    @property
    def kind(self) -> str:
        """twilio/quick-reply, twilio/list-picker, twilio/text …"""
        types = self.definition.get("types")
        return next(iter(types)) if isinstance(types, Mapping) and types else ""

    @property
    def shape(self) -> Mapping[str, object]:
        """What stands under its type."""
        types = self.definition.get("types")
        shape = types.get(self.kind) if isinstance(types, Mapping) else None
        return shape if isinstance(shape, Mapping) else {}
