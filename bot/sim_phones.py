"""The simulator's people and their phones, as the demo's providers show them.

Whoever plays types on a phone of the fake provider; from there everything goes the way of a real
message: the provider's webhook, the step, the outbox, the provider's API, the phone.
"""

import http.client
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from flows.phones import read_phone
from services.conversation.effects import Effect

KINDS = ("telegram", "whatsapp", "sms")
ACTS = frozenset({"send", "press", "voice", "sticker", "photo", "pin", "block", "unblock"})
PEOPLE = 30_000
TIMEOUT = 5.0
DRIFT = timedelta(milliseconds=20)


class PhonesAway(Exception):
    """The demo's providers cannot be reached."""


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press under a message."""

    label: str
    payload: str


@dataclass(frozen=True, slots=True)
class Line:
    """One thing on a screen. who: person | us | provider | effect; kind: what a person did."""

    who: str
    text: str
    at: datetime
    kind: str = ""
    id: str = ""
    rows: tuple[tuple[Button, ...], ...] = ()
    status: str = ""


def address(kind: str, person: int) -> str:
    """Return a made-up person's address; the number is one kept free for stories."""
    if kind == "telegram":
        return f"telegram:{7_000_000 + person}"
    area, line = divmod(person, 100)
    return f"{kind}:+1{_areas()[area]}55501{line:02d}"


@cache
def _areas() -> tuple[int, ...]:
    """Area codes that exist: a number in them may be written to, and invited to pass polls on."""
    return tuple(area for area in range(300, 1000) if read_phone(f"+1{area}5550100"))


class Phones:
    """The phones of all people, at the two providers' addresses."""

    def __init__(self, telegram_url: str, twilio_url: str) -> None:
        self._urls = {"telegram": telegram_url, "sms": twilio_url, "whatsapp": twilio_url}

    def screen(self, kind: str, person: int, now: datetime) -> list[Line]:
        """Return what stands on a phone, oldest first; PhonesAway when nobody answers."""
        who = urlencode({"who": _who(kind, person)})
        found = self._ask(kind, "GET", f"/__fake__/phone?{who}")
        self._keep_time(kind, found["date"], now)
        return [_line(entry, now) for entry in found["entries"]]

    def act(self, kind: str, person: int, given: Mapping[str, str]) -> None:
        """Let a person do something; `given` has do, text, message, payload, language."""
        self._ask(kind, "POST", "/__fake__/phone", {"who": _who(kind, person), **given})

    def _keep_time(self, kind: str, date: float, now: datetime) -> None:
        """The providers' clocks follow ours when it was moved."""
        behind = now.timestamp() - date
        if behind > DRIFT.total_seconds():
            self._ask(kind, "POST", "/__fake__/clock", {"advance": behind})

    def _ask(
        self, kind: str, method: str, path: str, fields: Mapping[str, Any] | None = None
    ) -> Any:
        url = urlsplit(self._urls[kind])
        if not _is_near(url.hostname) or url.port is None:
            raise PhonesAway
        connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=TIMEOUT)
        try:
            body = None if fields is None else json.dumps(fields)
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            raise PhonesAway from None
        finally:
            connection.close()
        if answer.status != 200:
            raise PhonesAway
        return json.loads(content)


def with_effects(lines: list[Line], effects: list[Effect]) -> list[Line]:
    """Return a screen with what was stored between the messages, where it happened."""
    grey = [Line("effect", effect.text, effect.at) for effect in effects]
    return sorted([*lines, *grey], key=lambda line: line.at)


def _who(kind: str, person: int) -> str:
    scheme, _, path = address(kind, person).partition(":")
    return f"whatsapp:{path}" if scheme == "whatsapp" else path


def _is_near(host: str | None) -> bool:
    """Only fakes on this machine are played with, never a real provider."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _line(entry: Mapping[str, Any], now: datetime) -> Line:
    rows = entry.get("rows") or []
    return Line(
        who=entry["from"],
        text=entry["text"],
        at=now - timedelta(seconds=entry["age"]),
        kind=entry.get("kind", ""),
        id=entry.get("id", ""),
        rows=tuple(tuple(Button(b["label"], b["payload"]) for b in row) for row in rows),
        status=entry.get("status", ""),
    )
