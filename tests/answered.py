"""Many made-up people who answer an ask: `answer(make, asked, ...)`, in bulk and in order."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from models import (
    Address,
    Answer,
    Ask,
    Contact,
    ContactStatus,
    Direction,
    FlowSession,
    FlowVersion,
    Message,
    MessageKind,
    MessageStatus,
    Profile,
    Recipient,
    SessionStatus,
)
from models.base import new_id
from tests.asks import broadcast
from tests.factories import Factory

OPTIONS = ("mornings", "saturday", "evenings")
QUESTIONS: tuple[Mapping[str, Any], ...] = (
    {
        "id": "when_open",
        "type": "choice",
        "text": {
            "en": "When should we be open?",
            "fr": "Quand ouvrir ?",
            "ar": "متى نفتح؟",
        },
        "options": [
            {"value": "mornings", "label": {"en": "Mornings", "fr": "Matin", "ar": "صباحا"}},
            {"value": "saturday", "label": {"en": "Saturday", "fr": "Samedi", "ar": "السبت"}},
            {"value": "evenings", "label": {"en": "Evenings", "fr": "Soir", "ar": "مساء"}},
        ],
    },
)
NEEDS: Mapping[str, Any] = {
    "id": "needs",
    "type": "multi",
    "text": {"en": "What do you need?"},
    "options": [
        {"value": "papers", "label": {"en": "Papers"}},
        {"value": "work", "label": {"en": "Work"}},
    ],
}
WHY: Mapping[str, Any] = {
    "id": "why",
    "type": "choice",
    "when": {"when_open": "saturday"},
    "text": {"en": "Why Saturday?"},
    "options": [
        {"value": "job", "label": {"en": "My job"}},
        {"value": "children", "label": {"en": "My children"}},
    ],
}


def version(make: Factory, *more: Mapping[str, Any]) -> FlowVersion:
    """A published poll on opening hours, with more questions if wanted."""
    return make.flow_version(
        flow="opening-hours", languages=["en", "fr", "ar"], questions=[*QUESTIONS, *more]
    )


def answer(
    make: Factory,
    asked: Ask,
    people: Iterable[Mapping[str, Any]],
    *,
    status: SessionStatus = SessionStatus.COMPLETE,
    **profile: Any,
) -> list[UUID]:
    """Let people answer one after the other, a second apart; each maps questions to answers.

    `make.now` moves on. `asker`, `broadcast` and `relay` in a person are ids, `profile` fields are
    of all.
    """
    rows: dict[type, list[dict[str, Any]]] = {Contact: [], Profile: [], FlowSession: [], Answer: []}
    ids = []
    for person in people:
        make.now += timedelta(seconds=1)
        given = dict(person)
        origin = {"ask": str(asked.id)}
        for way in ("asker", "broadcast", "relay"):
            if way in given:
                origin[way] = str(given.pop(way))
        contact_id = given.pop("contact", None) or _contact(make, rows, profile)
        session_id = new_id(make.now)
        rows[FlowSession].append(
            {
                "organisation_id": make.organisation_id,
                "id": session_id,
                "contact_id": contact_id,
                "flow_version_id": asked.flow_version_id,
                "flow": asked.flow,
                "kind": "poll",
                "status": status,
                "language": "en",
                "channel_kind": "telegram",
                "origin": origin,
                "started_at": make.now,
                "updated_at": make.now,
                "completed_at": make.now if status is SessionStatus.COMPLETE else None,
            }
        )
        rows[Answer] += [
            {
                "organisation_id": make.organisation_id,
                "session_id": session_id,
                "question": question,
                "contact_id": contact_id,
                "flow_version_id": asked.flow_version_id,
                "flow": asked.flow,
                "value": value,
                "skipped": value is None,
                "language": "en",
                "channel_kind": "telegram",
                "answered_at": make.now,
            }
            for question, value in given.items()
        ]
        ids.append(contact_id)
    _insert(make, rows)
    return ids


def _contact(
    make: Factory, rows: dict[type, list[dict[str, Any]]], profile: Mapping[str, Any]
) -> UUID:
    contact_id = new_id(make.now)
    times = {"last_seen_at": make.now, "organisation_id": make.organisation_id}
    rows[Contact].append(
        {
            "id": contact_id,
            "wrapped_key": b"made up",
            "language": "en",
            "status": ContactStatus.ACTIVE,
            "created_at": make.now,
            **times,
        }
    )
    rows[Profile].append({"contact_id": contact_id, "joined_at": make.now, **times, **profile})
    return contact_id


def split(**counts: int) -> list[dict[str, Any]]:
    """So many people for each option of the opening hours, well mixed."""
    left, found = dict(counts), []
    while any(left.values()):
        for option in [one for one, count in left.items() if count]:
            left[option] -= 1
            found.append({"when_open": option})
    return found


def send(
    make: Factory,
    asked: Ask,
    contacts: Iterable[UUID],
    *,
    asker_id: UUID | None = None,
    status: MessageStatus = MessageStatus.SENT,
) -> None:
    """The invitation went to these people, by Telegram."""
    sending = broadcast(make, asked)
    channel = make.channel()
    key = {"organisation_id": make.organisation_id}
    rows: dict[type, list[dict[str, Any]]] = {Address: [], Message: [], Recipient: []}
    for contact_id in contacts:
        address_id, message_id = new_id(make.now), new_id(make.now)
        whose = key | {"contact_id": contact_id}
        rows[Address].append(
            whose
            | {
                "id": address_id,
                "channel_id": channel.id,
                "scheme": "telegram",
                "address_hash": address_id.bytes * 2,
                "sealed": b"made up",
                "created_at": make.now,
            }
        )
        rows[Message].append(
            whose
            | {
                "id": message_id,
                "address_id": address_id,
                "channel_id": channel.id,
                "direction": Direction.OUT,
                "status": status,
                "kind": MessageKind.BROADCAST,
                "content": {},
                "language": "en",
                "created_at": make.now,
            }
        )
        rows[Recipient].append(
            whose
            | {
                "ask_id": asked.id,
                "kind": sending.kind,
                "broadcast_id": sending.id,
                "channel_kind": "telegram",
                "asker_id": asker_id,
                "status": "queued",
                "queued_at": make.now,
                "message_id": message_id,
            }
        )
    _insert(make, rows)


def _insert(make: Factory, rows: Mapping[type, list[dict[str, Any]]]) -> None:
    until = {"expires_at": make.now + timedelta(days=700)}
    for table, some in rows.items():
        if some:
            make.db.execute(insert(table), [row | until for row in some])
