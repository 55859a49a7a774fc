"""Saved audiences: a condition over people under a name, each change a new version.

A broadcast keeps the version it used. How many people a condition means is told exactly, and to
none but those who may count (ADR 20): whoever may vary a condition finds out about single people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flows.conditions import Condition
from insights.disclosure import RULE, Figure, Reason
from models.audience import Audience, AudienceVersion
from models.base import new_id
from models.conditions import as_sql, people
from models.contact import Contact, ContactStatus
from models.walls import organisation_of
from services import audit
from services.audiences import audience_checks
from services.audit import Actor
from services.catalogue import Catalogue
from services.errors import Conflict, Invalid, NotAllowed, NotFound

LONGEST_NAME: Final = 80


class TooFew(NotAllowed):
    """So few people that they could be told apart: write to them one by one, or widen it."""

    code = "audience_too_small"


class NotSaved(NotAllowed):
    """This key may not choose people by a condition of its own: name a saved audience."""

    code = "audience_not_saved"


@dataclass(frozen=True, slots=True)
class Saved:
    """An audience at one of its versions."""

    audience: Audience
    version: AudienceVersion


def create(
    db: Session,
    name: str,
    mapping: Mapping[str, Any],
    catalogue: Catalogue,
    *,
    actor: Actor,
    now: datetime,
) -> Saved:
    """Save a condition under a name, as version 1.

    Invalid with the place of each fault in the condition; Conflict when the name is taken.
    """
    audience_checks.read(mapping, catalogue)
    audience = Audience(
        organisation_id=organisation_of(db), id=new_id(now), name=_name(name), version=0
    )
    audience.created_at = now
    try:
        with db.begin_nested():
            db.add(audience)
            db.flush()
    except IntegrityError:
        raise Conflict("There is an audience of this name already.") from None
    saved = _add_version(db, audience, mapping, now)
    audit.record(db, actor, "audience.created", ("audience", audience.id), now=now)
    return saved


def change(
    db: Session,
    audience_id: UUID,
    mapping: Mapping[str, Any],
    catalogue: Catalogue,
    *,
    actor: Actor,
    now: datetime,
) -> Saved:
    """Save a changed condition as the next version; the same condition stays the same version.

    Broadcasts that used an earlier version keep it.
    """
    audience_checks.read(mapping, catalogue)
    audience = _get(db, audience_id, for_change=True)
    newest = get(db, audience_id)
    if newest.version.condition == dict(mapping):
        return newest
    saved = _add_version(db, audience, mapping, now)
    detail: dict[str, audit.Detail] = {"version": audience.version}
    audit.record(db, actor, "audience.changed", ("audience", audience.id), detail=detail, now=now)
    return saved


def archive(db: Session, audience_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Take an audience off the list; broadcasts that used it still name it."""
    audience = _get(db, audience_id, for_change=True)
    if audience.archived_at is None:
        audience.archived_at = now
        db.flush()
        audit.record(db, actor, "audience.archived", ("audience", audience_id), now=now)


def get(db: Session, audience_id: UUID, version: int | None = None) -> Saved:
    """Return an audience at a version, by default its newest; NotFound when there is none."""
    audience = _get(db, audience_id)
    number = audience.version if version is None else version
    found = db.get(AudienceVersion, (audience.organisation_id, audience_id, number))
    if found is None:
        raise NotFound("There is no such version of this audience.")
    return Saved(audience, found)


def list_saved(db: Session, *, after: UUID | None = None, most: int = 50) -> Sequence[Saved]:
    """Return audiences in the order they were made, at their newest version, archived ones not."""
    wanted = (
        select(Audience, AudienceVersion)
        .join(
            AudienceVersion,
            (AudienceVersion.organisation_id == Audience.organisation_id)
            & (AudienceVersion.audience_id == Audience.id)
            & (AudienceVersion.version == Audience.version),
        )
        .where(Audience.organisation_id == organisation_of(db), Audience.archived_at.is_(None))
        .order_by(Audience.id)
        .limit(most)
    )
    if after is not None:
        wanted = wanted.where(Audience.id > after)
    return [Saved(audience, version) for audience, version in db.execute(wanted)]


def condition_of(version: AudienceVersion) -> Condition:
    """Return the condition of a version."""
    return audience_checks.stored(version.condition)


def count(db: Session, condition: Condition, *, now: datetime, most: int | None = None) -> int:
    """Return exactly how many people there are who have not stopped; not to be told as it is.

    With `most` nobody beyond that number is looked for.
    """
    wanted = people(db).where(Contact.status == ContactStatus.ACTIVE, as_sql(condition, now))
    found = wanted.limit(most).subquery()
    return db.execute(select(func.count()).select_from(found)).scalar_one()


def size(
    db: Session,
    condition: Condition,
    *,
    of: UUID | None = None,
    may_count: bool,
    actor: Actor,
    now: datetime,
) -> Figure:
    """Return how many people there are to whoever may count them; that they looked is recorded."""
    if not may_count:
        return Figure(None, Reason.ROLE)
    found = Figure(count(db, condition, now=now))
    note_count(db, ("audience", of), actor=actor, now=now)
    return found


def note_count(
    db: Session, subject: tuple[str, UUID | None], *, actor: Actor, now: datetime
) -> None:
    """Record that somebody saw how many people a condition means."""
    audit.record(db, actor, "audience.counted", subject, now=now)


def check_chosen(db: Session, mapping: Mapping[str, Any] | None, *, may_count: bool) -> None:
    """Check that who may not count asks everybody, or an audience that was saved.

    NotSaved otherwise: whether a push is refused as too small would count for them.
    """
    if may_count or mapping is None or dict(mapping) == {"all": []}:
        return
    saved = select(AudienceVersion.version).where(
        AudienceVersion.organisation_id == organisation_of(db),
        AudienceVersion.condition == dict(mapping),
    )
    if db.scalars(saved.limit(1)).first() is None:
        raise NotSaved


def check_size(
    db: Session, condition: Condition, *, may_be_small: bool, actor: Actor, now: datetime
) -> None:
    """Check that an audience has ten people to address, or that the asker may do with less.

    TooFew otherwise. That somebody made use of the right is recorded.
    """
    if count(db, condition, now=now, most=RULE.fewest) >= RULE.fewest:
        return
    if not may_be_small:
        raise TooFew(
            f"Fewer than {RULE.fewest} people: they could be told apart. Widen the audience, or"
            " ask somebody who may address small groups."
        )
    audit.record(db, actor, "audience.small_allowed", ("audience", None), now=now)


def _add_version(
    db: Session, audience: Audience, mapping: Mapping[str, Any], now: datetime
) -> Saved:
    audience.version += 1
    version = AudienceVersion(
        organisation_id=audience.organisation_id,
        audience_id=audience.id,
        version=audience.version,
        condition=dict(mapping),
        created_at=now,
    )
    db.add(version)
    db.flush()
    return Saved(audience, version)


def _get(db: Session, audience_id: UUID, *, for_change: bool = False) -> Audience:
    found = db.get(Audience, (organisation_of(db), audience_id), with_for_update=for_change)
    if found is None:
        raise NotFound("There is no such audience.")
    return found


def _name(name: str) -> str:
    told = " ".join(name.split())
    if not 0 < len(told) <= LONGEST_NAME:
        raise Invalid(f"Give a name of at most {LONGEST_NAME} characters.", place="name")
    return told
