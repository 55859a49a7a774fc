"""One message while it is handled: what is known when it arrives, and what it changes.

A scene touches no database. ``services/conversation/conversations.py`` decides what a message does,
``services/conversation/apply.py`` turns the engine's events into changes of the scene, and
``services/conversation/changes.py`` writes these down as the rows of ``models/message_path.py``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from flows.events import Asked, as_part
from flows.flow import Flow
from flows.state import State
from models.base import new_id
from models.case import CaseReason
from models.message_path import Standing
from services.catalogue import Catalogue, Published
from services.conversation.props import (
    AnswerRow,
    ConsentRow,
    Given,
    Heard,
    Line,
    LinkRow,
    Memory,
    Passing,
    Past,
    Running,
    Vote,
    Wish,
    base36,
)

RIGHTS, REPLIES = 0, 1

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
    # Whether what was heard may be a vote of a secret poll: it is then kept nowhere.
    secret: bool = False
    running: Running | None = None
    paused: Running | None = None
    # The poll answered last, as long as its answer may be changed.
    done: Running | None = None
    memory: Memory | None = None
    # What was published of the organisation's asks, by ask (services/asks/findings.py).
    findings: Mapping[UUID, Mapping[str, Any]] = field(default_factory=dict)
    aside: State | None = None
    tags: int = 0
    shown: str | None = None
    said: Sequence[str] = ()
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
    vote: Vote | None = None
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
    aside_wanted: str | None = None
    is_echo: bool = False
    # Whose address this is (services/people/belonging.py).
    wish: Wish | None = None
    # What a leader wants to pass on, and what they may choose from ("value|label").
    passing: Passing | None = None
    offered: tuple[str, ...] = ()
    code_wanted: bool = False
    matches: bool = False
    unsure: bool = False
    # The flow of the secret poll this person voted in last.
    voted: UUID | None = None
    waits_until: datetime | None = None

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
    def is_unseen(self) -> bool:
        """Whether the words are kept nowhere: they may be a vote, and nobody has to help."""
        return self.secret and self.case_reason is None

    @property
    def stands_alone(self) -> bool:
        """Whether this message needs more of the database than a batch's two statements."""
        return (
            self.erase
            or self.needs_memory
            or self.vote is not None
            or self.wish is not None
            or self.passing is not None
            or self.comes_anew
        )

    @property
    def comes_anew(self) -> bool:
        """Whether this address is new to us, and the other one of the message is somebody's."""
        return self.is_new and self.standing.alias_of is not None

    @property
    def has_effect(self) -> bool:
        """Whether the person will notice that something happened."""
        wanted = self.wish is not None or self.passing is not None
        return bool(self.parts) or self.stopped or self.erase or wanted

    @property
    def spoken_aside(self) -> dict[str, Any]:
        """What makes our own small question again, if the message asks one."""
        if self.spoken_flow is None or self.spoken_version is not None:
            return {}
        offered = {"offered": list(self.offered)} if self.offered else {}
        return {"aside": self.spoken_flow.id, **offered}

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

    def keep_recording(self, running: Running, question: str, file: str) -> None:
        """Have a voice note fetched, and let an officer know that it waits to be heard."""
        self.call_person(CaseReason.VOICE)
        payload = {
            "question": question,
            "channel": str(self.line.id),
            "channel_kind": self.line.kind,
            "by": str(self.contact_id),
            "at": self.now.isoformat(),
        }
        due = {"kind": "recording", "due_at": self.now, "session": running.id}
        self.dues.append(due | {"payload": payload, "file": file})

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

    def speak_of(self, published: Published) -> None:
        """Let the message name answers of a flow, in the words of this version."""
        if self.spoken_flow is None:
            self.spoken_flow, self.spoken_version = published.flow, published.version_id

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
    "Passing",
    "Past",
    "Running",
    "Scene",
    "Wish",
    "base36",
]
