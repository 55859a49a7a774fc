"""What every operation works with: one transaction of the asker's organisation, and who asks."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from flask import Flask, current_app, request
from sqlalchemy.orm import Session

from api.auth import Limits
from api.errors import Fault, Problem
from api.paging import Cursors
from composition import Homeline
from models.base import new_id
from models.sealed import OrganisationKeys
from services import audit, organisations
from services.api_keys import KeyHolder
from services.audit import Actor
from services.catalogue import Catalogue, Catalogues, read_inside
from services.idempotency import Asked

REASON_HEADER = "Homeline-Reason"
IDEMPOTENCY_HEADER = "Idempotency-Key"
REASON = r"(?!.*[0-9]{6})[a-z][a-z0-9_.:-]{2,63}"
IDEMPOTENCY_NAME = r"[\x21-\x7e]{1,200}"
_EXTENSION = "homeline-api"


@dataclass(frozen=True, slots=True)
class Shared:
    """What the operations of one process share."""

    limits: Limits
    catalogues: Catalogues


@dataclass(frozen=True, slots=True)
class Work:
    """One request of one key."""

    db: Session
    line: Homeline
    holder: KeyHolder
    now: datetime
    route: str

    @property
    def actor(self) -> Actor:
        """The key, as the audit chain names it."""
        return Actor("api_key", self.holder.key_id)

    @property
    def cursors(self) -> Cursors:
        """The cursors of this list."""
        return Cursors(self.line.settings.secret_key, self.holder.organisation_id, self.route)

    def keys(self) -> OrganisationKeys:
        """The organisation's open keys."""
        return organisations.open_keys(self.db, self.line.keyring)

    def id(self) -> UUID:
        """A fresh id."""
        return new_id(self.now)

    def note_rows(self, kind: str, ids: Sequence[UUID]) -> None:
        """Record that rows about people were read: how many, the first and the last.

        One link a page: rows are in the order of their ids, so whoever asks later whether a person
        was among them finds the pages that span their row.
        """
        find_reason()  # one that is none is refused, whether or not there are rows
        if not ids:
            return
        detail: dict[str, audit.Detail] = {
            "rows": len(ids),
            "first": str(ids[0]),
            "last": str(ids[-1]),
        }
        self._record(f"{kind}s.read", (kind, None), detail)

    def note_view(self, action: str, contact_id: UUID, **detail: audit.Detail) -> None:
        """Record that one person was looked at."""
        self._record(action, ("contact", contact_id), detail)

    def _record(
        self, action: str, subject: tuple[str, UUID | None], detail: dict[str, audit.Detail]
    ) -> None:
        reason = find_reason()
        given = detail | ({"reason": reason} if reason else {})
        audit.record(self.db, self.actor, action, subject, detail=given, now=self.now)


def find_reason() -> str | None:
    """Return the reason given in the header; Problem 422 when it is not a word or a reference.

    It goes into the audit chain, which must never hold anything personal: so no sentences.
    """
    reason = request.headers.get(REASON_HEADER)
    if reason is None:
        return None
    if not re.fullmatch(REASON, reason):
        told = "small letters, digits, . _ : and -, without long numbers"
        raise Problem(422, faults=[Fault("homeline-reason", f"Give a short word: {told}.")])
    return reason


def get_reason() -> str:
    """Return the reason given in the header; Problem 422 without one."""
    reason = find_reason()
    if reason is None:
        told = f"Say why in the header {REASON_HEADER}."
        raise Problem(422, "reason_missing", told, faults=[Fault("homeline-reason", told)])
    return reason


def find_asked(holder: KeyHolder) -> Asked | None:
    """Return what makes this POST the same as another one; None without an Idempotency-Key."""
    name = request.headers.get(IDEMPOTENCY_HEADER)
    if name is None or request.method != "POST":
        return None
    if not re.fullmatch(IDEMPOTENCY_NAME, name):
        fault = Fault("idempotency-key", "Give 1 to 200 visible ASCII characters.")
        raise Problem(422, faults=[fault])
    told = f"{request.method} {request.full_path}\n".encode() + request.get_data()
    return Asked(holder.key_id, name, hashlib.sha256(told).digest())


def share(app: Flask) -> None:
    """Make what the operations of this application share."""
    app.extensions[_EXTENSION] = Shared(Limits(), Catalogues())


def shared() -> Shared:
    """Return what the operations of this application share."""
    return cast(Shared, current_app.extensions[_EXTENSION])


def catalogue_of(work: Work) -> Catalogue:
    """Return the organisation's flows as they are now, read once a publication."""
    organisation = organisations.get(work.db)
    kept = shared().catalogues
    found = kept.find(organisation.id, organisation.catalogue_version)
    if found is None:
        found = read_inside(work.db)
        kept.keep(found)
    return found
