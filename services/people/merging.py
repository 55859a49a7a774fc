"""Two contacts become one: the older stays, and nothing of either is lost or said twice.

The newest answer to each question counts, withdrawn and stopped win, the passage of whoever is
talking goes on. What was sealed under the key of the contact that goes is sealed anew. Everything
happens in the caller's transaction, with both conversations locked (``lock``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session, aliased

from models.address import Address
from models.broadcast import Recipient
from models.case import Case, CaseStatus
from models.contact import Contact, ContactStatus, Conversation
from models.due import Due
from models.flow_session import FlowSession
from models.link_code import LinkCode, LinkTry
from models.member_link import MemberLink
from models.message import Direction, Message, MessageKind, MessageStatus
from models.relay import Leader
from models.rule import Firing
from models.sealed import Keyring
from models.walls import organisation_of
from services import audit
from services.audit import Actor
from services.catalogue import Catalogue
from services.people import folding
from services.people.folding import Place
from services.people.joining import join_cases, join_consents, join_profiles
from services.people.resealing import reseal_everything


def lock(db: Session, *contact_ids: UUID) -> Mapping[UUID, Conversation]:
    """Lock conversations in the order in which everybody locks them."""
    rows = db.scalars(
        select(Conversation)
        .where(
            Conversation.organisation_id == organisation_of(db),
            Conversation.contact_id.in_(contact_ids),
        )
        .order_by(Conversation.contact_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    return {row.contact_id: row for row in rows}


@dataclass(frozen=True, slots=True)
class _Pair:
    """The contact that stays and the one that goes."""

    stays: Contact
    goes: Contact


def merge(
    db: Session,
    keyring: Keyring,
    talking: UUID,
    other: UUID,
    catalogue: Catalogue,
    *,
    channel_kind: str,
    now: datetime,
) -> UUID:
    """Make one contact of two and return its id; ``talking`` is the one who is active now.

    LookupError when one of them is gone or merged meanwhile: whoever asked looks again.
    """
    talks = lock(db, talking, other)
    pair = _pair(db, talking, other)
    places = {who: folding.place_of(talks.get(who)) for who in (talking, other)}
    passages = folding.passages_of(db, talking, other)
    stays, goes = pair.stays.id, pair.goes.id
    old, new = (_key(keyring, each) for each in (pair.goes, pair.stays))
    language = pair.stays.language if talking == stays else pair.goes.language
    reseal_everything(db, goes, old, new)
    before = _open_cases(db, stays, goes)
    join_profiles(db, stays, goes, talking)
    case_id = join_cases(db, stays, goes)
    _move_addresses(db, pair)
    _move_sessions(db, pair)
    join_consents(db, stays, goes, language=language, channel_kind=channel_kind, now=now)
    for kept, gone in passages:
        folding.fold(db, kept, gone, new, now=now)
    folded = {gone.id: kept.id for kept, gone in passages}
    goals = folding.Goals(
        places=places,
        folded=folded,
        catalogue=catalogue,
        tag=max((talk.tags for talk in talks.values()), default=0) + 1,
        now=now,
    )
    place = folding.go_on(db, (talking, other), goals)
    _join_talks(db, pair, talks, place, goals.tag, case_id, now)
    _close(db, pair, language, now)
    _record(db, pair, folded, before - _open_cases(db, stays, goes), now)
    db.expire_all()
    return stays


def _record(
    db: Session, pair: _Pair, passages: Iterable[UUID], cases: Iterable[UUID], now: datetime
) -> None:
    """Record the merger, with the ids of rows that became part of others.

    (Pages that officers read are found again by them: services/rights/mydata.py, `viewings`.)
    """
    gone = {f"registration_{n}": str(each) for n, each in enumerate(passages, 1)}
    gone |= {f"case_{n}": str(each) for n, each in enumerate(sorted(cases), 1)}
    audit.record(
        db,
        Actor("contact", pair.stays.id),
        "contact.merged",
        ("contact", pair.stays.id),
        detail={"merged": str(pair.goes.id)} | gone,
        now=now,
    )


def _open_cases(db: Session, *contact_ids: UUID) -> set[UUID]:
    theirs = Case.contact_id.in_(contact_ids)
    return set(db.scalars(select(Case.id).where(theirs, Case.status != CaseStatus.CLOSED)))


def _key(keyring: Keyring, contact: Contact) -> bytes:
    return keyring.unwrap(contact.wrapped_key, contact.organisation_id, contact.id)


def _pair(db: Session, talking: UUID, other: UUID) -> _Pair:
    organisation_id = organisation_of(db)
    found = db.scalars(
        select(Contact)
        .where(Contact.organisation_id == organisation_id, Contact.id.in_((talking, other)))
        .order_by(Contact.created_at, Contact.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if len(found) != 2 or any(each.status == ContactStatus.MERGED for each in found):
        raise LookupError("one of the two contacts is gone")
    return _Pair(found[0], found[1])


def _move_addresses(db: Session, pair: _Pair) -> None:
    """Move addresses and, with them by key, every message; what waits to be asked is not asked.

    (The waiting question is asked anew, where the person is now.)
    """
    db.execute(
        update(Message)
        .where(
            Message.contact_id.in_((pair.stays.id, pair.goes.id)),
            Message.direction == Direction.OUT,
            Message.status == MessageStatus.QUEUED,
            Message.kind == MessageKind.QUESTION,
        )
        .values(status=MessageStatus.CANCELED, error_code="merged")
    )
    db.execute(
        update(Address)
        .where(Address.contact_id == pair.goes.id)
        .values(contact_id=pair.stays.id)
        .execution_options(synchronize_session=False)
    )


def _move_sessions(db: Session, pair: _Pair) -> None:
    """Move passages (answers and cases follow by key) and what is due."""
    for model in (FlowSession, Due, Leader, Firing):
        db.execute(
            update(model).where(model.contact_id == pair.goes.id).values(contact_id=pair.stays.id)
        )
    _move_recipients(db, pair)
    _drop_doubles(db, pair.stays.id)
    db.expire_all()


def _move_recipients(db: Session, pair: _Pair) -> None:
    """Move what both were asked; where they were asked the same, the survivor's row says it."""
    theirs = aliased(Recipient)
    asked_both = exists().where(
        theirs.organisation_id == Recipient.organisation_id,
        theirs.contact_id == pair.stays.id,
        theirs.ask_id == Recipient.ask_id,
        theirs.kind == Recipient.kind,
    )
    here = Recipient.organisation_id == organisation_of(db)
    moving = (here, Recipient.contact_id == pair.goes.id)
    db.execute(delete(Recipient).where(*moving, asked_both))
    db.execute(update(Recipient).where(*moving).values(contact_id=pair.stays.id))


