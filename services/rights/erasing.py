"""DELETE inside a conversation: the same checks as any message, then everything goes at once."""

from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert

from models.contact import Conversation
from models.db import transaction
from models.message_path import AlreadyTaken, ConversationMoved
from models.receipt import Receipt
from services import retention
from services.conversation.scene import Scene
from services.rights import rights


def erase(engine: Engine, scene: Scene, *, now: datetime) -> str:
    """Erase the person of this scene; gives the short receipt they are told.

    Nothing can be put into the outbox for somebody who is gone, so the caller answers in the
    webhook's own response. Raises AlreadyTaken for a repeat of the delivery, ConversationMoved
    when the person did something else meanwhile.
    """
    organisation_id = scene.line.organisation_id
    with transaction(engine, organisation_id) as db:
        seq = db.scalar(
            select(Conversation.seq)
            .where(Conversation.contact_id == scene.contact_id)
            .with_for_update(key_share=True)
        )
        if seq != scene.standing.seq:
            raise ConversationMoved
        fresh = db.execute(
            insert(Receipt)
            .values(
                organisation_id=organisation_id,
                channel_id=scene.line.id,
                key=scene.heard.receipt,
                received_at=now,
                expires_at=retention.expires_at("receipts", now),
            )
            .on_conflict_do_nothing()
            .returning(Receipt.key)
        ).first()
        if fresh is None:
            raise AlreadyTaken
        reason = "asked" if scene.farewell == "erased" else scene.farewell
        rights.erase(db, scene.contact_id, reason=reason, now=now)
    return receipt_number(scene, now)


def receipt_number(scene: Scene, now: datetime) -> str:
    """A number to quote that leads to nobody: part of the delivery's keyed hash, and the day."""
    return f"{scene.heard.receipt.hex()[:6].upper()}-{now:%Y%m%d}"
