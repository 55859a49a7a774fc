"""What a sending says to one person, and the passage through the ask that begins with it.

Nothing here touches the database: feeding.py gives what is known and writes what comes out. Text is
not stored; a message names phrases and the question, and is rendered when it is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flows import engine
from flows.events import Asked, Event, Said, as_part
from flows.flow import Flow
from flows.lengths import room_for
from flows.sms import measure
from flows.state import State
from flows.wording import compose as worded
from models.base import new_id
from models.broadcast import BroadcastKind
from services.asks.findings import longest
from services.conversation.scene import base36
from services.conversation.sessions import seed_of

Parts = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Telling:
    """What is the same for everybody a sending goes to.

    `askers` are the names of those who may be named, by id and language; `about` what the ask is
    about and `outcome` what will be done, by language; without an outcome that is `promised_on`.
    `released` are the figures that left by the gate at the end.
    """

    kind: BroadcastKind
    ask_id: UUID
    broadcast_id: UUID
    flow: Flow
    version_id: UUID
    code: str
    asked_by: str
    askers: Mapping[UUID, Mapping[str, str]] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    outcome: Mapping[str, str] = field(default_factory=dict)
    promised_on: date = date.max
    released: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Person:
    """What of one person decides how they are told.

    `day` says at which hours (hours.day_of), `state` where a passage of theirs waits.
    """

    contact_id: UUID
    language: str
    office_id: UUID | None
    asker_id: UUID | None
    tags: int
    channel_kind: str | None = None
    day: Mapping[str, Any] = field(default_factory=dict)
    session_id: UUID | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message and the passage it belongs to; both None for what asks nothing."""

    content: dict[str, Any]
    question: str | None = None
    session_id: UUID | None = None
    state: State | None = None
    origin: dict[str, str] | None = None


def compose(telling: Telling, person: Person, now: datetime) -> Message:
    """Return what to say to one person."""
    if telling.kind.tells:
        return Message(_content(telling, person, _end(telling, person), "", "result"))
    if telling.kind is BroadcastKind.REMINDER and person.state is not None:
        step = engine.resume(telling.flow, person.state, now=now)
        return _asking(telling, person, step, person.session_id)
    session_id = new_id(now)
    started = engine.start(
        telling.flow,
        tag=base36(person.tags + 1),
        language=person.language,
        now=now,
        seed=seed_of(session_id),
    )
    return _asking(telling, person, started, session_id)


def _end(telling: Telling, person: Person) -> Parts:
    """Thanks, the figures in as much room as there is, and what is done or by when that is told.

    A secret poll knows nobody who voted, so it thanks nobody; nor does a message without room.
    """
    first = "reported_vote" if telling.flow.secret else "reported_thanks"
    is_sms = person.channel_kind == "sms"

    def told(line: str, first: str = first) -> Parts:
        found = {"say": "poll_found", "params": {"figures": line}}
        found = found if line else {"say": "poll_hidden"}
        return [{"say": first}, found, _next(telling, person.language)]

    def fits(line: str) -> bool:
        names = {"organisation": telling.asked_by}
        prompt = worded(told(line), flow=None, language=person.language, tag="", names=names)
        length = measure(prompt.text)
        return not is_sms or length.parts <= room_for(length, longer=False)

    line = longest(telling.released, telling.flow, person.language, fits)
    if not fits(line):
        return told(line, "reported_briefly")
    more: Parts = [{"say": "poll_more", "sealed": True}]
    return told(line) + (more if line and not is_sms else [])


def _next(telling: Telling, language: str) -> dict[str, Any]:
    """What will be done, or by when people hear that."""
    if telling.outcome:
        return {"say": "poll_next", "params": {"outcome": _in(telling.outcome, language)}}
    return {"say": "poll_next_by", "dates": {"date": telling.promised_on.isoformat()}}


def _asking(
    telling: Telling,
    person: Person,
    step: engine.Step,
    session_id: UUID | None,
) -> Message:
    state, events = step
    reminds = telling.kind is BroadcastKind.REMINDER
    asker = {"asker": _asker(telling, person)}
    spoken: tuple[Event, ...] = (Said("asks_again" if reminds else "asks_you", asker), *events)
    if not state.answers:
        mode = Said("poll_secret" if telling.flow.secret else "poll_named")
        spoken = (spoken[0], mode, *events)
    parts = [as_part(one) for one in spoken if isinstance(one, Asked | Said)]
    parts[-1]["leave"] = True
    if not state.answers:
        parts[-1]["later"] = True
    template = "reminder" if reminds else "invitation"
    return Message(
        content=_content(telling, person, parts, state.tag, template),
        question=state.asked,
        session_id=session_id or new_id(),
        state=state,
        origin=_origin(telling, person),
    )


def _origin(telling: Telling, person: Person) -> dict[str, str]:
    """How the person came to the ask, as results count it."""
    origin = {
        "ask": str(telling.ask_id),
        "broadcast": str(telling.broadcast_id),
        "code": telling.code,
    }
    return origin | ({"asker": str(person.asker_id)} if person.asker_id else {})


def _content(
    telling: Telling, person: Person, parts: Parts, tag: str, template: str
) -> dict[str, Any]:
    content: dict[str, Any] = {
        "parts": parts,
        "tag": tag,
        "broadcast": str(telling.broadcast_id),
        "code": telling.code,
        "template": {
            "name": template,
            "params": {"subject": _in(telling.about, person.language)},
        },
    }
    if person.day:
        content["day"] = dict(person.day)
    if person.office_id:
        content["office"] = str(person.office_id)
    if person.asker_id:
        content["asker"] = str(person.asker_id)
    return content


def _asker(telling: Telling, person: Person) -> str:
    names = telling.askers.get(person.asker_id) if person.asker_id else None
    return _in(names, person.language) if names else telling.asked_by


def _in(texts: Mapping[str, str], language: str) -> str:
    """The text in a language, else in the first one there is."""
    return texts.get(language) or next(iter(texts.values()), "")
