"""Taking up what somebody had said when we asked who they are (see ``held_back.py``)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.inputs import Input, Pressed, Text
from flows.keywords import Word, recognise
from flows.state import State, Value
from models.contact import Contact
from models.message import Direction, Message
from models.sealed import Keyring, open_sealed
from services.conversation.conversations import hear_again
from services.conversation.opening import open_scene
from services.conversation.scene import Scene


def resume(db: Session, keyring: Keyring, scene: Scene) -> Scene | None:
    """Return the scene as it is once what was said has its effect; None when nothing was.

    None also for what needs a transaction of its own, such as a vote: that is asked for again.
    """
    held = State.from_json((scene.standing.state or {})["aside"]).known
    given = _said(db, keyring, scene, held) if held else None
    if given is None or _greets(scene, given):
        return None
    heard = replace(scene.heard, input=given, written_at=None)
    fresh = open_scene(heard, scene.line, scene.standing, scene.catalogue, scene.now)
    fresh.aside = State.from_json(json.loads(str(held["aside"]))) if "aside" in held else None
    fresh.unsure, fresh.waits_until = False, scene.waits_until
    fresh.parts = list(scene.parts)
    hear_again(fresh)
    return None if fresh.stands_alone or fresh.is_echo else fresh


def _said(db: Session, keyring: Keyring, scene: Scene, held: Mapping[str, Value]) -> Input | None:
    """The words of that message; None when they are kept nowhere, as a vote is."""
    message = db.scalars(
        select(Message)
        .where(
            Message.contact_id == scene.contact_id,
            Message.direction == Direction.IN,
            Message.created_at == datetime.fromisoformat(str(held["at"])),
            Message.sealed.is_not(None),
        )
        .order_by(Message.id)
    ).first()
    if message is None or message.sealed is None:
        return None
    contact = db.get_one(Contact, (message.organisation_id, message.contact_id))
    plain = open_sealed(
        keyring.unwrap(contact.wrapped_key, contact.organisation_id, contact.id),
        message.sealed,
        table="messages",
        column="sealed",
        organisation_id=message.organisation_id,
        row_id=message.id,
    )
    said = plain.decode("utf-8", "replace")
    return Pressed(said) if held["kind"] == "pressed" else Text(said)


def _greets(scene: Scene, given: Input) -> bool:
    if not isinstance(given, Text):
        return False
    keyword = recognise(given.text, (scene.language, *scene.catalogue.languages), opted_out=False)
    return keyword is not None and keyword.word is Word.HELLO
