"""From waiting recipients to messages in the outbox, each at the member's own hour.

Never more than so many unsent first messages a channel wait in the outbox, so that replies and a
STOP find it short. Whatever somebody was chosen for is looked at once more: consent, address, hour,
and whether they are in the middle of something by now.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from flows.state import State
from models.address import Address, AddressStatus
from models.ask import Ask
from models.broadcast import Broadcast, BroadcastStatus, Recipient, RecipientStatus
from models.channel import Channel, ChannelStatus
from models.contact import Contact, ContactStatus, Conversation
from models.message import Lane, Message, MessageStatus
from models.profile import Profile
from services.asks.ask_checks import CONSENT_FOR
from services.audiences.eligibility import LeftOut, Sending, has_done
from services.audiences.interruptions import Passages, find_passages, is_interrupted
from services.broadcasts import ask_messages
from services.broadcasts.ask_messages import Person, Telling
from services.broadcasts.hours import day_of, send_time
from services.broadcasts.told_rows import Told

MOST_UNSENT = 10_000
MEANWHILE = 1_000
AT_ONCE = 500
"""Most unsent messages of a channel, the same as long as recipients are still being written, and
how many are added at once when there is room for all."""
LOOK_AGAIN = timedelta(hours=1)
_SEEN: tuple[Any, ...] = (
    Recipient.contact_id,
    Recipient.address_id,
    Recipient.channel_id,
    Recipient.channel_kind,
    Recipient.asker_id,
    Recipient.send_at,
    Contact.language,
    Contact.office_id,
    Contact.status.label("contact_status"),
    Address.status.label("address_status"),
    Profile.consents,
    Profile.time_zone,
    Profile.country,
)
"""What is looked at of each recipient."""


def feed(
    db: Session, broadcast: Broadcast, sending: Sending, telling: Telling, *, now: datetime
) -> int:
    """Queue messages for those whose hour has come; return how many recipients were settled.

    `broadcast` is locked by the caller, and its `starts_at` has come; `sending` and `telling` are
    of it.
    """
    ask = db.get_one(Ask, (broadcast.organisation_id, broadcast.ask_id))
    told = Told(broadcast, telling.version_id, telling.flow.kind, now)
    settled = 0
    for channel_id in _with_room(db, broadcast):
        rows = _due(db, broadcast, sending, channel_id, now)
        talks = _talks(db, broadcast.organisation_id, [row.contact_id for row in rows])
        passages = find_passages(db, talks.values())
        for row in rows:
            settled += _settle(ask, telling, told, row, talks, passages, now)
    told.write(db)
    return settled


def _settle(
    ask: Ask,
    telling: Telling,
    told: Told,
    row: Any,
    talks: Mapping[UUID, Conversation],
    passages: Passages,
    now: datetime,
) -> bool:
    """Decide about one recipient; False when somebody handles a message of theirs this moment."""
    talk = talks.get(row.contact_id)
    if talk is None and row.has_talk:
        return False
    verdict = _verdict(ask, told.broadcast, row, talk, passages, now)
    if isinstance(verdict, LeftOut):
        told.leave_out(row, verdict)
    elif isinstance(verdict, datetime):
        told.put_off(row, verdict)
    else:
        person = _person(telling, row, talk, told.broadcast.send_hour)
        told.tell(row, ask_messages.compose(telling, person, now), person, talk)
    return True


def _with_room(db: Session, broadcast: Broadcast) -> Sequence[UUID]:
    """Return the channels whose outbox has room for a whole round.

    Waiting for that much keeps rounds few, however fast a channel empties.
    """
    owner = broadcast.organisation_id
    most = MEANWHILE if broadcast.status is BroadcastStatus.OPENING else MOST_UNSENT
    unsent = (
        select(Message.id)
        .where(
            Message.organisation_id == owner,
            Message.channel_id == Channel.id,
            Message.lane == Lane.BROADCASTS,
            Message.status == MessageStatus.QUEUED,
        )
        .order_by(Message.due_at)
        .offset(most - AT_ONCE)
        .limit(1)
        .exists()
    )
    return db.scalars(
        select(Channel.id)
        .where(Channel.organisation_id == owner, Channel.status == ChannelStatus.ACTIVE, ~unsent)
        .order_by(Channel.id)
    ).all()


def _due(
    db: Session, broadcast: Broadcast, sending: Sending, channel_id: UUID, now: datetime
) -> Sequence[Any]:
    owner = broadcast.organisation_id
    has_talk = exists().where(
        Conversation.organisation_id == owner, Conversation.contact_id == Recipient.contact_id
    )
    return db.execute(
        select(
            *_SEEN,
            has_talk.label("has_talk"),
            has_done(sending, owner, Recipient.contact_id).label("has_done"),
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
        .limit(AT_ONCE)
        .with_for_update(of=Recipient, key_share=True, skip_locked=True)
    ).all()


def _talks(db: Session, owner: UUID, contact_ids: list[UUID]) -> Mapping[UUID, Conversation]:
    """Lock the conversations nobody else holds at this moment."""
    rows = db.scalars(
        select(Conversation)
        .where(Conversation.organisation_id == owner, Conversation.contact_id.in_(contact_ids))
        .order_by(Conversation.contact_id)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return {row.contact_id: row for row in rows}


def _verdict(
    ask: Ask,
    broadcast: Broadcast,
    row: Any,
    talk: Conversation | None,
    passages: Passages,
    now: datetime,
) -> LeftOut | datetime | None:
    """Why somebody gets nothing after all, or when to look again; None: tell them now."""
    told_anyway = broadcast.kind.tells
    if row.contact_status is not ContactStatus.ACTIVE:
        return LeftOut.STOPPED
    if not told_anyway and CONSENT_FOR[ask.kind] not in (row.consents or ()):
        return LeftOut.NO_CONSENT
    if row.has_done:
        return LeftOut.ALREADY_ASKED
    if row.address_status is not AddressStatus.ACTIVE:
        return LeftOut.UNREACHABLE
    hour = send_time((row.time_zone, row.country), now, broadcast.send_hour)
    if hour > now:
        return hour
    if not told_anyway and talk is not None and is_interrupted(talk, ask.id, passages, now):
        late = ask.closes_at is not None and now + LOOK_AGAIN >= ask.closes_at
        return LeftOut.BUSY if late else now + LOOK_AGAIN
    return None


def _person(telling: Telling, row: Any, talk: Conversation | None, send_hour: int | None) -> Person:
    state = (talk.state if talk else None) or {}
    mine = (state.get("origin") or {}).get("ask") == str(telling.ask_id) and state.get("session")
    return Person(
        contact_id=row.contact_id,
        language=row.language,
        channel_kind=row.channel_kind,
        day=day_of((row.time_zone, row.country), send_hour),
        office_id=row.office_id,
        asker_id=row.asker_id,
        tags=talk.tags if talk else 0,
        session_id=talk.session_id if talk and mine else None,
        state=State.from_json(state["session"]) if mine else None,
    )
