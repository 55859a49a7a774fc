"""From waiting recipients to messages in the outbox, each at the member's own hour.

Never more than so many unsent first messages a channel wait in the outbox, so that replies and a
STOP find it short. Whatever somebody was chosen for is looked at once more: consent, address, hour,
and whether they are in the middle of something by now.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session

from flows.state import State
from models.address import Address, AddressStatus
from models.ask import Ask
from models.broadcast import Broadcast, BroadcastKind, Recipient, RecipientStatus
from models.channel import Channel, ChannelStatus
from models.contact import Contact, ContactStatus, Conversation
from models.message import Lane, Message, MessageStatus
from models.profile import Profile
from services.asks.ask_checks import CONSENT_FOR
from services.audiences.eligibility import IN_CONVERSATION, LeftOut
from services.broadcasts import ask_messages
from services.broadcasts.ask_messages import Person, Telling
from services.broadcasts.hours import send_time
from services.broadcasts.told_rows import Told
from services.conversation.props import TEST

MOST_UNSENT = 10_000
AT_ONCE = 500
LOOK_AGAIN = timedelta(hours=1)
_OPEN = {"session", "paused", "aside"}


def feed(db: Session, broadcast: Broadcast, telling: Telling, *, now: datetime) -> int:
    """Queue messages for those whose hour has come; return how many recipients were settled.

    `broadcast` is locked by the caller, and its `starts_at` has come.
    """
    ask = db.get_one(Ask, (broadcast.organisation_id, broadcast.ask_id))
    told = Told(broadcast, telling.version_id, telling.flow.kind, now)
    settled = 0
    for channel_id, room in _rooms(db, broadcast).items():
        rows = _due(db, broadcast, channel_id, room, now)
        talks = _talks(db, [row.Recipient.contact_id for row in rows])
        settled += sum(_settle(ask, telling, told, row, talks, now) for row in rows)
    told.write(db)
    return settled


def _settle(
    ask: Ask,
    telling: Telling,
    told: Told,
    row: Any,
    talks: Mapping[UUID, Conversation],
    now: datetime,
) -> bool:
    """Decide about one recipient; False when somebody handles a message of theirs this moment."""
    talk = talks.get(row.Recipient.contact_id)
    if talk is None and row.has_talk:
        return False
    verdict = _verdict(ask, told.broadcast, row, talk, now)
    if isinstance(verdict, LeftOut):
        told.leave_out(row.Recipient, verdict)
    elif isinstance(verdict, datetime):
        told.put_off(row.Recipient, verdict)
    else:
        person = _person(telling, row, talk)
        told.tell(row.Recipient, ask_messages.compose(telling, person, now), person, talk)
    return True


def _rooms(db: Session, broadcast: Broadcast) -> Mapping[UUID, int]:
    """Return how many may be queued now on each channel that has room."""
    owner = broadcast.organisation_id
    unsent = (
        select(Message.channel_id, func.count())
        .where(
            Message.organisation_id == owner,
            Message.lane == Lane.BROADCASTS,
            Message.status.in_((MessageStatus.QUEUED, MessageStatus.SENDING)),
        )
        .group_by(Message.channel_id)
    )
    counts = {row[0]: row[1] for row in db.execute(unsent)}
    channels = db.scalars(
        select(Channel.id).where(
            Channel.organisation_id == owner, Channel.status == ChannelStatus.ACTIVE
        )
    )
    rooms = {each: min(AT_ONCE, MOST_UNSENT - counts.get(each, 0)) for each in channels}
    return {channel_id: room for channel_id, room in rooms.items() if room > 0}


def _due(
    db: Session, broadcast: Broadcast, channel_id: UUID, room: int, now: datetime
) -> Sequence[Any]:
    owner = broadcast.organisation_id
    of_contact = (
        Conversation.organisation_id == owner,
        Conversation.contact_id == Recipient.contact_id,
    )
    return db.execute(
        select(
            Recipient,
            Contact.language,
            Contact.office_id,
            Contact.status.label("contact_status"),
            Address.status.label("address_status"),
            Profile.consents,
            Profile.time_zone,
            Profile.country,
            exists().where(*of_contact).label("has_talk"),
        )
        .join(Contact, and_(Contact.organisation_id == owner, Contact.id == Recipient.contact_id))
        .outerjoin(
            Address, and_(Address.organisation_id == owner, Address.id == Recipient.address_id)
        )
        .outerjoin(
            Profile,
            and_(Profile.organisation_id == owner, Profile.contact_id == Recipient.contact_id),
        )
        .where(
            Recipient.organisation_id == owner,
            Recipient.broadcast_id == broadcast.id,
            Recipient.channel_id == channel_id,
            Recipient.status == RecipientStatus.WAITING,
            Recipient.send_at <= now,
        )
        .order_by(Recipient.send_at)
        .limit(room)
        .with_for_update(of=Recipient, key_share=True, skip_locked=True)
    ).all()


def _talks(db: Session, contact_ids: list[UUID]) -> Mapping[UUID, Conversation]:
    """Lock the conversations nobody else holds at this moment."""
    rows = db.scalars(
        select(Conversation)
        .where(Conversation.contact_id.in_(contact_ids))
        .order_by(Conversation.contact_id)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return {row.contact_id: row for row in rows}


def _verdict(
    ask: Ask, broadcast: Broadcast, row: Any, talk: Conversation | None, now: datetime
) -> LeftOut | datetime | None:
    """Why somebody gets nothing after all, or when to look again; None: tell them now."""
    told_anyway = broadcast.kind is BroadcastKind.REPORT_BACK
    if row.contact_status is not ContactStatus.ACTIVE:
        return LeftOut.STOPPED
    if not told_anyway and CONSENT_FOR[ask.kind] not in (row.consents or ()):
        return LeftOut.NO_CONSENT
    if row.address_status is not AddressStatus.ACTIVE:
        return LeftOut.UNREACHABLE
    hour = send_time((row.time_zone, row.country), now, broadcast.send_hour)
    if hour > now:
        return hour
    if not told_anyway and talk is not None and _is_busy(ask, talk, now):
        late = ask.closes_at is not None and now + LOOK_AGAIN >= ask.closes_at
        return LeftOut.BUSY if late else now + LOOK_AGAIN
    return None


def _is_busy(ask: Ask, talk: Conversation, now: datetime) -> bool:
    state = talk.state or {}
    origin = state.get("origin") or {}
    if origin.get("ask") == str(ask.id) or TEST in origin:
        return False
    recent = talk.updated_at > now - IN_CONVERSATION
    registering = bool(state.get("session")) and not (state.get("origin") or {}).get("ask")
    return registering or (recent and bool(talk.case_id or state.keys() & _OPEN))


def _person(telling: Telling, row: Any, talk: Conversation | None) -> Person:
    state = (talk.state if talk else None) or {}
    mine = (state.get("origin") or {}).get("ask") == str(telling.ask_id) and state.get("session")
    return Person(
        contact_id=row.Recipient.contact_id,
        language=row.language,
        office_id=row.office_id,
        asker_id=row.Recipient.asker_id,
        tags=talk.tags if talk else 0,
        session_id=talk.session_id if talk and mine else None,
        state=State.from_json(state["session"]) if mine else None,
    )
