"""Published wording, and the codes by which people come in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Base, Identified, Json, belongs, of_organisation


class FlowVersion(Identified, Base):
    """A published flow, never changed: the mapping of its file and the SHA-256 of that."""

    __tablename__ = "flow_versions"
    __table_args__ = (of_organisation(), UniqueConstraint("organisation_id", "flow", "version"))

    flow: Mapped[str]
    version: Mapped[int]
    kind: Mapped[str]
    definition: Mapped[Json]
    digest: Mapped[bytes]
    published_at: Mapped[datetime]


class EntryCode(Identified, Base):
    """A word or code that starts a flow; stored in lower case, unique in its organisation."""

    __tablename__ = "entry_codes"
    __table_args__ = (
        of_organisation(),
        belongs("office_id", "offices"),
        UniqueConstraint("organisation_id", "code"),
    )

    code: Mapped[str]
    flow: Mapped[str]
    office_id: Mapped[UUID | None]
    language: Mapped[str | None]
    asker: Mapped[str | None]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
