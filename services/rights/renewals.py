"""Before what somebody told us lapses: are these answers still right, and shall we keep them?

Everything ends 24 months after the last contact. Thirty days before, the person is asked once;
whatever they answer is a contact and moves the end, silence lets it come.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from flows import engine
from flows.events import Asked, as_part
from models.address import Address
from models.contact import Contact, ContactStatus, Conversation
from models.due import Due
from models.profile import Profile
from services.conversation.asides import asides
from services.conversation.moments import BEFORE_THE_END, out_of_quiet_hours
from services.conversation.scene import base36
from services.messages import outgoing
from services.people import contacts

ASIDE = "renewal"
BUSY = timedelta(days=1)


def ask(db: Session, due: Due, *, now: datetime) -> datetime | None:
    """Ask, when the time has come; the instant to look again, None when nothing is left to do."""
    contact = db.scalars(select(Contact).where(Contact.id == due.contact_id)).one()
    if contact.expires_at <= now or contact.status is ContactStatus.MERGED:
        return None
    if contact.status is ContactStatus.STOPPED:
        return contact.expires_at
    zone = db.scalar(select(Profile.time_zone).where(Profile.contact_id == contact.id))
    wanted = out_of_quiet_hours(max(contact.expires_at - BEFORE_THE_END, now), zone)
    if wanted > now:
        return wanted
    talk = db.scalars(
        select(Conversation)
        .where(Conversation.contact_id == contact.id)
        .with_for_update(key_share=True)
    ).one()
    if talk.state and ("session" in talk.state or "aside" in talk.state):
        return now + BUSY
    address = contacts.find_last_address(db, contact.id)
    if address is not None:
        _send(db, talk, contact, address, now)
    _keep_only(db, due)
    return contact.expires_at


def _keep_only(db: Session, due: Due) -> None:
    """A person who registered twice is asked once."""
    db.execute(
        delete(Due).where(Due.contact_id == due.contact_id, Due.kind == due.kind, Due.id != due.id)
    )


def _send(
    db: Session, talk: Conversation, contact: Contact, address: Address, now: datetime
) -> None:
    talk.tags += 1
    state, events = engine.start(
        asides()[ASIDE], tag=base36(talk.tags), language=contact.language, now=now
    )
    talk.state, talk.expires_at = {"aside": state.to_json()}, contact.expires_at
    talk.seq += 1
    parts = [as_part(event) for event in events if isinstance(event, Asked)]
    content = {
        "parts": parts,
        "tag": state.tag,
        "aside": ASIDE,
        "template": {"name": ASIDE, "params": {}},
    }
    outgoing.queue(db, contact, address, content, seq=talk.seq, now=now, question=state.asked)
