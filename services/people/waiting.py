"""A number that may have changed hands opens nothing for a day (trust C-06).

Whoever says "that was me" behind such a number goes on, but MYDATA, CHANGE, DELETE and joining
wait, and every other app of the person is told. PERSON from there opens a case, and while a case is
open the wait does not end: first an officer looks. STOP never waits, and apps whose ids belong to
one account for ever (Telegram) do not wait either.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.address import Address, AddressStatus
from models.channel import Channel, ChannelStatus
from models.sealed import Keyring
from models.walls import organisation_of
from services import audit
from services.audit import Actor
from services.conversation.opening import NUMBERED
from services.conversation.scene import RIGHTS, Scene
from services.conversation.sessions import ask_again
from services.people import reaching

WAIT = timedelta(hours=24)
CHOICES = frozenset({("menu", each) for each in ("mydata", "change", "erase", "link")}) | {
    ("stop_or_stay", "erase"),
    ("same_person", "me"),
    ("renewal", "change"),
    ("renewal", "erase"),
}
CLOSED = frozenset({"mydata", "change", "erase", "link"})
"""Questions of ours that may still stand open from before, on an older message."""


def waits(scene: Scene) -> bool:
    """Whether rights wait where this message comes from."""
    return scene.waits_until is not None and scene.line.kind in NUMBERED


def holds_choice(scene: Scene, aside: str, chosen: str) -> bool:
    """Answer a choice whose effect waits; False when it has its effect now."""
    held = aside in CLOSED or (aside, chosen) in CHOICES
    return held and is_held(scene)


def is_held(scene: Scene) -> bool:
    """Say that what this message wants has to wait; False when it does not."""
    return waits(scene) and _say_so(scene)


def begin(db: Session, keyring: Keyring, scene: Scene, *, now: datetime) -> None:
    """Let the wait begin, say so, and tell every other address of the person."""
    scene.unsure = False
    scene.waits_until = now + WAIT
    scene.say("number_confirmed")
    for address in _others(db, scene):
        reaching.tell(db, keyring, address, "new_phone", {}, now=now)
    contact = ("contact", scene.contact_id)
    audit.record(db, Actor(*contact), "number.confirmed", contact, now=now)


def _say_so(scene: Scene) -> bool:
    scene.aside = None
    over = scene.waits_until is not None and scene.waits_until <= scene.now
    scene.lane = RIGHTS
    scene.say("rights_held" if over else "rights_wait")
    ask_again(scene)
    return True


def _others(db: Session, scene: Scene) -> list[Address]:
    """Addresses that can be written to, besides the one this message came from."""
    found = db.scalars(
        select(Address)
        .join(Channel, Channel.id == Address.channel_id)
        .where(
            Address.organisation_id == organisation_of(db),
            Address.contact_id == scene.contact_id,
            Address.id != scene.address_id,
            Address.status == AddressStatus.ACTIVE,
            Channel.status == ChannelStatus.ACTIVE,
        )
        .order_by(Address.id)
    )
    return list(found)
