"""Contacts with what is known of them, for whoever may read rows about people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from models.contact import Contact, ContactStatus
from models.profile import Profile
from models.walls import organisation_of
from services.people import contacts

CORE = ("country", "place", "region", "time_zone", "link", "age_band", "gender", "activity")


@dataclass(frozen=True, slots=True)
class Person:
    """A contact; `profile` holds the core fields and whatever else flows asked."""

    id: UUID
    status: str
    language: str
    channel: str | None
    office_id: UUID | None
    profile: Mapping[str, Any] = field(repr=False)
    consents: tuple[str, ...]
    created_at: datetime
    registered_at: datetime | None
    last_seen_at: datetime
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which contacts; None is any."""

    status: str | None = None
    language: str | None = None
    channel: str | None = None
    country: str | None = None
    office_id: UUID | None = None
    consent: str | None = None
    seen_after: datetime | None = None


def list_people(db: Session, wanted: Wanted, *, after: UUID | None, most: int) -> list[Person]:
    """Return contacts in the order they came, those after a given one, without merged ones."""
    query = _people(db).where(Contact.status != ContactStatus.MERGED)
    for column, value in (
        (Contact.status, wanted.status),
        (Contact.language, wanted.language),
        (Profile.channel, wanted.channel),
        (Profile.country, wanted.country),
        (Contact.office_id, wanted.office_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.consent is not None:
        query = query.where(Profile.consents.contains([wanted.consent]))
    if wanted.seen_after is not None:
        query = query.where(Contact.last_seen_at > wanted.seen_after)
    if after is not None:
        query = query.where(Contact.id > after)
    return [_person(row) for row in db.execute(query.order_by(Contact.id).limit(most))]


def get_person(db: Session, contact_id: UUID) -> Person:
    """Return a contact, or the one it was merged into; NotFound when there is none."""
    found = contacts.get(db, contact_id)
    return _person(db.execute(_people(db).where(Contact.id == found.id)).one())


def _people(db: Session) -> Select[Contact, Profile]:
    return (
        select(Contact, Profile)
        .outerjoin(
            Profile,
            (Profile.organisation_id == Contact.organisation_id)
            & (Profile.contact_id == Contact.id),
        )
        .where(Contact.organisation_id == organisation_of(db))
    )


def _person(row: Row[Contact, Profile]) -> Person:
    contact: Contact = row[0]
    profile: Profile | None = row[1]  # of the outer join
    known = {name: getattr(profile, name) for name in CORE} if profile else {}
    more = dict(profile.rest) if profile else {}
    return Person(
        id=contact.id,
        status=contact.status.value,
        language=contact.language,
        channel=profile.channel if profile else None,
        office_id=contact.office_id,
        profile={name: value for name, value in (more | known).items() if value is not None},
        consents=tuple(profile.consents) if profile else (),
        created_at=contact.created_at,
        registered_at=profile.registered_at if profile else None,
        last_seen_at=contact.last_seen_at,
        stopped_at=contact.stopped_at,
    )


def place_of(db: Session, contact_id: UUID) -> tuple[str | None, str | None]:
    """Return somebody's time zone and country, as far as known, for the hours of their day."""
    found = db.execute(
        select(Profile.time_zone, Profile.country).where(
            Profile.organisation_id == organisation_of(db), Profile.contact_id == contact_id
        )
    ).one_or_none()
    return (found[0], found[1]) if found else (None, None)
