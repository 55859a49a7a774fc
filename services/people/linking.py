"""Joining two addresses of one person, and parting a number from who had it before.

Each wish of a message (``scene.Wish``) is granted in one transaction of its own, with the same
checks as any message: what it changes, the receipt and the conversation's number are written by
the message path inside that transaction, so a crash or a repeat leaves all of it or nothing.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.address import Address, AddressStatus
from models.base import new_id
from models.contact import Contact, Conversation
from models.db import transaction
from models.link_code import LinkCode
from models.message_path import ConversationMoved, apply_many, take_many
from models.sealed import Keyring, OrganisationKeys
from services import audit, retention
from services.audit import Actor
from services.conversation.changes import gather, rows_of
from services.conversation.opening import open_scene
from services.conversation.scene import Scene
from services.conversation.sessions import ask_again, offer
from services.messages.rendering import body_as_sent
from services.people import contacts, link_codes, merging, reaching, resuming, waiting
from services.people.link_codes import Given

MEANWHILE = frozenset({"23505", "40P01", "40001"})
DOUBTS = frozenset({"aside", "unsure", "waits"})
SENT_CODE_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Tools:
    """What granting a wish needs beside the scene."""

    engine: Engine
    keyring: Keyring
    keys: OrganisationKeys


@dataclass(frozen=True, slots=True)
class _At:
    """One wish in its transaction."""

    db: Session
    tools: Tools
    scene: Scene
    now: datetime


def grant(tools: Tools, scene: Scene, *, now: datetime) -> bool:
    """Do what the message wishes and answer it; whether something is to be sent.

    Raises AlreadyTaken and ConversationMoved as models.message_path does; the latter too once an
    address has been given to whom it belongs, since the message is then theirs to be handled.
    """
    try:
        with transaction(tools.engine, scene.line.organisation_id) as db:
            at = _At(db, tools, scene, now)
            if scene.standing.alias_of is not None and scene.comes_anew:
                _attach(at, scene.standing.alias_of)
            elif scene.wish is not None:
                return GRANTS[scene.wish.kind](at)
    except LookupError as error:
        raise ConversationMoved from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in MEANWHILE:
            raise ConversationMoved from error
        raise
    raise ConversationMoved


def _link(at: _At) -> bool:
    """A link for each other app the organisation is on; without one, six digits."""
    token = f"L-{secrets.token_urlsafe(16)}"
    links = reaching.links(at.db, token, besides=at.scene.line.kind)
    if not links:
        return _code(at)
    _keep(at, token)
    at.scene.say_sealed("link_how", link="\n".join(links))
    return _write(at, at.scene)


def _code(at: _At) -> bool:
    """Six digits to be written from the other phone or app."""
    code = link_codes.new_digits(at.db, at.tools.keys, None)
    _keep(at, code)
    at.scene.say_sealed("link_code", code=code)
    return _write(at, at.scene)


def _other(at: _At) -> bool:
    """Six digits to the other address of the same number; nothing of it is shown here."""
    hashed = at.scene.heard.number_hash
    address = hashed and reaching.same_number(at.db, hashed, at.scene.contact_id, now=at.now)
    if not address:
        at.scene.say("not_merged")
        ask_again(at.scene)
        return _write(at, at.scene)
    claimant = at.scene.contact_id
    if not link_codes.is_out(at.db, address.contact_id, claimant, now=at.now):
        code = link_codes.new_digits(at.db, at.tools.keys, claimant)
        given = Given(address.contact_id, claimant, code, at.now + SENT_CODE_FOR)
        link_codes.keep(at.db, at.tools.keys, given, now=at.now)
        reaching.tell(at.db, at.tools.keyring, address, "number_code", {"code": code}, now=at.now)
    at.scene.code_wanted = True
    at.scene.say("code_sent")
    _write(at, at.scene)
    return True


def _try(at: _At) -> bool:
    """Join the sender with whom the code was given out for, or count a wrong one."""
    assert at.scene.wish is not None
    value = at.scene.wish.value
    if link_codes.too_often(at.db, at.scene.contact_id, now=at.now):
        at.scene.say("code_too_often")
        return _write(at, at.scene)
    found = _find(at, value)
    if found is None or found.contact_id == at.scene.contact_id:
        return _refuse(at, value, expired=False)
    talks = _locked(at, found.contact_id)
    found = _find(at, value)  # nobody used it while we waited for the lock
    if found is None or found.expires_at <= at.now or found.contact_id not in talks:
        return _refuse(at, value, expired=found is not None)
    return _join(at, found.contact_id)


def _join(at: _At, other: UUID) -> bool:
    scene = at.scene
    told = contacts.find_last_address(at.db, other)
    link_codes.end_all(at.db, other)
    if scene.is_new:
        _attach(at, other)
        _record(at, "address.joined", other)
    else:
        merging.merge(
            at.db,
            at.tools.keyring,
            scene.contact_id,
            other,
            scene.catalogue,
            channel_kind=scene.line.kind,
            now=at.now,
        )
    joined = _as_it_is(at)
    joined.say("merged")
    if joined.has_stopped:
        joined.say_as_right("stop_confirmed_before")
    else:
        ask_again(joined)
    _write(at, joined)
    if told is not None and not joined.has_stopped:
        at.db.refresh(told)
        reaching.tell(at.db, at.tools.keyring, told, "merged_away", {}, now=at.now)
    return True


def _part(at: _At) -> bool:
    """Let the number go from who had it before; who writes now is nobody we know.

    The row stays for the messages it once carried, without the number and without a way to it.
    """
    talks = _locked(at)
    old = at.scene.contact_id
    address = at.db.scalars(select(Address).where(Address.id == at.scene.address_id)).one()
    reaching.silence(at.db, address, "parted")
    address.address_hash, address.number_hash = os.urandom(32), None
    address.status = AddressStatus.DEAD
    address.sealed = reaching.sealed_address(at.db, at.tools.keyring, old, address.id, "")
    talk = talks[old]
    talk.seq += 1
    talk.state = {k: v for k, v in (talk.state or {}).items() if k not in DOUBTS}
    at.db.flush()
    _record(at, "address.parted", old)
    fresh = _as_it_is(at)
    fresh.say("new_owner")
    offer(fresh)
    return _write(at, fresh)


def _known(at: _At) -> bool:
    """Let somebody go on behind a number that was doubted; their rights wait a day."""
    waiting.begin(at.db, at.tools.keyring, at.scene, now=at.now)
    resumed = resuming.resume(at.db, at.tools.keyring, at.scene)
    if resumed is None:
        ask_again(at.scene)
    return _write(at, resumed or at.scene)


def _keep(at: _At, value: str) -> None:
    """Keep a code by which anybody who has it joins the sender."""
    lasts = retention.PERIODS["link_codes"]
    given = Given(at.scene.contact_id, None, value, at.now + lasts)
    link_codes.keep(at.db, at.tools.keys, given, now=at.now)


def _find(at: _At, value: str) -> LinkCode | None:
    return link_codes.find(at.db, at.tools.keys, value, at.scene.contact_id)


Grant = Callable[[_At], bool]
GRANTS: dict[str, Grant] = {
    "link": _link,
    "code": _code,
    "other": _other,
    "try": _try,
    "new_owner": _part,
    "known": _known,
}


def _write(at: _At, scene: Scene) -> bool:
    """Write the scene as any message is written, in this transaction."""
    at.db.flush()
    rows = rows_of(scene, at.tools.keyring, body_as_sent)
    line = scene.line
    apply_many(at.db.connection(), line.organisation_id, line.id, gather([rows], at.now))
    return bool(rows.outgoing)


def _as_it_is(at: _At) -> Scene:
    """The same message after what this transaction changed; a code it held is not kept."""
    at.db.flush()
    heard, line = replace(at.scene.heard, body="", input=None), at.scene.line
    standing = take_many(
        at.db.connection(),
        line.organisation_id,
        line.id,
        address_hashes=[heard.address_hash],
        receipt_keys=[heard.receipt],
        today=at.now.date(),
        number_hashes=[heard.number_hash],
        alias_hashes=[heard.alias_hash],
    )[0]
    return open_scene(heard, line, standing, at.scene.catalogue, at.now)


def _locked(at: _At, *others: UUID) -> Mapping[UUID, Conversation]:
    """Lock the conversations in question; ours must still be where it was when we read it."""
    talks = merging.lock(at.db, at.scene.contact_id, *others)
    ours = talks.get(at.scene.contact_id)
    if (ours.seq if ours else None) != at.scene.standing.seq:
        raise ConversationMoved
    return talks


def _attach(at: _At, owner: UUID) -> None:
    """Make the address this message came from one of somebody's."""
    heard, address_id = at.scene.heard, new_id(at.now)
    expires_at = at.db.scalar(select(Contact.expires_at).where(Contact.id == owner))
    sealed = reaching.sealed_address(at.db, at.tools.keyring, owner, address_id, heard.address)
    at.db.add(
        Address(
            organisation_id=at.scene.line.organisation_id,
            id=address_id,
            contact_id=owner,
            channel_id=at.scene.line.id,
            scheme=heard.scheme,
            address_hash=heard.address_hash,
            number_hash=heard.number_hash,
            sealed=sealed,
            last_in_at=at.now,
            created_at=at.now,
            expires_at=expires_at,
        )
    )
    at.db.flush()


def _record(at: _At, action: str, contact_id: UUID) -> None:
    subject = ("contact", contact_id)
    audit.record(at.db, Actor("contact", contact_id), action, subject, now=at.now)


def _refuse(at: _At, value: str, *, expired: bool) -> bool:
    scene = at.scene
    is_link = value.startswith("L-")
    scene.say("code_old" if expired or is_link else "code_wrong")
    if not scene.code_wanted:
        ask_again(scene)
    woke = _write(at, scene)
    if not is_link:
        link_codes.count_wrong(at.db, scene.contact_id, now=at.now)
    return woke
