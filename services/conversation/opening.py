"""How a scene opens: who spoke, in which language, and where their conversation stands."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flows.state import State
from models.base import new_id
from models.message_path import Standing
from services.catalogue import Catalogue
from services.conversation.props import Heard, Line, Running, wait_ends
from services.conversation.scene import Scene

NUMBERED = frozenset({"sms", "whatsapp"})
SILENT_AFTER = timedelta(days=90)


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
        said=[mark for mark in (*stored.get("said", ()), heard.mark) if mark][-3:],
        case_id=standing.case_id,
        case_noted=bool(stored.get("noted")),
        code_wanted=bool(stored.get("code")),
        voted=UUID(stored["voted"]) if stored.get("voted") else None,
        matches=bool(stored.get("matches")) or standing.shares_number,
        unsure=bool(stored.get("unsure")) or is_doubtful(heard, standing, now),
        waits_until=wait_ends(stored.get("waits"), held=standing.case_id is not None, now=now),
    )
    scene.running = _running(stored, standing.session_id, catalogue)
    if scene.running and stored.get("paused"):
        paused = stored["paused"]
        scene.paused = _running(paused, UUID(paused["id"]), catalogue)
    if scene.running and scene.running.is_test:
        scene.language = scene.running.state.language
    if stored.get("done"):
        scene.done = _running(stored["done"], UUID(stored["done"]["id"]), catalogue)
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
    completed_at, shown_at = stored.get("completed_at"), stored.get("shown_at")
    return Running(
        id=session_id,
        published=published,
        state=State.from_json(stored["session"]),
        origin=dict(stored.get("origin") or {}),
        correcting=stored.get("correcting"),
        completed_at=datetime.fromisoformat(completed_at) if completed_at else None,
        shown_at=datetime.fromisoformat(shown_at) if shown_at else None,
    )


def _first_language(heard: Heard, line: Line, standing: Standing, catalogue: Catalogue) -> str:
    """Telegram's language if offered, else the entry code's, else the channel's (design 5)."""
    if standing.language:
        return standing.language
    if heard.language and (offered := heard.language[:2].lower()) in catalogue.languages:
        return offered
    entry = catalogue.entry(heard.entry) if heard.entry else None
    return (entry and entry.language) or line.default_language
