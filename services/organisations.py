"""Organisations and their keys."""

import re
import threading
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, func, or_, select, update
from sqlalchemy.orm import Session

from flows.wording import LANGUAGES
from models.contact import Contact
from models.db import transaction
from models.organisation import Organisation
from models.sealed import Keyring, OrganisationKeys
from models.walls import organisation_of
from services import audit
from services.audit import Actor
from services.errors import Conflict, Invalid, NotFound

SHORT_NAME_LENGTH = 24
LINE = re.compile(r"\+?[0-9(][0-9 ()-]{1,22}[0-9]")


def create(
    db: Session,
    name: str,
    *,
    short_name: str | None = None,
    languages: tuple[str, ...] = LANGUAGES,
    keyring: Keyring,
    now: datetime,
) -> Organisation:
    """Create the organisation the session works for, with keys of its own.

    The id is the session's: `transaction(engine, new_id())`. The first language is the default.
    Invalid for an empty name, or no short name of at most 24 characters to show in messages.
    """
    organisation_id = organisation_of(db)
    name, short_name = name.strip(), (short_name or name).strip()
    if not name:
        raise Invalid("An organisation needs a name.", place="name")
    if not 0 < len(short_name) <= SHORT_NAME_LENGTH:
        raise Invalid(
            f"Give a short name of at most {SHORT_NAME_LENGTH} characters.", place="short_name"
        )
    if not languages:
        raise Invalid("An organisation needs a language.", place="languages")
    wrapped_key, wrapped_index_key = keyring.new_organisation(organisation_id)
    organisation = Organisation(
        id=organisation_id,
        name=name,
        short_name=short_name,
        default_language=languages[0],
        languages=list(languages),
        wrapped_key=wrapped_key,
        wrapped_index_key=wrapped_index_key,
        created_at=now,
    )
    db.add(organisation)
    db.flush()
    audit.record(
        db, audit.SYSTEM, "organisation.created", ("organisation", organisation_id), now=now
    )
    return organisation


def get(db: Session) -> Organisation:
    """Return the session's organisation; NotFound when it was never created."""
    organisation = db.get(Organisation, organisation_of(db))
    if organisation is None:
        raise NotFound("There is no such organisation.")
    return organisation


def renew_catalogue(db: Session) -> None:
    """Let every process read anew what people can enter, with the next message."""
    organisation_id = organisation_of(db)
    db.execute(
        update(Organisation)
        .where(Organisation.id == organisation_id)
        .values(catalogue_version=Organisation.catalogue_version + 1)
        .execution_options(synchronize_session=False)
    )


def set_emergency_line(
    db: Session, line: str | None, *, actor: Actor = audit.SYSTEM, now: datetime
) -> Organisation:
    """Set the number people in danger are told to call, or none; running processes notice it.

    A number with its country or a short one, with blanks, hyphens and brackets; else Invalid.
    """
    organisation = get(db)
    wanted = (line or "").strip() or None
    if wanted is not None and not (LINE.fullmatch(wanted) and sum(map(str.isdigit, wanted)) > 2):
        raise Invalid(
            "Give a telephone number such as +27 12 345 6789, at most 24 characters.",
            place="emergency_line",
        )
    settings = {k: v for k, v in organisation.settings.items() if k != "emergency_line"}
    organisation.settings = settings | ({"emergency_line": wanted} if wanted else {})
    organisation.catalogue_version += 1
    subject = ("organisation", organisation.id)
    detail: dict[str, audit.Detail] = {"setting": "emergency_line", "set": wanted is not None}
    audit.record(db, actor, "organisation.changed", subject, detail=detail, now=now)
    return organisation


def find(db: Session, wanted: str) -> Organisation | None:
    """Return the organisation of this id, name or short name; Conflict when two are called so.

    `db` is in the system scope.
    """
    try:
        named = Organisation.id == UUID(wanted)
    except ValueError:
        low = wanted.strip().lower()
        named = or_(
            func.lower(Organisation.name) == low, func.lower(Organisation.short_name) == low
        )
    found = db.scalars(select(Organisation).where(named).limit(2)).all()
    if len(found) > 1:
        raise Conflict("Two organisations are called so; give the id.")
    return found[0] if found else None


def check_unnamed(db: Session, *names: str | None) -> None:
    """Check that no organisation is called so, by name or short name; else Conflict.

    `db` is in the system scope. Commands name an organisation, so two of one name help nobody.
    """
    low = [name.strip().lower() for name in names if name]
    called = or_(
        func.lower(Organisation.name).in_(low), func.lower(Organisation.short_name).in_(low)
    )
    found = db.scalars(select(Organisation.name).where(called).limit(1)).first()
    if found is not None:
        raise Conflict(f"There is an organisation of this name or short name already: {found}.")


class OrganisationKeyring:
    """The open keys of each organisation, read once a process."""

    def __init__(self, engine: Engine, keyring: Keyring) -> None:
        self._engine = engine
        self._keyring = keyring
        self._open: dict[UUID, OrganisationKeys] = {}
        self._lock = threading.Lock()

    def open(self, organisation_id: UUID) -> OrganisationKeys:
        """Return an organisation's keys; NotFound when there is no such organisation."""
        keys = self._open.get(organisation_id)
        if keys is None:
            with transaction(self._engine, organisation_id) as db:
                keys = open_keys(db, self._keyring)
            with self._lock:
                self._open[organisation_id] = keys
        return keys


def open_keys(db: Session, keyring: Keyring) -> OrganisationKeys:
    """Return the open keys of the session's organisation; NotFound when there is none."""
    organisation = get(db)
    return keyring.open_organisation(
        organisation.id, organisation.wrapped_key, organisation.wrapped_index_key
    )


def rotate_keys(db: Session, keyring: Keyring, *, most: int = 500) -> int:
    """Wrap by the first master key what another one wrapped; return how many keys were done.

    At most so many people a call, and nothing is left when it returns 0. The keys inside stay, so
    no sealed value has to be touched, and it may be stopped and gone on with at any time.
    """
    organisation = get(db)
    organisation_id, current = organisation.id, keyring.current
    done = 0
    if not organisation.wrapped_key.startswith(current):
        organisation.wrapped_key = _rewrap(
            keyring, organisation.wrapped_key, organisation_id, organisation_id
        )
        done += 1
    if not organisation.wrapped_index_key.startswith(current):
        organisation.wrapped_index_key = _rewrap(
            keyring, organisation.wrapped_index_key, organisation_id, "index"
        )
        done += 1
    old = db.execute(
        select(Contact.id, Contact.wrapped_key)
        .where(
            Contact.organisation_id == organisation_id,
            func.substring(Contact.wrapped_key, 1, len(current)) != current,
        )
        .limit(most)
        .with_for_update(key_share=True)
    ).all()
    for contact_id, wrapped in old:
        db.execute(
            update(Contact)
            .where(Contact.organisation_id == organisation_id, Contact.id == contact_id)
            .values(wrapped_key=_rewrap(keyring, wrapped, organisation_id, contact_id))
        )
    db.flush()
    return done + len(old)


def _rewrap(keyring: Keyring, wrapped: bytes, organisation_id: UUID, owner_id: UUID | str) -> bytes:
    key = keyring.unwrap(wrapped, organisation_id, owner_id)
    return keyring.wrap(key, organisation_id, owner_id)
