"""Telegram's keyboard in place of the phone's own: it comes and goes with a contact question."""

from typing import Any
from uuid import UUID

from services.conversation.scene import Scene

CONTACT = "contact"
"""The type of question that is asked so."""


def keyboard_mark(scene: Scene) -> dict[str, Any]:
    """The mark of an answer that has to put the keyboard away, or nothing."""
    stored = scene.standing.state or {}
    if scene.line.kind != "telegram" or "session" not in stored or "aside" in stored:
        return {}
    published = scene.catalogue.version(UUID(stored["version"]))
    asked = published.flow.question(stored["session"]["asked"]) if published else None
    again = scene.spoken_version is not None and asked is not None and scene.question == asked.id
    return {"unkeys": True} if asked and asked.type == CONTACT and not again else {}