def _drop_doubles(db: Session, contact_id: UUID) -> None:
    """Of what is due to a person as a whole, such as a renewal, only the later one stays."""
    rows = db.scalars(
        select(Due)
        .where(Due.contact_id == contact_id, Due.session_id.is_(None))
        .order_by(Due.due_at, Due.id)
    ).all()
    last = {row.kind: row.id for row in rows}
    doubled = [row.id for row in rows if row.id != last[row.kind]]
    db.execute(delete(Due).where(Due.contact_id == contact_id, Due.id.in_(doubled)))


def _join_talks(
    db: Session,
    pair: _Pair,
    talks: Mapping[UUID, Conversation],
    place: Place | None,
    tags: int,
    case_id: UUID | None,
    now: datetime,
) -> None:
    """One conversation with a higher number than either had: whoever read one of them is late."""
    seqs = [talk.seq for talk in talks.values()]
    ends = [talk.expires_at for talk in talks.values() if talk.expires_at]
    replies = max((talk.window_replies for talk in talks.values()), default=0)
    starts = [talk.window_started_at for talk in talks.values() if talk.window_started_at]
    if pair.goes.id in talks:
        db.execute(delete(Conversation).where(Conversation.contact_id == pair.goes.id))
    talk = talks.get(pair.stays.id)
    if talk is None:
        talk = Conversation(organisation_id=pair.stays.organisation_id, contact_id=pair.stays.id)
        db.add(talk)
    talk.seq = max(seqs, default=0) + 1
    talk.state = ((place.to_json() if place else {}) | _marks(talks)) or None
    talk.session_id = place.session_id if place else None
    talk.tags = tags
    talk.window_replies = replies
    talk.window_started_at = max(starts, default=None)
    talk.case_id = case_id
    talk.updated_at = now
    talk.expires_at = max(ends, default=None)
    db.flush()


def _marks(talks: Mapping[UUID, Conversation]) -> dict[str, str]:
    """The longer wait goes on (``waiting.py``), and that one voted in a secret poll."""
    states = [talk.state or {} for talk in talks.values()]
    kept = {name: [str(one[name]) for one in states if name in one] for name in ("waits", "voted")}
    return {name: max(values) for name, values in kept.items() if values}


def _close(db: Session, pair: _Pair, language: str, now: datetime) -> None:
    """The contact that goes keeps only where it went; whoever of both stopped, stopped for both."""
    stays, goes = pair.stays, pair.goes
    stopped = [each.stopped_at or now for each in (stays, goes) if each.status == "stopped"]
    for model in (MemberLink, LinkTry):
        db.execute(delete(model).where(model.contact_id == goes.id))
    db.execute(
        delete(LinkCode).where(
            LinkCode.contact_id.in_((stays.id, goes.id)) | (LinkCode.claimant_id == goes.id)
        )
    )
    db.execute(update(Contact).where(Contact.merged_into == goes.id).values(merged_into=stays.id))
    if stopped:
        stays.status, stays.stopped_at = ContactStatus.STOPPED, max(stopped)
        _cancel(db, stays.id)
    stays.language = language
    stays.office_id = stays.office_id or goes.office_id
    stays.last_seen_at = max(stays.last_seen_at, goes.last_seen_at)
    stays.expires_at = max(stays.expires_at, goes.expires_at)
    goes.status, goes.stopped_at, goes.merged_into = ContactStatus.MERGED, None, stays.id
    db.flush()
    db.execute(
        update(Address).where(Address.contact_id == stays.id).values(expires_at=stays.expires_at)
    )


def _cancel(db: Session, contact_id: UUID) -> None:
    db.execute(
        update(Message)
        .where(
            Message.contact_id == contact_id,
            Message.direction == Direction.OUT,
            Message.status == MessageStatus.QUEUED,
            Message.kind != MessageKind.RIGHTS,
        )
        .values(status=MessageStatus.CANCELED, error_code="stopped")
    )
