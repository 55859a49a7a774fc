"""One message while it is handled: what is known when it arrives, and what it changes.

A scene touches no database. ``services/conversations.py`` decides what a message does,
``services/apply.py`` turns the engine's events into changes of the scene, and
``services/changes.py`` writes these down as the rows of ``models/message_path.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flows.events import Asked, as_part
from flows.flow import Flow
from flows.state import State
from models.base import new_id
from models.case import CaseReason
from models.message_path import Standing
from services.catalogue import Catalogue
from services.props import (
    AnswerRow,
    ConsentRow,
    Given,
    Heard,
    Line,
    LinkRow,
    Memory,
    Past,
    Running,
    Wish,
    base36,
)

RIGHTS, REPLIES = 0, 1
NUMBERED = frozenset({"sms", "whatsapp"})
SILENT_AFTER = timedelta(days=90)

URGENCY = tuple(CaseReason)


@dataclass(slots=True)
class Scene:
    """What is known of one message and its sender, and all that handling it has changed so far."""

    heard: Heard
    line: Line
    standing: Standing
    catalogue: Catalogue
    now: datetime
    contact_id: UUID
    address_id: UUID
    language: str
    running: Running | None = None
    paused: Running | None = None
    memory: Memory | None = None
    aside: State | None = None
    tags: int = 0
    shown: str | None = None
    # What it changes.
    parts: list[dict[str, Any]] = field(default_factory=list)
    spoken_flow: Flow | None = None
    spoken_version: UUID | None = None
    spoken_tag: str = ""
    question: str | None = None
    edit: bool = False
    lane: int = REPLIES
    silent: bool = False
    answers: list[AnswerRow] = field(default_factory=list)
    consents: list[ConsentRow] = field(default_factory=list)
    profile: dict[str, Any] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)
    granted: list[str] = field(default_factory=list)
    language_changed: bool = False
    ended_sessions: list[Running] = field(default_factory=list)
    stopped: bool = False
    returned: bool = False
    address_status: str | None = None
    dues: list[dict[str, Any]] = field(default_factory=list)
    erase: bool = False
    farewell: str = "erased"
    needs_memory: bool = False
    chosen: str | None = None
    answered_aside: State | None = None
    among: tuple[UUID, tuple[str, ...]] | None = None
    secrets: dict[str, str] = field(default_factory=dict)
    link: LinkRow | None = None
    case_id: UUID | None = None
    case_noted: bool = False
    case_reason: CaseReason | None = None
    menu_wanted: bool = False
    # Whose address this is (services/belonging.py).
    wish: Wish | None = None
    code_wanted: bool = False
    matches: bool = False
    unsure: bool = False

    @property
    def is_new(self) -> bool:
        """Whether nothing was known of the sender before this message."""
        return self.standing.contact_id is None

    @property
    def has_stopped(self) -> bool:
        """Whether the person has said STOP and not come back."""
        return self.standing.contact_status == "stopped" and not self.returned

    @property
    def is_consented(self) -> bool:
        """Whether the person has agreed to anything, before or in this message."""
        return bool(self.granted)

    @property
    def is_registered(self) -> bool:
        """Whether the person has ever completed a registration."""
        return self.standing.registered_at is not None or "registered_at" in self.profile

    @property
    def stands_alone(self) -> bool:
        """Whether this message needs more of the database than a batch's two statements."""
        return self.erase or self.needs_memory or self.wish is not None or self.comes_anew

    @property
    def comes_anew(self) -> bool:
        """Whether this address is new to us, and the other one of the message is somebody's."""
        return self.is_new and self.standing.alias_of is not None

    @property
    def has_effect(self) -> bool:
        """Whether the person will notice that something happened."""
        return bool(self.parts) or self.stopped or self.erase or self.wish is not None

    def leave(self, farewell: str) -> None:
        """Erase the person, and say this phrase as the last thing they hear."""
        self.erase = True
        self.farewell = farewell

    def recalls(self) -> bool:
        """Whether the person's rows are known; if not, they are read and the message begins anew.

        (Like erasing, this happens outside the batch: it needs more than the two statements.)
        """
        self.needs_memory = self.memory is None
        return not self.needs_memory

    def next_tag(self) -> str:
        """A fresh tag for a flow that starts now, so that its buttons are told from older ones."""
        self.tags += 1
        return base36(self.tags)

    def call_person(self, reason: CaseReason) -> None:
        """Let an officer look at this message; the most urgent reason counts."""
        if self.case_id is None:
            self.case_id = new_id(self.now)
        if self.case_reason is None or URGENCY.index(reason) < URGENCY.index(self.case_reason):
            self.case_reason = reason

    def withdraw_messages(self) -> None:
        """Record that the person no longer wants to be written to."""
        self.consents.append(ConsentRow("messages", "withdrawn", "stop", "keyword", 0))

    def grant_messages(self) -> None:
        """Record that the person wants to be written to again."""
        self.consents.append(ConsentRow("messages", "granted", "start", "keyword", 0))

    def change_language(self, language: str) -> None:
        """Write to this person in another language from now on, in a waiting flow too."""
        self.language = language
        self.language_changed = True
        self.profile["language"] = language
        if self.running:
            running = self.running
            spoken = running.published.flow.language_for(language)
            running.state = replace(running.state, language=spoken)
            running.touched = True

    def ask(self, flow: Flow, version_id: UUID | None, tag: str, event: Asked) -> None:
        """Make a question the end of the one message that answers this one."""
        self.parts.append(as_part(event))
        self.spoken_flow = flow
        self.spoken_version = version_id
        self.spoken_tag = tag
        self.question = event.question
        self.edit = event.edit

    def forget_parts(self) -> None:
        """Take back what was to be said so far."""
        self.parts.clear()
        self.spoken_flow = self.spoken_version = self.question = None
        self.spoken_tag, self.edit = "", False

    def say(self, phrase: str, **params: str) -> None:
        """Add a sentence of our own to the one message that answers this one."""
        self.parts.append({"say": phrase, "params": params})

    def say_sealed(self, phrase: str, **secrets: str) -> None:
        """Say a phrase whose params are for this person alone and stored sealed."""
        self.secrets |= secrets
        self.parts.append({"say": phrase, "sealed": True})

    def say_as_right(self, phrase: str, **params: str) -> None:
        """Answer with a sentence that goes before all else and is sent to stopped people too."""
        self.lane = RIGHTS
        self.say(phrase, **params)


