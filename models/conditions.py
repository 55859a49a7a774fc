"""A condition as SQL over the people of an organisation, and of one person from their rows.

Both give the verdict of flows/conditions.py: what is unknown compares false, and `not` of it true.
The fields themselves are in models/person_fields.py.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true
from sqlalchemy.orm import Session

from flows.conditions import (
    All,
    Any,
    Compare,
    Condition,
    Lookup,
    Not,
    Within,
    as_instant,
    as_number,
)
from flows.flow import Flow
from flows.state import Value
from models.contact import Contact, ContactStatus
from models.person_fields import (
    AnswerField,
    ChannelField,
    ConsentField,
    Facts,
    Field,
    IdField,
    InstantField,
    RelayField,
    TextField,
)
from models.profile import Profile, is_core
from models.walls import organisation_of

CONSENT: Final = "consent."
"""What the names of consents begin with."""

FIELDS: Final[dict[str, Field]] = {
    "country": TextField(Profile.country),
    "place": TextField(Profile.place),
    "region": TextField(Profile.region),
    "time_zone": TextField(Profile.time_zone),
    "link": TextField(Profile.link),
    "age_band": TextField(Profile.age_band),
    "gender": TextField(Profile.gender),
    "activity": TextField(Profile.activity),
    "language": TextField(Profile.language),
    "channel": ChannelField(Profile.channel),
    "office": IdField(Profile.office_id),
    "joined": InstantField(Profile.joined_at),
    "registered": InstantField(Profile.registered_at),
    "last_seen": InstantField(Profile.last_seen_at),
    "relay": RelayField(),
}
"""The profile fields by the names that conditions use."""


def field_of(name: str, flow: Flow | None = None) -> Field:
    """Return what a name stands for: a question of the flow, a profile field, or a dotted name."""
    if flow is not None and name in flow.by_id:
        return FIELDS[name] if is_core(flow.kind, name) else AnswerField(f"{flow.id}.{name}")
    if name in FIELDS:
        return FIELDS[name]
    if name.startswith(CONSENT):
        return ConsentField(name.removeprefix(CONSENT))
    return AnswerField(name)


def people(db: Session) -> Select[UUID]:
    """Return the ids of the organisation's people; conditions as SQL are added to it.

    Whoever was merged into somebody else is not among them.
    """
    organisation_id = organisation_of(db)
    return (
        select(Profile.contact_id)
        .join(
            Contact,
            (Contact.organisation_id == Profile.organisation_id)
            & (Contact.id == Profile.contact_id),
        )
        .where(
            Profile.organisation_id == organisation_id,
            Contact.organisation_id == organisation_id,
            Contact.status != ContactStatus.MERGED,
        )
    )


def as_sql(condition: Condition, now: datetime, *, flow: Flow | None = None) -> ColumnElement[bool]:
    """Return the condition as an expression for the WHERE of a statement over `people`.

    It is null where the verdict is false for want of knowledge. With `flow`, bare names are
    questions of that flow first.
    """
    match condition:
        case All(parts):
            return and_(true(), *(as_sql(part, now, flow=flow) for part in parts))
        case Any(parts):
            return or_(false(), *(as_sql(part, now, flow=flow) for part in parts))
        case Not(part):
            return as_sql(part, now, flow=flow).is_not(True)
        case Within(name, span):
            field = field_of(name, flow)
            return and_(field.reaches(now - span), field.stays_below(now))
        case Compare():
            return _compare(condition, field_of(condition.field, flow))


def _compare(wanted: Compare, field: Field) -> ColumnElement[bool]:
    match wanted.operator:
        case "known":
            known = field.is_known()
            return known.is_not(True) if wanted.values[0] in ("no", "false") else known
        case "is":
            return field.equals(wanted.values)
        case "has":
            return field.holds(wanted.values)
    number = as_number(wanted.values[0])
    limit = as_instant(wanted.values[0]) if number is None else number
    if limit is None:
        return false()
    return field.reaches(limit) if wanted.operator == "at_least" else field.stays_below(limit)


def find_facts(db: Session, contact_id: UUID) -> Facts | None:
    """Return what conditions look at of one person, or None when there is no such person."""
    row = db.execute(
        people(db)
        .with_only_columns(Profile, Contact.origin, maintain_column_froms=True)
        .where(Profile.contact_id == contact_id)
    ).one_or_none()
    return None if row is None else Facts(row[0], row[1])


def facts_of(db: Session, contact_ids: Iterable[UUID]) -> Mapping[UUID, Facts]:
    """Return what conditions look at of several people, by their ids; nobody else's."""
    rows = db.execute(
        people(db)
        .with_only_columns(Profile, Contact.origin, maintain_column_froms=True)
        .where(Profile.contact_id.in_(list(contact_ids)))
    )
    return {profile.contact_id: Facts(profile, origin) for profile, origin in rows}


def lookup(facts: Facts, flow: Flow | None = None) -> Lookup:
    """Return the look-up that flows.conditions.evaluate asks for one person's values."""

    def look(name: str) -> Value | None:
        return field_of(name, flow).value(facts)

    return look
