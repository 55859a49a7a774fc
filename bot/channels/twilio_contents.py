"""WhatsApp's buttons and lists: generic content objects whose every word is a variable.

Twilio sends buttons only through a content object made beforehand. One object per *shape* (three
buttons, a list of seven) serves every question in every language, so that fewer than twenty exist
per account, none of them holding what is asked of people.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from bot.channels.base import ChannelView, ContentStore, SendError
from bot.channels.transport import post
from flows.wording import Choice, Prompt, as_lines

BODY_LIMIT = 1024
QUICK_REPLIES = 3
TITLE_LIMIT = 20
ROWS = 10
ITEM_LIMIT = 24
DESCRIPTION_LIMIT = 72
PAYLOAD_LIMIT = 200
LIST_BUTTON = "\u2630"


@dataclass(frozen=True, slots=True)
class Picture:
    """A shape (`kind`, `size`) and what fills its variables, by number."""

    kind: str
    size: int
    variables: dict[str, str]

    @property
    def digest(self) -> str:
        """The key under which the shape's content id is kept."""
        return hashlib.sha256(f"homeline:1:{self.kind}:{self.size}".encode()).hexdigest()

    def definition(self) -> dict[str, object]:
        """The Content API's object for this shape."""
        name = f"homeline_{self.kind}_{self.size}"
        samples = {number: f"sample {number}" for number in self.variables}
        return {
            "friendly_name": name,
            "language": "en",
            "variables": samples,
            "types": _quick_reply(self.size) if self.kind == "buttons" else _list_picker(self.size),
        }


def picture_of(prompt: Prompt) -> Picture | None:
    """The buttons or the list for a prompt; None when lines with digits serve it better."""
    choices = [*prompt.choices, *prompt.navigation]
    if not choices or prompt.style == "multi" or len(prompt.text) > BODY_LIMIT:
        return None
    if any(not c.label or len(c.payload) > PAYLOAD_LIMIT for c in choices):
        return None
    if len(choices) <= QUICK_REPLIES:
        if all(len(c.label) <= TITLE_LIMIT for c in choices):
            return _buttons(prompt.text, [(c.label, c.payload) for c in choices])
        lines = as_lines(prompt)
        if len(lines) <= BODY_LIMIT and all(c.digit for c in choices):
            return _buttons(lines, [(c.digit, c.payload) for c in choices])
    if len(choices) <= ROWS:
        return _list(prompt.text, choices)
    return None


def _buttons(text: str, titles: Sequence[tuple[str, str]]) -> Picture:
    values = [text]
    for title, payload in titles:
        values += [title, payload]
    return Picture("buttons", len(titles), _numbered(values))


def _list(text: str, choices: Sequence[Choice]) -> Picture | None:
    values = [text, LIST_BUTTON]
    for choice in choices:
        title, description = _split(choice)
        if len(description) > DESCRIPTION_LIMIT:
            return None
        values += [title, choice.payload, description]
    return Picture("list", len(choices), _numbered(values))


def _split(choice: Choice) -> tuple[str, str]:
    """A long label stands whole in the description, its beginning in the title.

    Twilio wants a description with every item; the digit that may be typed instead says something.
    """
    label = choice.label
    if len(label) <= ITEM_LIMIT:
        return label, choice.digit or label
    return f"{label[: ITEM_LIMIT - 1].rstrip()}\u2026", label


def _numbered(values: Sequence[str]) -> dict[str, str]:
    return {str(number): value for number, value in enumerate(values, start=1)}


def _variable(number: int) -> str:
    return f"{{{{{number}}}}}"


def _quick_reply(size: int) -> dict[str, object]:
    actions = [
        {"type": "QUICK_REPLY", "title": _variable(2 * n), "id": _variable(2 * n + 1)}
        for n in range(1, size + 1)
    ]
    return {"twilio/quick-reply": {"body": _variable(1), "actions": actions}}


def _list_picker(size: int) -> dict[str, object]:
    items = [
        {"item": _variable(3 * n), "id": _variable(3 * n + 1), "description": _variable(3 * n + 2)}
        for n in range(1, size + 1)
    ]
    return {"twilio/list-picker": {"body": _variable(1), "button": _variable(2), "items": items}}


class ContentMaker:
    """Finds the content object of a shape, or has Twilio make it."""

    def __init__(
        self, http: aiohttp.ClientSession, view: ChannelView, url_base: str, authorization: str
    ) -> None:
        self._http = http
        self._view = view
        self._url = f"{content_host(url_base)}/v1/Content"
        self._authorization = authorization

    async def find_or_create(self, picture: Picture, contents: ContentStore) -> str | None:
        """The content id, or None when Twilio would not make it: lines with digits go out then."""
        sid = await contents.find(self._view, picture.digest)
        if sid is None:
            sid = await self._create(picture)
            if sid is not None:
                await contents.keep(self._view, picture.digest, sid)
        return sid

    async def _create(self, picture: Picture) -> str | None:
        body = json.dumps(picture.definition()).encode()
        try:
            answer = await post(
                self._http,
                self._url,
                body,
                "application/json",
                authorization=self._authorization,
            )
            sid = json.loads(answer.body).get("sid")
        except (SendError, ValueError, AttributeError, RecursionError):
            return None
        return sid if answer.status < 300 and isinstance(sid, str) and sid else None


def content_host(url_base: str) -> str:
    """Content objects live on a host of their own, except where the API address is overridden."""
    base = url_base.rstrip("/")
    if urlsplit(base).hostname == "api.twilio.com":
        return "https://content.twilio.com"
    return base