def open_scene(
    heard: Heard, line: Line, standing: Standing, catalogue: Catalogue, now: datetime
) -> Scene:
    """The scene of one message, with the flow session and aside the person is in, if any."""
    stored = standing.state or {}
    scene = Scene(
        heard=heard,
        line=line,
        standing=standing,
        catalogue=catalogue,
        now=now,
        contact_id=standing.contact_id or new_id(now),
        address_id=standing.address_id or new_id(now),
        language=_first_language(heard, line, standing, catalogue),
        tags=standing.tags or 0,
        granted=list(standing.consents or ()),
        shown=stored.get("shown"),
        case_id=standing.case_id,
        case_noted=bool(stored.get("noted")),
        code_wanted=bool(stored.get("code")),
        matches=bool(stored.get("matches")) or standing.shares_number,
        unsure=bool(stored.get("unsure")) or is_doubtful(heard, standing, now),
    )
    scene.running = _running(stored, standing.session_id, catalogue)
    if scene.running and stored.get("paused"):
        paused = stored["paused"]
        scene.paused = _running(paused, UUID(paused["id"]), catalogue)
    if stored.get("aside"):
        scene.aside = State.from_json(stored["aside"])
    return scene


def is_doubtful(heard: Heard, standing: Standing, now: datetime) -> bool:
    """Whether an address may have passed to somebody else since we last heard from it.

    Numbers are given out again after a silence, and WhatsApp then tells of another id. A Telegram
    id belongs to one account for ever.
    """
    if standing.contact_id is None:
        return False
    if standing.other_alias:
        return True
    last = standing.heard_at or standing.last_in_at
    return heard.scheme in NUMBERED and last is not None and now - last > SILENT_AFTER


def _running(
    stored: Mapping[str, Any], session_id: UUID | None, catalogue: Catalogue
) -> Running | None:
    if not stored.get("session") or session_id is None:
        return None
    published = catalogue.version(UUID(stored["version"]))
    if published is None:
        return None
    completed_at = stored.get("completed_at")
    return Running(
        id=session_id,
        published=published,
        state=State.from_json(stored["session"]),
        origin=dict(stored.get("origin") or {}),
        correcting=stored.get("correcting"),
        completed_at=datetime.fromisoformat(completed_at) if completed_at else None,
    )


def _first_language(heard: Heard, line: Line, standing: Standing, catalogue: Catalogue) -> str:
    """Telegram's language if offered, else the entry code's, else the channel's (design 5)."""
    if standing.language:
        return standing.language
    if heard.language and (offered := heard.language[:2].lower()) in catalogue.languages:
        return offered
    entry = catalogue.entry(heard.entry) if heard.entry else None
    return (entry and entry.language) or line.default_language


__all__ = [
    "REPLIES",
    "RIGHTS",
    "AnswerRow",
    "ConsentRow",
    "Given",
    "Heard",
    "Line",
    "LinkRow",
    "Memory",
    "Past",
    "Running",
    "Scene",
    "Wish",
    "base36",
    "open_scene",
]
